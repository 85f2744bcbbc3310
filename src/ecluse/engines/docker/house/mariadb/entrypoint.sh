#!/bin/sh
# Makes the data directory when it is empty, then starts the server with the root password of this container.
set -eu
data=/var/lib/mysql
draft=$data/.making
if [ ! -d "$data/mysql" ]; then
    rm -rf "$draft"
    mariadb-install-db --datadir="$draft" --auth-root-authentication-method=normal --skip-test-db >/dev/null
    mv "$draft"/* "$data"/
    rm -rf "$draft"
fi
umask 077
password=$(sed -e 's/\\/\\\\/g' -e "s/'/\\\\'/g" "$MARIADB_ROOT_PASSWORD_FILE")
init=/run/mysqld/init.sql
printf "ALTER USER 'root'@'localhost' IDENTIFIED BY '%s';\n" "$password" >"$init"
unset password
exec mariadbd --datadir="$data" --init-file="$init" --bind-address=0.0.0.0 --skip-name-resolve \
    --character-set-server=utf8mb4 --collation-server=utf8mb4_unicode_ci
