#!/bin/sh
# Switches a module on; what the module is to do comes with /config/ldap.conf.
set -eu

if [ "${LDAP_ENABLE:-false}" = true ]; then
    set -- "$@" -D LDAP
fi
exec "$@"
