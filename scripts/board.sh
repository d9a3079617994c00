#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make board: a board in a box. The packages of make arm64 are installed in a Debian 13
# for arm64, as a board's owner does it, U-Boot starts that kernel, and Debian's
# programs use the software GPU, while their buffers are evicted. Ends with
# "N passed, N failed, N skipped".

. "$(dirname "$0")/lib.sh"
only_612
check_kernel plain	# that there is such an ARCH; the kernel is that of make arm64
arch=arm64
check_smp
"$top/scripts/deps.sh" board
. "$top/scripts/board-vm.sh"

image=$board/board.img
log=$build/log/board

# The kernel that is to be installed
build()
{
	"$top/scripts/arm64.sh"
	"$top/scripts/build-model.sh" --arch arm64 --kernel board
	quietly "$build/log/user-board.log" make -C "$panthor" O="$build/user-board" KSRC="$(tree_dir series)" \
		CC="$(ccache_cc ${cross}gcc)" DRM_LIBS=none board
	image_package=$(cd "$build/arm64" && ls -- linux-image-*.deb)
	release=${image_package#linux-image-} release=${release%%_*}
}

# What the disk is made of
recipe() { cat "$board/debian.recipe" "$build/arm64/$image_package" "$top/scripts/board-install.sh" | sha256sum; }

install_kernel()
{
	rm -f "$image"
	cp --sparse=always "$board/debian.img" "$image.new"
	start_board "$image.new" -bios "$board/u-boot.bin" \
		-- /host/scripts/board-install.sh "/host/build/arm64/$image_package" "$release" &&
	mv "$image.new" "$image"
}

# What is done to the disk is forgotten.
try_board()
{
	TMPDIR=$run start_board "$image" -snapshot -bios "$board/u-boot.bin" \
		-- /host/scripts/board-guest.sh "$release" >"$log.out"
}

exec 9>"$build/log/board.lock"
flock 9
build
"$top/scripts/board-root.sh" "$out/arch/arm64/boot/Image"
if [ ! -f "$image" ] || [ "$(recipe)" != "$(cat "$board/board.recipe" 2>/dev/null)" ]; then
	say "apt install ./$image_package, on the board"
	quietly "$build/log/board-install.log" install_kernel
	recipe >"$board/board.recipe"
fi
results_start
status=0
with_progress board try_board || status=$?
awk -f "$top/scripts/ktap.awk" -v counts="$log.counts" "$log.out"
results_add "$(cat "$log.counts")"
[ $status = 0 ] || result_fail "the board: status $status (its kernel's log: ${run#"$top"/}/dmesg)"
"$top/scripts/scan-log.sh" "$run/dmesg" || result_fail "the kernel's log has a report: ${run#"$top"/}/dmesg"
results_end
