#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make run: the story, in a guest with little RAM.

. "$(dirname "$0")/lib.sh"
only_um
from_env plain
[ "$tree" = series ] || die "the story needs the series: without BASE=1"

check_size "${MEM:-1G}" "${SWAP:-1G}"
"$top/scripts/prepare.sh" --tree "$tree" --kernel "$kernel"
[ -x "$build/user/demo/run" ] || die "there is no demo: tools/testing/panthor/demo/run.c"
status=0
"$top/scripts/guest.sh" --tree "$tree" --kernel "$kernel" --mem "${MEM:-256M}" --swap "${SWAP:-1G}" \
	--name "run$suffix" --timeout 1800 -- build/user/demo/run || status=$?
case $status in
0) ;;
124) echo "FAILED: the guest took too long" ;;
125) echo "FAILED: the guest crashed" ;;
126) echo "FAILED: the kernel complained, see above" ;;
esac
[ $status = 0 ] || exit 1
