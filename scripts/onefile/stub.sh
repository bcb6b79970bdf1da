#!/bin/sh
# scaleboxd in one file.  Behind this script lies a compressed archive: a Python, the packages that
# ScaleBox needs, and ScaleBox.  The first start on a host unpacks it into a private directory that
# is named by the archive's hash; every start then becomes (exec) the program there, so that there
# is one process and nothing to sweep up, however it ends.
#
# $SCALEBOX_UNPACK_DIRECTORY names another place to unpack in.  What is there may be removed at any
# time while no daemon runs from it.
set -uf

offset=@OFFSET@
hash=@HASH@
unpacked_mib=@MIB@
machine=@MACHINE@
glibc=@GLIBC@

refuse() {
    printf 'scaleboxd: %s\n' "$1" >&2
    exit 2
}

# Make PARENT/scaleboxd-UID ours alone, and call it $base; fails if it cannot be made there.
settle_in() {
    base=$1/scaleboxd-$uid
    [ -d "$base" ] || (umask 077 && mkdir -p "$base") 2>/dev/null || return 1
    # What lies there will be executed: no other user may have put it there.
    set -- $(LC_ALL=C ls -ldn "$base")
    case "${1:-} ${3:-}" in
    drwx--[-S]---*" $uid") ;;
    *) refuse "$base must be a directory of yours with mode 0700: remove it, or name another \
place in SCALEBOX_UNPACK_DIRECTORY" ;;
    esac
}

choose_place() {
    if [ -n "${SCALEBOX_UNPACK_DIRECTORY:-}" ]; then
        settle_in "$SCALEBOX_UNPACK_DIRECTORY" ||
            refuse "SCALEBOX_UNPACK_DIRECTORY: cannot make a directory in \
$SCALEBOX_UNPACK_DIRECTORY"
        return
    fi
    if [ "$uid" = 0 ]; then
        cache=/var/cache
    else
        cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}
    fi
    settle_in "$cache/scalebox" || settle_in /tmp ||
        refuse "cannot make a directory in $cache/scalebox or /tmp: name another place in \
SCALEBOX_UNPACK_DIRECTORY"
}

extract() {
    if command -v tar && command -v gzip; then
        tail -c "+$offset" "$0" | tar -xzf - -C "$1"
    elif command -v python3; then
        tail -c "+$offset" "$0" | python3 -c 'import sys, tarfile
tarfile.open(fileobj=sys.stdin.buffer, mode="r|gz").extractall(sys.argv[1])' "$1"
    else
        refuse "the first start on a host needs tar and gzip, or python3, on PATH"
    fi >/dev/null
}

unpack() {
    draft=$(mktemp -d "$base/.draft-XXXXXXXX") || refuse "cannot write in $base"
    trap 'rm -rf "$draft"; exit 143' HUP INT TERM
    # The tree, unlike the directory that it lies in, may be read by programs in the sandbox.
    (umask 022 && extract "$draft" && chmod 755 "$draft") || {
        rm -rf "$draft"
        refuse "cannot unpack: see above; $0 must be whole, and $base needs $unpacked_mib MiB"
    }
    # rename(2), which mv is not: it replaces no tree that another start has unpacked meanwhile.
    said=$("$draft/bin/scaleboxd" -I -S -B -c 'import os, sys; os.rename(*sys.argv[1:])' \
        "$draft" "$tree" 2>&1) || [ -f "$tree/lock" ] || {
        rm -rf "$draft"
        refuse "this file does not run here: $said
It is for Linux on $machine with glibc $glibc or newer (this is $(uname -sm)), and $base must not \
be mounted noexec: build on an older system, or name another place in SCALEBOX_UNPACK_DIRECTORY"
    }
    rm -rf "$draft"
    trap - HUP INT TERM
}

uid=$(id -u)
choose_place
tree=$base/$hash
# Its time says when the tree was last used; launch.py removes those that nobody uses any more.
{ [ -f "$tree/lock" ] && true >"$tree/lock"; } 2>/dev/null
[ -f "$tree/lock" ] || unpack
exec "$tree/bin/scaleboxd" -I -S -B "$tree/launch.py" "$0" "$@"
