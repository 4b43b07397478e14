#!/usr/bin/env bash
# A PostgreSQL server for tests, with a socket and a data directory of its own and no TCP port.
#   build/postgres.sh [--install] need        finds PostgreSQL, or installs it where that is allowed
#   build/postgres.sh start DIR               makes DIR/data on first use and starts the server; its socket is in DIR
#   build/postgres.sh restart|kill|stop DIR   kill: as a crash would end it
# The superuser is "addernet" with password "addernet". The server never runs as root: as root it runs as "postgres".
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
install=no
if [[ ${1:-} == --install ]]; then
    install=yes
    shift
fi
source "$root/build/machine.sh"

# The folder of initdb and pg_ctl, of the newest version there is; Debian keeps them off the PATH.
find_programs() {
    local programs
    programs=$(ls -1d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1 || true)
    [[ -x $programs/initdb ]] || programs=$(dirname "$(readlink -f "$(command -v initdb || true)")")
    [[ -x $programs/initdb && -x $programs/pg_ctl ]] && echo "$programs"
}

need() {
    find_programs >/dev/null && return 0
    lacking PostgreSQL "$(apt_command postgresql)" && find_programs >/dev/null
}

unprivileged() {
    if [[ $(id -u) == 0 ]]; then
        (cd / && runuser -u postgres -- "$@")
    else
        "$@"
    fi
}

command=${1:-}
directory=${2:-}
case $command in
    need) need && exit 0 || exit 1 ;;
    start | restart | kill | stop) [[ -n $directory ]] || { echo "build/postgres.sh $command needs a directory" >&2; exit 2; } ;;
    *)
        sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
        exit 2
        ;;
esac

need || exit 1
programs=$(find_programs)
if [[ $command == start && ! -e $directory/data/PG_VERSION ]]; then
    mkdir -p "$directory"
    directory=$(cd "$directory" && pwd)
    printf 'addernet\n' >"$directory/password"
    [[ $(id -u) != 0 ]] || chown -R postgres "$directory"
    unprivileged "$programs/initdb" -D "$directory/data" -U addernet --pwfile="$directory/password" --auth=scram-sha-256 -E UTF8 --locale=C.UTF-8 >"/dev/null"
fi
options="-k '$directory' -c listen_addresses='' -c log_min_messages=warning"
case $command in
    start) unprivileged "$programs/pg_ctl" -D "$directory/data" -l "$directory/log" -o "$options" -w -s start ;;
    restart) unprivileged "$programs/pg_ctl" -D "$directory/data" -l "$directory/log" -o "$options" -w -s -m fast restart ;;
    kill) unprivileged "$programs/pg_ctl" -D "$directory/data" -s -m immediate stop ;;
    stop) unprivileged "$programs/pg_ctl" -D "$directory/data" -s -m fast stop ;;
esac
