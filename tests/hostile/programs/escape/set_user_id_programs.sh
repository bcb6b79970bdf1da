#| what = "Runs every set-user-ID and set-group-ID program of the system, and those with file capabilities"
#| covers = ["setuid"]
#| verdict = ["accepted"]
got=
id=$(id -u)
for program in $(find /usr/bin /usr/sbin /usr/lib /usr/libexec -xdev \( -perm -4000 -o -perm -2000 \) \
    -type f 2> /dev/null); do
    case $program in
    */su) words="-c id root" ;;
    */sudo) words="-n id" ;;
    */mount) words="-t tmpfs none ." ;;
    */umount) words="/proc" ;;
    */newgrp | */sg) words="root -c id" ;;
    */pkexec) words="id" ;;
    *) words="--version" ;;
    esac
    # shellcheck disable=SC2086
    timeout -k 1 1 "$program" $words < /dev/null > said 2> /dev/null
    status=$?
    said=$(cat said)
    case $program$status in
    */mount0 | */umount0) got="$got; $program worked" ;;
    esac
    case $said in
    *uid=0*) [ "$id" = 0 ] || got="$got; $program gave root" ;;
    *gid=0*) [ "$id" = 0 ] || got="$got; $program gave the group" ;;
    esac
done
cp /usr/bin/id ./copy && chmod 6755 ./copy 2> /dev/null
case $(./copy 2> /dev/null) in
*euid=0* | *uid=0*) [ "$id" = 0 ] || got="$got; a copy gave root" ;;
esac
echo "${got:-contained}"
