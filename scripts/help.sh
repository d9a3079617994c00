#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The list of verbs; with an argument: complain about it first, and fail.

if [ $# -gt 0 ]; then
	echo "make: there is no verb '$1'. The verbs are:" >&2
	exec >&2
fi
cat <<'END'
make run                 boot the patched kernel on the software GPU and watch
                         GPU memory go to swap and come back
make test                everything CI needs
make kunit               unit tests of the model and of the series
make selftest [T=globs]  tests through the uAPI, in the guest
make soak [SOAK=60]      stress, memory pressure and random ioctls together
make mutants [M=glob]    do the tests notice deliberate defects of the series?
make coverage            which lines of the series do the tests run?
make mainline [T=globs]  the selftests on Linux 7.3, and with the patches for it
make igt                 the panthor tests of Debian's IGT
make bench [B=letters]   measurements, against the unpatched kernel and others
make profile             where the time goes where targets of make bench are missed
make shell [CMD='...']   a shell, or a command, in the guest
make tree                build/linux: the base kernel and the series as commits
make export              patches/6.12 and the readable copies from build/linux
make status              is build/linux exported?
make check               is every patch fit to be sent?
make arm64               Debian packages of a kernel for RK3588 boards
make board               are they what they should be? Debian, Mesa and monitors
                         on an emulated board
make apply KDIR=dir      apply the series to another 6.12.y tree
make newcomer SUITE=bookworm|trixie [T='verb...'] [BUSY=n]
                         make run, or make test, in a bare Debian of its own

KERNEL=plain|debug|mglru which kernel (tests: debug; run, bench: plain; mglru: plain with
                         the multi-generational LRU)
ARCH=arm64 SMP=n         a guest with n CPUs (shell, selftest, kunit, igt, soak);
                         there, KERNEL=kcsan looks for data races, 16k and 64k
                         have pages of that size
LINUX=7.3                mainline's driver, not 6.12 (tree, export, status, apply,
                         check, run, shell, selftest, kunit, igt, bench)
BASE=1                   the unpatched kernel (shell, selftest, kunit, igt)
MEM=512M SWAP=1G         RAM and swap of the guest (shell, run)
DTB=noncoherent          a GPU that doesn't snoop CPU caches (shell, selftest)
KSRC=path                base kernel from a tarball or tree of Linux 6.12.y
SOAK=minutes             longer stress tests
CPU=n                    guests run on that CPU of this machine
PAN_SEED=n               repeats a selftest's random choices
ARM64=seconds            make test: no tests on several CPUs if it took longer, 0: none
END
[ $# -eq 0 ]
