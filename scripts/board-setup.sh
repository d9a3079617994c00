#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# On the machine of make board, whose processes are this and its children: install
# Debian, all packages of build/board/apt. Afterwards it starts like any other, and
# does what is in /out/job.

set -euo pipefail
packages=/host/build/board/apt/cache/archives

mount_all()
{
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mountpoint -q /dev || mount -t devtmpfs devtmpfs /dev
	mkdir -p /dev/pts
	mount -t devpts devpts /dev/pts
	mount -t tmpfs -o mode=755 run /run
	mount -t tmpfs -o mode=1777 tmp /tmp
	ln -sfn /proc/self/fd /dev/fd
}

# Nothing is started while it's installed, nothing is fetched, and nobody reads manuals.
settings()
{
	chown -R 0:0 /usr /etc /var
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
	chmod +x /usr/sbin/policy-rc.d
	mkdir -p /etc/dpkg/dpkg.cfg.d /etc/apt/apt.conf.d
	printf '%s\n' force-unsafe-io 'path-exclude /usr/share/doc/*' 'path-exclude /usr/share/man/*' \
		'path-exclude /usr/share/locale/*' >/etc/dpkg/dpkg.cfg.d/board
	echo 'APT::Sandbox::User "root"; APT::Install-Recommends "false";' >/etc/apt/apt.conf.d/90board
}

# Packages without which no other can be installed: files are there, but no users,
# and nobody knows which package they are of.
essential()
{
	cp /usr/share/base-passwd/passwd.master /etc/passwd
	cp /usr/share/base-passwd/group.master /etc/group
	touch /var/lib/dpkg/status
	(cd $packages && xargs dpkg --install --force-depends <../../essential.list)
}

# What an installer asks for
answers()
{
	mkdir -p /etc/u-boot-menu/conf.d /etc/initramfs-tools/conf.d /etc/systemd/system
	echo board >/etc/hostname
	cat >/etc/fstab <<-'END'
		LABEL=board / ext4 defaults 0 1
		host /host 9p trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 0 0
		out /out 9p trans=virtio,version=9p2000.L,msize=262144 0 0
	END
	echo 'U_BOOT_PARAMETERS="ro console=ttyAMA0 loglevel=7 printk.devkmsg=on oops=panic panic=-1"' \
		>/etc/u-boot-menu/conf.d/board.conf
	# compressing is slow, on an emulated CPU
	echo COMPRESSLEVEL=1 >/etc/initramfs-tools/conf.d/board
	cat >/etc/systemd/system/job.service <<-'END'
		[Unit]
		Description=What make board wants
		RequiresMountsFor=/host /out
		After=multi-user.target
		SuccessAction=poweroff
		FailureAction=poweroff
		[Service]
		Type=oneshot
		Environment=HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
		ExecStart=/bin/bash /out/job
		StandardOutput=append:/out/output
		StandardError=append:/out/output
		[Install]
		WantedBy=graphical.target
	END
}

mount_all
settings
essential
answers
# the kernel when all is there that an initramfs is made of: it takes minutes
find $packages -name '*.deb' ! -name 'linux-image-*' -print0 | xargs -0 apt-get install -y
apt-get install -y $packages/linux-image-*.deb
systemctl enable job.service
rm /usr/sbin/policy-rc.d
