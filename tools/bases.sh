#!/usr/bin/env bash
# Makes the base images of the examples available: debian:12-slim and debian:11-slim.
# Pulls them; where no registry answers, makes them from Debian's own archive with mmdebstrap.
set -euo pipefail

mirror=http://deb.debian.org/debian
security_mirror=http://deb.debian.org/debian-security
cache=${ECLUSE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ecluse}/bases

docker=docker
if [ -x /usr/bin/docker ]; then docker=/usr/bin/docker; fi

work=
trap '[ -z "$work" ] || rm -rf "$work"' EXIT

fail() {
    echo "bases.sh: $1" >&2
    exit 1
}

# What the official slim images leave out; the rule stays in the image and holds for later packages.
slim=(
    '--dpkgopt=path-exclude=/usr/share/doc/*'
    '--dpkgopt=path-include=/usr/share/doc/*/copyright'
    '--dpkgopt=path-exclude=/usr/share/man/*'
    '--dpkgopt=path-exclude=/usr/share/info/*'
    '--dpkgopt=path-exclude=/usr/share/locale/*'
    '--dpkgopt=path-exclude=/usr/share/lintian/*'
)

# Makes a merged /usr by symlinks; without it bookworm installs usrmerge, and with that all of Perl.
merged_usr=()
hook=/usr/share/mmdebstrap/hooks/maybe-merged-usr
if [ -d "$hook" ]; then merged_usr=("--hook-dir=$hook"); fi

# Asked through apt, so that its proxy settings apply.
is_reachable() {
    /usr/lib/apt/apt-helper -o Acquire::http::Timeout=10 -o Acquire::Retries=0 \
        download-file "$1/InRelease" "$work/InRelease" >/dev/null 2>&1
}

sources_of() {
    local suite=$1
    echo "deb $mirror $suite main"
    if is_reachable "$mirror/dists/$suite-updates"; then
        echo "deb $mirror $suite-updates main"
    fi
    if is_reachable "$security_mirror/dists/$suite-security"; then
        echo "deb $security_mirror $suite-security main"
    fi
}

# The tarball gets its name when it is complete: an interrupted run leaves nothing half made.
make_tarball() {
    local suite=$1 tarball=$2
    command -v mmdebstrap >/dev/null ||
        fail "no registry answers and mmdebstrap is missing; install it: apt-get install mmdebstrap"
    work=$(mktemp -d "$cache/partial.XXXXXX")
    sources_of "$suite" >"$work/sources.list"
    if ! mmdebstrap --quiet --variant=minbase "${slim[@]}" "${merged_usr[@]}" \
        "$suite" "$work/base.tar" "$work/sources.list" 2>"$work/log"; then
        cat "$work/log" >&2
        fail "mmdebstrap could not make $suite"
    fi
    mv "$work/base.tar" "$tarball"
    rm -rf "$work"
}

provide() {
    local image=$1 suite=$2
    local tarball=$cache/${image/:/-}.tar
    if "$docker" image inspect "$image" >/dev/null 2>&1; then
        echo "$image: present"
    elif timeout 15 "$docker" pull --quiet "$image" >/dev/null 2>&1; then
        echo "$image: pulled"
    else
        [ -f "$tarball" ] || make_tarball "$suite" "$tarball"
        "$docker" import --change 'CMD ["bash"]' "$tarball" "$image" >/dev/null
        echo "$image: made from Debian $suite"
    fi
}

"$docker" version >/dev/null 2>&1 || fail "the Docker engine does not answer"
mkdir -p "$cache"
provide debian:12-slim bookworm
provide debian:11-slim bullseye
