#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Build the UML kernel of a tree: build/linux{,-base}/out-{plain,debug,gcov}/linux,
# modules installed in build/modules/<tree>-<kernel>.
# usage: build-kernel.sh [--tree series|base] [--kernel plain|debug|gcov]

. "$(dirname "$0")/lib.sh"
parse_target "$@"

src=$(tree_dir "$tree")
out=$src/out-$kernel
inst=$build/modules/$tree-$kernel
[ -f "$src/Makefile" ] || die "no kernel tree in ${src#"$top"/}: run 'make tree'"

# A kernel's own choice replaces the common one.
fragments()
{
	tac "$panthor"/configs/{"$kernel",uml}.config |
		awk -F '[= ]' '!/CONFIG_/ || !seen[$1 == "#" ? $2 : $1]++' | tac
}

# .config from the fragments, only when they or the tree's Kconfig changed it.
configure()
{
	local frag=$build/config/$tree-$kernel.config new=$build/config/$tree-$kernel.new

	mkdir -p "$build/config" "$out"
	fragments >"$frag"
	[ -f "$out/.config" ] && cp -p "$out/.config" "$new"
	quietly "$build/log/config-$tree-$kernel.log" \
		kmake "$tree" "$kernel" KCONFIG_ALLCONFIG="$frag" allnoconfig
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
say "kernel $tree-$kernel"
mapfile -t profile < <(instrumented)
quietly "$build/log/kernel-$tree-$kernel.log" kmake "$tree" "$kernel" "${profile[@]}" all
# the installed modules follow the built ones
if [ ! "$inst/.stamp" -nt "$out/modules.order" ] ||
   [ -n "$(find "$out" -name '*.ko' -newer "$inst/.stamp" -print -quit)" ]; then
	quietly "$build/log/modules-$tree-$kernel.log" \
		kmake "$tree" "$kernel" INSTALL_MOD_PATH="$inst" modules_install
	touch "$inst/.stamp"
fi
