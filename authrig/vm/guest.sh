# Runs in the guest with the host's files as its root, read-only; machine.py puts the variables before it.
set -u
export PATH="$GUEST_PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
export COLUMNS=120 HOME=/run/authrig/home TMPDIR=/tmp LANG=C.UTF-8 AUTHRIG_VM=1
# The host's files cannot be written, and these tools would try.
export PYTHONDONTWRITEBYTECODE=1 HYPOTHESIS_STORAGE_DIRECTORY="$HOME/hypothesis"

mkdir -p /dev/pts /dev/shm "$HOME"
mount -t devpts -o ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs -o mode=755 tmpfs /var/tmp

# What the command needs may itself live below a folder that is now hidden.
printf '%s\n' "$KEEP" | while IFS= read -r path; do
  case "$path" in
    /tmp/* | /var/tmp/* | /run/* | /dev/shm/*) mkdir -p "$path" && mount --bind "/run/authrig/host$path" "$path" ;;
  esac
done
[ -d "$SHARED" ] || mkdir -p "$SHARED"
mount -t 9p -o rw,trans=virtio,version=9p2000.L,msize=262144,cache=none shared "$SHARED"

for module in $MODULES; do
  modprobe -d "$KERNEL_ROOT" "$module" || echo "authrig: cannot load the module $module"
done
/run/authrig/busybox ip link set lo up
/lib/systemd/systemd-udevd --daemon
# Devices that were there before udev, of the kinds that its rules say something about here; all of them took half of the boot.
for kind in misc usb hid hidraw input video4linux media; do set -- "$@" "--subsystem-match=$kind"; done
udevadm trigger --action=add "$@"
udevadm settle --timeout=20

cd "$WORKING_DIRECTORY" || exit 1
echo "authrig: ready after $(cut -d' ' -f1 /proc/uptime) s"
# A port and not a console: a console drops what comes faster than a busy host takes it.
for port in /sys/class/virtio-ports/*; do
  [ "$(cat "$port/name")" = authrig.output ] && output="/dev/${port##*/}"
done
( eval "$COMMAND" ) </dev/null >"$output" 2>&1
echo "$?" >"$SHARED/$EXIT_CODE.partial"
mv "$SHARED/$EXIT_CODE.partial" "$SHARED/$EXIT_CODE"
sync

# A plain power-off hangs while virtual USB devices are attached; sysrq does not ask them.
echo o >/proc/sysrq-trigger
sleep 60
