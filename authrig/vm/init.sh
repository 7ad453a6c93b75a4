#!/bin/sh
# First program of the guest, out of the initramfs: reach the host's files, then go on there.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in /modules/*.ko; do insmod "$module" || echo "authrig: cannot load $module"; done
mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=262144,cache=loose host /mnt || echo "authrig: cannot mount the host's files"
mount -t tmpfs -o mode=755 tmpfs /mnt/run
mkdir -p /mnt/run/authrig/host
mount --bind /mnt /mnt/run/authrig/host
cp /guest.sh /bin/busybox /mnt/run/authrig/
mount --move /proc /mnt/proc
mount --move /sys /mnt/sys
mount --move /dev /mnt/dev
exec chroot /mnt /bin/sh /run/authrig/guest.sh
