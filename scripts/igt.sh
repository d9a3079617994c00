#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make igt: every subtest of IGT's panthor tests in the guest; a second time
# with a background writer of debugfs `shrink`, where the kernel has that file.
# Ends with "N passed, N failed, N skipped".

. "$(dirname "$0")/lib.sh"
from_env debug
log=$build/log/igt-$tree-$kernel
results_start

status=0
"$top/scripts/fetch-igt.sh" >"$build/log/igt-packages.txt" || status=$?
case $status in
0) ;;
3)
	echo "*** IGT SKIPPED: it could not be fetched, no IGT test was run ***"
	results_add "0 0 1"
	results_end ;;
*) exit 1 ;;
esac
say "IGT: package, version, sha256 (the rest: build/log/igt-packages.txt)"
grep '^igt-gpu-tools' "$build/log/igt-packages.txt"

"$top/scripts/prepare.sh" --tree "$tree" --kernel "$kernel"
run_ktap "$log" --tree "$tree" --kernel "$kernel" --name "igt-$tree-$kernel" --timeout 3600 -- scripts/igt-guest.sh
results_end
