#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make test's part on several CPUs: some selftests on arm64, plain kernel, each of
# which is about things that happen at once. Skipped, loudly, where what it takes
# isn't to be had. Ends with "N passed, N failed, N skipped".

. "$(dirname "$0")/lib.sh"
unset PREPARED BASE CPU
arch=arm64

tests='evict_active evict_bind evict_gpu evict_huge evict_mmap evict_order evict_shared evict_tlb
faults job lost_irq mem_reclaim mem_request queues reset scheduling share_vm tlb vm_bind_async'

without() # WHAT
{
	results_start
	echo "*** NO TESTS ON SEVERAL CPUS: $1 ***"
	results_add "0 0 1"
	results_end
}

"$top/scripts/deps.sh" guest-arm64 || without "packages are missing, see above"
status=0
"$top/scripts/fetch-root.sh" || status=$?
case $status in
0) ;;
3) without "the archive has no programs for arm64, see above" ;;
*) exit 1 ;;
esac
T=${tests//$'\n'/ } ARCH=arm64 SMP=2 KERNEL=plain exec "$top/scripts/selftest.sh"
