#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# bench-guest.sh PROGRAM [SPIN_US]
# In the guest: one benchmark, with swap on compressed RAM (the host's disk would
# be what is measured otherwise) and real-time tasks that are never throttled.

set -e
echo 2G >/sys/block/zram0/disksize
mkswap /dev/zram0 >/dev/null
swapon /dev/zram0
echo -1 >/proc/sys/kernel/sched_rt_runtime_us
modprobe -d "$PANTHOR_MODULES" batch
BENCH_SPIN_US=${2:-} exec "build/user/bench/$1"
