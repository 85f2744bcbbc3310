#!/usr/bin/env bash
# The main job on the example product: build, deploy test, use it, promote to prod. `down` removes all of it.
set -euo pipefail
cd "$(dirname "$0")/.."

product=.demo/comptoir
ecluse=.venv/bin/ecluse
# Builds install Debian's packages: the machine's own network reaches them wherever the machine does.
export ECLUSE_BUILD_NETWORK=${ECLUSE_BUILD_NETWORK:-host}
# The key of the demo is its own: yours, if you have one, is left alone.
export XDG_CONFIG_HOME=$PWD/.demo/settings
unset SOPS_AGE_KEY SOPS_AGE_KEY_FILE SOPS_AGE_KEY_CMD
port=${ECLUSE_EDGE_HTTP_PORT:-80}
sudo=${SUDO_USER:+sudo }
suffix=$([ "$port" = 80 ] || echo ":$port")

https=${ECLUSE_EDGE_HTTPS_PORT:-443}

part_names=() part_seconds=()
part() { # NAME COMMAND... : runs a part of the demo and keeps how long it took
    local name=$1 begun=$EPOCHREALTIME
    shift
    printf '\n== %s\n   $ %s\n' "$name" "$*"
    "$@"
    part_names+=("$name")
    part_seconds+=("$(awk -v a="$begun" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')")
}

commit() { # MESSAGE
    git -C "$product" add --all
    git -C "$product" diff --cached --quiet ||
        git -C "$product" -c user.name=Demo -c user.email=demo@example.invalid commit --quiet -m "$1"
}

checkout() { # the example as a product of its own, in its own git repository
    mkdir -p "$product"
    cp -r examples/comptoir/. "$product"
    if [ ! -d "$product/.git" ]; then git -C "$product" init --quiet; fi
    commit "The example product"
}

seal() { # a password for each environment, encrypted in the product's git for the key of this demo
    "$ecluse" -C "$product" secrets init >/dev/null
    for environment in test prod; do
        if [ ! -f "$product/config/environments/$environment/services/legacy.sops.yaml" ]; then
            head -c 9 /dev/urandom | base64 | tr -d '+/=' |
                "$ecluse" -C "$product" secrets set DEMO_PASSWORD --env "$environment" --service legacy
        fi
    done
    commit "Passwords, sealed"
}

password() { # ENVIRONMENT
    "$ecluse" -C "$product" secrets show --values --yes --env "$1" --service legacy 2>/dev/null |
        sed -n 's/^app.DEMO_PASSWORD: //p'
}

fetch() { # HOST PATH [CURL OPTIONS...] : a request through the edge; the name need not resolve
    local host=$1 path=$2
    shift 2
    curl --fail --silent --show-error --max-time 20 --connect-to "$host:$port:127.0.0.1:$port" "$@" "http://$host:$port$path"
}

customer() { # a customer's morning: log in, make an invoice, find it in accounting, run the payroll
    tools/demo-customer.sh "$1" "$port" "$(password "$1")"
}

summary() {
    printf '\n== What runs\n'
    "$ecluse" -C "$product" status
    printf '\n== How long it took\n'
    for index in "${!part_names[@]}"; do printf '   %6s s  %s\n' "${part_seconds[$index]}" "${part_names[$index]}"; done
    cat <<END

== Where to look
   test  http://admin.test.localhost$suffix/   http://legacy.test.localhost$suffix/   http://accounting.test.localhost$suffix/
         http://invoicing.test.localhost$suffix/   http://payroll.test.localhost$suffix/
   prod  http://admin.prod.localhost$suffix/   http://legacy.prod.localhost$suffix/   http://accounting.prod.localhost$suffix/
         http://invoicing.prod.localhost$suffix/   http://payroll.prod.localhost$suffix/
   The login is demo; its password (another one in prod):
   XDG_CONFIG_HOME=$XDG_CONFIG_HOME $ecluse -C $product secrets show --values --env test --service legacy
   (a browser resolves *.localhost by itself; elsewhere: curl -H 'Host: admin.test.localhost' http://127.0.0.1$suffix/)

== Try
   $sudo$ecluse -C $product logs test invoicing --tail 5
   $sudo$ecluse -C $product history prod
   make demo-down        removes all of it
END
}

https_is_free() { # somebody else on the port would stop the deployment: go on without, and say so
    if [ "$https" = 0 ] || ! (exec 3<>"/dev/tcp/127.0.0.1/$https") 2>/dev/null; then return; fi
    if /usr/bin/docker ps --quiet --filter label=ecluse.kind=edge --filter "publish=$https" | grep -q .; then return; fi
    echo "port $https is taken: the demo does without HTTPS (ECLUSE_EDGE_HTTPS_PORT names another port)" >&2
    https=0
    export ECLUSE_EDGE_HTTPS_PORT=0
}

up() {
    https_is_free
    checkout
    part "Seal a password for each environment in git" seal
    part "Build the five services" "$ecluse" -C "$product" build --quiet
    part "Deploy test" "$ecluse" -C "$product" deploy test --yes
    part "Use test as a customer" customer test
    part "Promote what is known good to prod" "$ecluse" -C "$product" promote test prod --yes
    part "Use prod as a customer" customer prod
    part "Plan again: nothing is left to do" "$ecluse" -C "$product" plan test
    summary
}

down() {
    if [ ! -d "$product" ]; then
        echo "the demo is not there"
        return
    fi
    https_is_free
    "$ecluse" -C "$product" down prod --volumes --yes
    "$ecluse" -C "$product" down test --volumes --yes
    "$ecluse" -C "$product" runner --stop
    /usr/bin/docker image ls --format '{{.Repository}}:{{.Tag}}' | grep '^comptoir/' |
        xargs -r /usr/bin/docker image rm --force >/dev/null
    rm -rf .demo "${ECLUSE_STATE:-/var/lib/ecluse}/comptoir"
    echo "the demo is gone; the base images and the build cache stay for the next one"
}

case ${1:-} in
    up | down) "$1" ;;
    *) echo "usage: tools/demo.sh up|down" >&2; exit 2 ;;
esac
