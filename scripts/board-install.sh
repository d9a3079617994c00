#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# On the board of make board, as its owner: install a kernel's package beside the
# present kernel, and let the boot loader start it, also where that one is newer.
# usage: board-install.sh PACKAGE RELEASE

set -euo pipefail

apt-get install -y "$1"
cat /boot/extlinux/extlinux.conf
entry=$(awk -v kernel="/boot/vmlinuz-$2" '$1 == "label" { label = $2 } $1 == "linux" && $2 == kernel { print label; exit }' \
	/boot/extlinux/extlinux.conf)
echo "U_BOOT_DEFAULT=$entry" >>/etc/u-boot-menu/conf.d/board.conf
u-boot-update
