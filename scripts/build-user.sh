#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Build the library, the selftests and the demo: build/user/{lib,tests,demo}.

. "$(dirname "$0")/lib.sh"

# Only headers are taken from the kernel tree; both trees have the same uAPI.
src=$(tree_dir series)
[ -f "$src/Makefile" ] || src=$(tree_dir base)
[ -f "$src/Makefile" ] || die "no kernel tree: run 'make tree'"

say "user programs"
quietly "$build/log/user.log" make -C "$panthor" O="$build/user" KSRC="$src" -j"$jobs"
