#!/bin/sh
# Makes the data directory when it is empty, then starts the server.
set -eu
draft=$PGDATA/.making
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    rm -rf "$draft"
    initdb --pgdata="$draft" --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" --encoding=UTF8 \
        --auth-local=peer --auth-host=scram-sha-256 >/dev/null
    echo 'host all all all scram-sha-256' >>"$draft/pg_hba.conf"
    # PG_VERSION goes last: it says that the directory is whole
    mv "$draft/PG_VERSION" "$PGDATA/.version"
    mv "$draft"/* "$PGDATA"/
    mv "$PGDATA/.version" "$PGDATA/PG_VERSION"
    rm -rf "$draft"
fi
exec postgres -c listen_addresses='*' -c unix_socket_directories=/run/postgresql
