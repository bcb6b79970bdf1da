#| what = "Opens devices of the host, and makes nodes for them"
#| covers = ["special files in fetched files", "vsock"]
#| verdict = ["accepted"]
got=
for name in mem kmem port kmsg kvm fuse net/tun vsock vhost-vsock vhost-net loop-control loop0 vda vda1 sda nvme0n1 \
    dm-0 mapper/control snapshot uinput input/event0 rtc rtc0 hpet cpu_dma_latency hwrng userfaultfd watchdog \
    autofs btrfs-control ppp uhid vfio/vfio dri/card0 nvidia0 nvidiactl kfd snd/timer ptmx tty console mcelog \
    rfkill zram0 nbd0 sg0 raw/rawctl cpu/0/msr; do
    if [ -d "/dev/$name" ]; then continue; fi
    if (: < "/dev/$name") 2> /dev/null; then got="$got; opened /dev/$name"; fi
    if [ -e "/dev/$name" ] && (: >> "/dev/$name") 2> /dev/null; then got="$got; opened /dev/$name for writing"; fi
done
for node in "b 254 0" "b 8 0" "b 259 0" "c 1 1" "c 1 11" "c 10 200" "c 5 2" "c 1 3"; do
    # shellcheck disable=SC2086
    if mknod node $node 2> /dev/null; then
        # A node may be made by nobody; were it made, it must not open.
        got="$got; made $node"
        rm -f node
    fi
done
for place in /dev /tmp /dev/shm .; do
    if mknod "$place/.node" c 1 1 2> /dev/null; then got="$got; a node in $place"; fi
done
echo "${got:-contained}"
