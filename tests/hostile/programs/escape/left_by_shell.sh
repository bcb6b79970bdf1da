#| what = "Leaves a shell's work everywhere: files, fifos, start-up files, a loop that waits for the next run"
#| covers = ["leftover files", "/dev/shm", "harness files"]
#| verdict = ["accepted"]
#| stages = ["first", "second"]
got=
read -r line
places="$PWD $PWD/.. ${TMPDIR:-/tmp} /tmp /var/tmp /dev/shm /dev / /etc /run ${HOME:-/} /usr/local/bin /usr/local/lib"
case $line in
*'"stage":"second"'*)
    for place in $places; do
        for name in .profile .bashrc .left .left-fifo ld.so.preload; do
            if [ -e "$place/$name" ] && [ "$place" != / ]; then
                case $place/$name in
                "$HOME"/*) got="$got; left $place/$name" ;;
                *.left*) got="$got; left $place/$name" ;;
                esac
            fi
        done
    done
    if [ -n "$LEFT" ]; then got="$got; the variable is left"; fi
    if ps -e 2> /dev/null | grep -q sleep-left; then got="$got; a process is left"; fi
    ;;
*)
    export LEFT=left
    for place in $places; do
        for name in .profile .bashrc .left ld.so.preload; do
            (echo "echo left" > "$place/$name") 2> /dev/null
        done
        mkfifo "$place/.left-fifo" 2> /dev/null
    done
    (
        trap '' HUP TERM INT
        while :; do
            for place in $places; do (echo left > "$place/.left") 2> /dev/null; done
            sleep 0.01
        done
    ) > /dev/null 2>&1 &
    ;;
esac
echo "${got:-contained}"
