#!/usr/bin/env bash
# Brings the programs that tests and benches measure Écluse against: Debian's packages, and programs built from their
# published Go modules, kept in the cache by version. What cannot be had here is said, and the tests that want it are
# skipped with that reason.
set -euo pipefail

# program, Debian package
packages=(
    "curl curl"
    "docker-compose docker-compose"
    "gpg gnupg"
    "ip iproute2"
    "javac default-jdk-headless"
    "mkfs.ext4 e2fsprogs"
    "node nodejs"
    "openssl openssl"
    "ssh-keygen openssh-client"
)

missing=()
for entry in "${packages[@]}"; do
    read -r program package <<<"$entry"
    PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
        echo "not all of them can be had here"
fi

cache=${ECLUSE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ecluse}/peers

# name, version, Go package
peers=(
    "sops v3.13.2 github.com/getsops/sops/v3/cmd/sops"
    "age v1.2.1 filippo.io/age/cmd/age"
    "age-keygen v1.2.1 filippo.io/age/cmd/age-keygen"
    "pebble v2.10.3 github.com/letsencrypt/pebble/v2/cmd/pebble"
    "pebble-challtestsrv v2.10.3 github.com/letsencrypt/pebble/v2/cmd/pebble-challtestsrv"
    "kamal-proxy v0.9.0 github.com/basecamp/kamal-proxy/cmd/kamal-proxy"
)

# A program gets its name when it is whole, and `bin` always points at the version above.
provide() {
    local name=$1 version=$2 package=$3
    local kept=$cache/$version/$name work
    if [ ! -x "$kept" ]; then
        command -v go >/dev/null || { echo "$name: not built, because Go is not installed here"; return; }
        work=$(mktemp -d "$cache/partial.XXXXXX")
        if ! GOBIN=$work GOFLAGS=-mod=mod go install "$package@$version" 2>"$work/log"; then
            echo "$name: not built, because its module cannot be had: $(tail -n 1 "$work/log")"
            rm -rf "$work"
            return
        fi
        mkdir -p "$cache/$version"
        mv "$work/$name" "$kept"
        rm -rf "$work"
        echo "$name: built, $version"
    fi
    ln -sfn "$kept" "$cache/bin/$name"
}

mkdir -p "$cache/bin"
for peer in "${peers[@]}"; do
    read -r name version package <<<"$peer"
    provide "$name" "$version" "$package"
done

# A program of ours around a published module, built again when its source changes.
compile() {
    local name=$1 source kept work
    source=$(dirname "${BASH_SOURCE[0]}")/peers/$name
    kept=$cache/$(cat "$source"/* | sha256sum | cut -c1-12)/$name
    if [ ! -x "$kept" ]; then
        command -v go >/dev/null || { echo "$name: not built, because Go is not installed here"; return; }
        work=$(mktemp -d "$cache/partial.XXXXXX")
        cp "$source"/* "$work"
        if ! (cd "$work" && GOFLAGS=-mod=mod go build -o "$name" . 2>log); then
            echo "$name: not built, because its module cannot be had: $(tail -n 1 "$work/log")"
            rm -rf "$work"
            return
        fi
        mkdir -p "$(dirname "$kept")"
        mv "$work/$name" "$kept"
        rm -rf "$work"
        echo "$name: built"
    fi
    ln -sfn "$kept" "$cache/bin/$name"
}

compile compose-env
