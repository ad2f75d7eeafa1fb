#!/bin/sh
# Runs inside the root filesystem of the virtual machine, as the last step of its making. What containers and the
# virtual machine have in common is done by then: sandbox/roles/sandbox_host/files/finish-image.sh.
set -eu

# A virtual machine starts its systemd by itself, and its host key is known before its first start.
rm -r /usr/local/sbin/lab-host-init /etc/systemd/system/ssh.service.d
chmod 0600 /etc/ssh/ssh_host_ed25519_key

echo lab-vm >/etc/hostname
printf '127.0.0.1 localhost lab-vm\n' >/etc/hosts

# QEMU's user network: its DHCP gives the address; its resolver, at this address, asks the machine outside.
printf '[Match]\nName=en*\n[Network]\nDHCP=ipv4\n' >/etc/systemd/network/10-user.network
systemctl enable systemd-networkd.service
echo 'nameserver 10.0.2.3' >/etc/resolv.conf

chown instructor:instructor /home/instructor/.ssh/authorized_keys
chmod 0600 /home/instructor/.ssh/authorized_keys
