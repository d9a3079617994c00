#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What programs the arm64 guest has: a few packages of this machine's Debian for
# arm64, unpacked in build/arm64-root/root, and an image of that,
# build/arm64-root/root.img. Which packages: see fetch-igt.sh. Status 3: the archive
# did not answer.

. "$(dirname "$0")/lib.sh"
. "$top/scripts/apt-sources.sh"

dir=$build/arm64-root
root=$dir/root
log=$build/log/arm64-root-apt.log
wanted="bash coreutils dash debianutils diffutils findutils gawk grep kmod libdrm2 mount perl-base procps sed util-linux"

unavailable() { printf 'fetch-root: %s\n' "$*" >&2; exit 3; }

download()
{
	local uri codename

	uri=$(debian_sources | sed -n 's/ -$//p' | head -n 1)
	[ -n "$uri" ] || unavailable "no Debian archive in this machine's apt sources"
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")
	# shellcheck disable=SC2086 # several packages
	download_packages "$dir/apt" arm64 "$log" "$uri" "$codename" $wanted ||
		unavailable "the archive does not answer, or has no arm64: see build/log/arm64-root-apt.log"
}

# What packages do when they are installed, as far as anybody notices here.
configure()
{
	local d

	for d in dev proc sys run tmp var/tmp host out root etc; do mkdir -p "$root/$d"; done
	ln -sf dash "$root/usr/bin/sh"
	ln -sf gawk "$root/usr/bin/awk"
	echo 'root:x:0:0:root:/root:/bin/bash' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
	ln -sf /proc/mounts "$root/etc/mtab"
	cat >"$root/init" <<'END'
#!/bin/bash
# Process 1: the host's files, then what scripts/guest.sh of this machine wants.
mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 host /host &&
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 out /out &&
exec /host/scripts/guest-init.sh
END
	chmod +x "$root/init"
}

exec 8>"$build/log/arm64-root.lock"	# two verbs at once
flock 8
[ ! -f "$dir/complete" ] || exit 0
command -v apt-get >/dev/null || unavailable "no apt here, so no programs for arm64"
[ -f $keyring ] || unavailable "no $keyring: install debian-archive-keyring"
: >"$log"
mkdir -p "$dir"
say "fetching programs for arm64 (about 20 MB, and 10 MB of package lists)"
download
unpack_packages "$dir/apt" "$root" >"$dir/packages.txt"
rm -rf "$dir/apt" "$root"/usr/share/{doc,man,locale,info}
configure
rm -f "$dir/root.img"
PATH=$PATH:/sbin:/usr/sbin quietly "$build/log/arm64-root-image.log" \
	mke2fs -q -t ext2 -d "$root" -E root_owner=0:0 -L root "$dir/root.img" 160M
touch "$dir/complete"
