#!/bin/sh
# Runs inside the root filesystem of a lab host, as the last step of building it.
set -eu

# Everything that must differ between two machines is made at a machine's first start.
rm -f /etc/ssh/ssh_host_* /etc/hostname
: >/etc/machine-id

# The instructor's account: a real user with sudo, as on a classroom machine.
useradd --create-home --shell /bin/bash instructor
install -d -m 0700 -o instructor -g instructor /home/instructor/.ssh
printf 'instructor ALL=(ALL:ALL) NOPASSWD:ALL\n' >/etc/sudoers.d/instructor
chmod 0440 /etc/sudoers.d/instructor
visudo --check --quiet

mkdir -p /etc/systemd/system/ssh.service.d
cat >/etc/systemd/system/ssh.service.d/host-keys.conf <<'UNIT'
[Service]
ExecStartPre=
ExecStartPre=/usr/bin/ssh-keygen -A
ExecStartPre=/usr/sbin/sshd -t
UNIT

# apt's own timers would take its lock at a moment of their choosing.
systemctl mask apt-daily.timer apt-daily-upgrade.timer

# First process of the container. The engine mounts the control groups read-only; systemd (cgroup v2) and the engine inside
# write to them. systemd from version 256 on refuses cgroup v1 unless two options allow it, which version 252 ignores.
cat >/usr/local/sbin/lab-host-init <<'INIT'
#!/bin/sh
set -eu
for place in /sys/fs/cgroup /sys/fs/cgroup/*; do
    if mountpoint -q "$place"; then
        mount -o remount,bind,rw "$place"
    fi
done
if [ "$(stat --file-system --format=%T /sys/fs/cgroup)" = cgroup2fs ]; then
    exec /sbin/init
fi
exec /sbin/init systemd.unified_cgroup_hierarchy=0 SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1
INIT
chmod 0755 /usr/local/sbin/lab-host-init
