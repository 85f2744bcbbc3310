#!/usr/bin/env bash
# Brings what Écluse needs of a Debian 12 machine: Docker, running, and the two base images. Does nothing twice.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted=()
[ -x /usr/bin/docker ] && [ -x /usr/sbin/dockerd ] || wanted+=(docker.io)
for tool in mmdebstrap curl; do
    command -v "$tool" >/dev/null || wanted+=("$tool")
done
if [ ${#wanted[@]} -gt 0 ]; then
    echo "installing ${wanted[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
fi

answers() { timeout 5 /usr/bin/docker version >/dev/null 2>&1; }
if ! answers; then
    if [ -d /run/systemd/system ]; then
        systemctl start docker
    else
        echo "starting the Docker engine"
        setsid nohup /usr/sbin/dockerd >>/var/log/ecluse-dockerd.log 2>&1 </dev/null &
    fi
    for _ in $(seq 120); do
        answers && break
        sleep 0.5
    done
    answers || { echo "the Docker engine did not start within 60 s: see /var/log/ecluse-dockerd.log" >&2; exit 1; }
fi
tools/bases.sh
