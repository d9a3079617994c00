#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make soak [SOAK=minutes]: stress (case 13), memory pressure (14) and random
# ioctls (19) at once in one guest, an hour if not told otherwise. What is left of
# them is checked afterwards. Shows the counters of the driver and of the kernel's
# reclaim. Ends with "N passed, N failed, N skipped".

. "$(dirname "$0")/lib.sh"
only_612
from_env debug
[ "$tree" = series ] || die "the unpatched kernel has nothing to evict: without BASE=1"
minutes=${SOAK:-60}
[[ $minutes =~ ^[1-9][0-9]*$ ]] || die "bad SOAK '$minutes': minutes, 1 or more"

"$top/scripts/prepare.sh" "${target[@]}"
log=$build/log/soak
[ "$arch" = um ] || log=$build/log/soak-$flavour
results_start
run_ktap "$log" "${guest[@]}" --name "${log##*/}" --mem 256M --swap 1G \
	--dtb "${DTB:-coherent}" --timeout $((3600 + 60 * minutes)) \
	-- env PAN_SEED="${PAN_SEED:-}" SOAK="$minutes" scripts/soak-guest.sh
grep -E '^# (PAN_SEED=|counter )|^# .*(steps|restores|worked)$' "$log.out" || true
results_end
