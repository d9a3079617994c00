#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A Debian 13 for arm64 as a board has it, for make board: build/board/debian.img.
# Packages are fetched and, as far as they must be there to install the others,
# unpacked here; they are installed by the system itself, once it runs in QEMU.
# Status 3: the archive did not answer.
# usage: board-root.sh KERNEL-IMAGE

. "$(dirname "$0")/lib.sh"
. "$top/scripts/apt-sources.sh"
. "$top/scripts/board-vm.sh"

room=$board/apt
root=$board/root
image=$board/debian.img
log=$build/log/board-apt.log
kernel=${1?}
suite=trixie

# A system without desktop; Debian's kernel, initramfs and boot entry; swap; what uses the GPU
system="apt passwd systemd systemd-sysv udev dbus kmod mount e2fsprogs procps psmisc util-linux bsdutils libcap2-bin"
boot="linux-image-arm64 initramfs-tools zstd u-boot-menu"
swap="systemd-zram-generator"
gpu="libgl1-mesa-dri libegl-mesa0 mesa-utils mesa-vulkan-drivers vulkan-tools weston glmark2-es2-wayland nvtop"
wanted="$system $boot $swap $gpu"

unavailable() { printf 'board: %s\n' "$*" >&2; exit 3; }

# What the image depends on
recipe() { echo "$suite $wanted"; cat "$top/scripts/board-root.sh" "$top/scripts/board-setup.sh"; }

download() # PACKAGE...
{
	apt_room "$room" arm64 apt-get install -y --download-only "$@" >>"$log" 2>&1 ||
		unavailable "the archive does not answer, or has no arm64: see ${log#"$top"/}"
}

# All packages are fetched; those without which none can be installed are unpacked.
fetch()
{
	local uri

	uri=$(debian_sources | sed -n 's/ -$//p' | head -n 1)
	[ -n "$uri" ] || unavailable "no Debian archive in this machine's apt sources"
	: >"$log"
	make_room "$room" arm64 "$log" "$uri" $suite || unavailable "the archive does not answer: see ${log#"$top"/}"
	download '?essential' apt mount
	unpack_packages "$room" "$root" >/dev/null
	(cd "$room/cache/archives" && ls -- *.deb) >"$room/essential.list"
	# shellcheck disable=SC2086 # several packages
	download '?essential' $wanted
	(cd "$room" && apt_room "$room" arm64 apt-get download u-boot-qemu) >>"$log" 2>&1 ||
		unavailable "no U-Boot: see ${log#"$top"/}"
	dpkg-deb --fsys-tarfile "$room"/u-boot-qemu_*.deb | tar -xO ./usr/lib/u-boot/qemu_arm64/u-boot.bin >"$board/u-boot.bin"
}

# The first process, for as long as there is no other
prepare()
{
	mkdir -p "$root"/{dev,proc,sys,run,tmp,host,out}
	ln -sf dash "$root/usr/bin/sh"
	ln -sf mawk "$root/usr/bin/awk"
	cat >"$root/board-init" <<'END'
#!/bin/bash
export PATH=/usr/sbin:/usr/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 host /host &&
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 out /out &&
. /out/job >>/out/output 2>&1
sync	# no more: the programs that run have been replaced, so their old files are open
exec perl -e 'syscall(142, 0xfee1dead, 672274793, 0x4321fedc, 0)'	# reboot(2): off
END
	chmod +x "$root/board-init"
}

# A disk with one partition, which is where U-Boot looks
make_disk()
{
	rm -f "$image.new"
	mke2fs -q -t ext4 -d "$root" -E root_owner=0:0,offset=1048576 -L board "$image.new" 4G &&
	truncate -s 4097M "$image.new" &&
	echo 'start=1MiB, bootable' | sfdisk -q "$image.new"
}

# Output is long, and nobody's business unless it fails.
install()
{
	PATH=$PATH:/sbin:/usr/sbin make_disk &&
	start_board "$image.new" -kernel "$kernel" -append "console=ttyAMA0 root=/dev/vda1 rw init=/board-init panic=-1" \
		-- /host/scripts/board-setup.sh &&
	mv "$image.new" "$image"
}

if [ -f "$image" ] && [ "$(recipe | sha256sum)" = "$(cat "$board/debian.recipe" 2>/dev/null)" ]; then exit 0; fi
command -v apt-get >/dev/null || unavailable "no apt here, so no Debian for arm64"
[ -f "$keyring" ] || unavailable "no $keyring: install debian-archive-keyring"
mkdir -p "$board" "$run"
say "Debian $suite for arm64: fetching packages (about 300 MB)"
fetch
prepare
say "Debian $suite for arm64: installing them in QEMU"
quietly "$build/log/board-root.log" install
recipe | sha256sum >"$board/debian.recipe"
rm -rf "$room" "$root"
