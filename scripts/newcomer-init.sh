#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Process 1 of the bare system of newcomer.sh, in namespaces of its own for
# mounts and processes: everything that is started and mounted here, busy loops
# included, is gone when it ends.
# usage: newcomer-init.sh ROOT BUSY root|user DIR --prepare | command...

set -euo pipefail
root=$1 busy=$2 who=$3 at=$4
shift 4

# What a running machine has. The device nodes came with the bare system, so that
# what is done to them isn't done to this machine's.
mount_all()
{
	mount -t proc proc "$root/proc"
	mount -t sysfs -o ro sysfs "$root/sys"
	mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$root/dev/pts"
	mount -t tmpfs -o mode=1777,nosuid,nodev shm "$root/dev/shm"
	mount -t tmpfs -o mode=755 run "$root/run"
}

# Of the environment, only what a login gives: nothing of this machine's.
in_root() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"; }

# A user who has sudo, to whom the clone belongs.
prepare()
{
	[ "$who" = user ] || return 0
	in_root sh -c 'apt-get update && apt-get install -y --no-install-recommends sudo && useradd -m -s /bin/bash newcomer' \
		>"$root.user.log" 2>&1 || { echo "can't make a user, see $root.user.log"; exit 1; }
	echo 'newcomer ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/newcomer"
	in_root chown -R newcomer: "$at"
}

mount_all
if [ "$1" = --prepare ]; then prepare; exit; fi
for ((i = 0; i < busy; i++)); do
	while :; do :; done &
done
as=()
[ "$who" = root ] || as=(setpriv --reuid newcomer --regid newcomer --init-groups env HOME=/home/newcomer)
# shellcheck disable=SC2016 # expanded in there
in_root "${as[@]}" sh -c 'cd "$1" && shift && exec "$@"' - "$at" "$@"
