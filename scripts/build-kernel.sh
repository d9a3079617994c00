#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Build a guest's kernel of a tree: build/linux{,-base}/out-<flavour>, where the
# flavour is plain, debug, gcov or mglru (UML), or arm64-plain, -debug, -kcsan, -16k or
# -64k; modules installed in build/modules/<tree>-<flavour>.
# usage: build-kernel.sh [--arch um|arm64] [--tree series|base] [--kernel KERNEL]

. "$(dirname "$0")/lib.sh"
parse_target "$@"

src=$(tree_dir "$tree")
out=$src/out-$flavour
inst=$build/modules/$tree-$flavour
[ "$kernel" != board ] || die "the board's kernel is made by 'make arm64'"
[ -f "$src/Makefile" ] || die "no kernel tree in ${src#"$top"/}: run 'make tree'"

# A kernel's own choice replaces the common one.
fragments()
{
	local machine=uml who=series file
	local -a files=()

	[ "$arch" = um ] || machine=qemu
	[ "$tree" != base ] || who=base
	for file in "linux-$linux-$who-$kernel" "linux-$linux" "$machine-$kernel" "$kernel" $machine guest; do
		file=$panthor/configs/$file.config
		[ ! -f "$file" ] || files+=("$file")
	done
	tac "${files[@]}" |
		awk -F '[= ]' '!/CONFIG_/ || !seen[$1 == "#" ? $2 : $1]++' | tac
}

# .config from the fragments, only when they or the tree's Kconfig changed it.
configure()
{
	local frag=$build/config/$tree-$flavour.config new=$build/config/$tree-$flavour.new

	mkdir -p "$build/config" "$out"
	fragments >"$frag"
	[ -f "$out/.config" ] && cp -p "$out/.config" "$new"
	quietly "$build/log/config-$tree-$flavour.log" \
		kmake "$tree" "$flavour" KCONFIG_ALLCONFIG="$frag" allnoconfig
	# keep the time stamp of an unchanged file
	if cmp -s "$new" "$out/.config"; then cp -p "$new" "$out/.config"; fi
	rm -f "$new"
	check_config "$frag" "$out/.config"
}

# Of a gcov kernel, only what the series touches counts how often it is run.
instrumented()
{
	[ "$kernel" = gcov ] || return 0
	series_sources "$tree" | sed 's|.*/\(.*\)\.c$|GCOV_PROFILE_\1.o=y|'
}

lock_target
configure
say "kernel $tree-$flavour"
mapfile -t profile < <(instrumented)
what=(all)
[ "$arch" = um ] || what=(Image modules)
quietly "$build/log/kernel-$tree-$flavour.log" kmake "$tree" "$flavour" "${profile[@]}" "${what[@]}"
# the installed modules follow the built ones
if [ ! "$inst/.stamp" -nt "$out/modules.order" ] ||
   [ -n "$(find "$out" -name '*.ko' -newer "$inst/.stamp" -print -quit)" ]; then
	quietly "$build/log/modules-$tree-$flavour.log" \
		kmake "$tree" "$flavour" INSTALL_MOD_PATH="$inst" modules_install
	touch "$inst/.stamp"
fi
