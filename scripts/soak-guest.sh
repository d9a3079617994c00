#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest, for soak.sh: the long tests at once, the counters, and then a test
# which has the device for itself: nothing must be left of the others.

tests='stress pressure fuzz'
work=$(mktemp -d)
for t in $tests; do
	PAN_TOGETHER=1 TEST_LIMIT=$((1800 + 60 * SOAK)) scripts/tests-guest.sh "$t" >"$work/$t" &
done
wait
for t in $tests; do cat "$work/$t"; done
sed 's/^/# counter /' /sys/kernel/debug/dri/0/reclaim
grep -E '^(pswp|oom_kill|pgsteal_(kswapd|direct) |allocstall)' /proc/vmstat | sed 's/^/# counter /'
unset SOAK
scripts/tests-guest.sh evict_unused evict_counters
