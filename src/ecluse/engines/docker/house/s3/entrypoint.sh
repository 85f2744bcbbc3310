#!/bin/sh
# Starts the four servers of one node and what mends their listings; ends when one of the servers ends.
set -eu
store=/srv/node/store
# what places are made from goes with the data: another value, and nothing would be found again
if [ ! -s "$store/.place" ]; then
    umask 077
    head -c 24 /dev/urandom | base64 | tr -d '+/=\n' >"$store/.place.new"
    mv "$store/.place.new" "$store/.place"
fi
umask 022
cat >/etc/swift/swift.conf <<CONF
[swift-hash]
swift_hash_path_suffix = $(cat "$store/.place")
[storage-policy:0]
name = only
default = yes
[swift-constraints]
max_header_size = 16384
CONF
cd /etc/swift
children=
serve() { "$@" & children="$children $!"; }
stop() { kill -TERM $children 2>/dev/null || true; }
trap stop TERM INT
serve swift-account-server account.conf
serve swift-container-server container.conf
serve swift-object-server object.conf
serve swift-proxy-server proxy.conf
serve swift-object-updater object.conf
serve swift-container-updater container.conf
while :; do
    for child in $children; do kill -0 "$child" 2>/dev/null || { stop; wait; exit 1; }; done
    sleep 1 & wait $! || true
done
