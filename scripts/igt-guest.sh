#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: run all panthor subtests of build/igt*, what patches/igt adds to them,
# and monitors; print KTAP.

if [ "$PANTHOR_ARCH" = arm64 ]; then
	root=$PWD/build/igt-arm64/root
	ld=$root/usr/lib/ld-linux-aarch64.so.1
	libs=$root/usr/lib/aarch64-linux-gnu
	added=none	# not built for arm64
else
	root=$PWD/build/igt/root
	ld=$root/usr/lib64/ld-linux-x86-64.so.2
	libs=$root/usr/lib/x86_64-linux-gnu
	added=build/igt-src/tests
fi
tests=$root/usr/libexec/igt-gpu-tools/panthor
shrink=$(compgen -G '/sys/kernel/debug/dri/[0-9]*/shrink' | head -n 1)

igt() { timeout -k 5 300 "$ld" --library-path "$libs" "$@" </dev/null 2>&1; } # TEST args...

# Programs that list nothing don't work: then, that's all there is to say.
list() # TEST...
{
	local t s subtests

	for t; do
		[ -x "$t" ] || continue
		subtests=$(igt "$t" --list-subtests) && [ -n "$subtests" ] || nothing "${t##*/}" "$subtests"
		for s in $subtests; do echo "$t $s"; done
	done
}

nothing() # NAME OUTPUT
{
	# shellcheck disable=SC2001
	printf '1..1\n%s\nnot ok 1 %s lists no subtests\n' "$(sed 's/^/# /' <<<"$2")" "$1" >&3
	exit 1
}

n=0
one() { # TEST SUBTEST REMARK
	local out status name=${1##*/}@$2$3

	n=$((n + 1))
	echo "# igt: $name" >/dev/kmsg
	out=$(igt "$1" --run-subtest "$2")
	status=$?
	case $status in
	0) echo "ok $n $name" ;;
	77) echo "ok $n $name # SKIP $(sed -n '/^Test requirement: / { N; s///; s/\n/: /; p; q }' <<<"$out")" ;;
	*) # shellcheck disable=SC2001
		sed 's/^/# /' <<<"$out"
		echo "not ok $n $name # exit status $status" ;;
	esac
}

run_gputop() { TERM=vt100 timeout -k 5 60 "$ld" --library-path "$libs" "$root/usr/bin/gputop" -n 2 -d 1 </dev/null; }

# It only lists processes on a terminal, of which this is one.
run_nvtop()
{
	local command="stty rows 40 cols 120; exec '$ld' --library-path '$libs' '$root/usr/bin/nvtop'"

	{ sleep 3; printf q; } | HOME=/tmp TERM=vt100 timeout -k 5 60 script -qec "$command" /dev/null
}

# What gputop goes by. 7.3 has it with ARM's timer only.
has_engine() { ! "${PANTHOR_USER:-build/user}/tests/fdinfo_engine" 2>&1 | grep -q 'has no drm-engine-panthor'; }

# A monitor lists who uses the GPU. Clients come and go, so it's given some time.
monitor() # NAME PATTERN
{
	local out client i

	n=$((n + 1))
	while :; do "${PANTHOR_USER:-build/user}/tests/job"; done >/dev/null 2>&1 &
	client=$!
	for i in {1..60}; do
		out=$("run_$1" 2>&1 | cat -v)
		! grep -qE "$2" <<<"$out" || break
	done
	kill $client
	if [ "$i" != 60 ]; then
		grep -oE "$2" <<<"$out" | sed 's/^/# /'
		echo "ok $n $1 lists clients"
	else
		# shellcheck disable=SC2001
		sed 's/^/# /' <<<"$out"
		echo "not ok $n $1 lists clients"
	fi
}

exec 3>&1
[ "$(echo "$tests"/panthor_*)" != "$tests/panthor_*" ] || nothing IGT "there is no $tests/panthor_*"
list "$tests"/panthor_* >/tmp/list
list $added/* >/tmp/added
plan=$(cat /tmp/list /tmp/added | wc -l)
[ -z "$shrink" ] || plan=$((plan + $(wc -l </tmp/list) + 2)) # again, and two monitors
echo "KTAP version 1"
echo "1..$plan"
while read -r t s; do one "$t" "$s" ''; done < <(cat /tmp/list /tmp/added)

# What was added looks at what its own writes to shrink have done.
if [ -n "$shrink" ]; then
	while echo 1000000 >"$shrink"; do :; done 2>/dev/null &
	writer=$!
	while read -r t s; do one "$t" "$s" ' beside shrink'; done </tmp/list
	kill $writer
	if has_engine; then
		# with a column for the engine
		monitor gputop '^ *[0-9]+ +[0-9]+.? +[0-9]+.? \|.*%.*\| job *$'
	else
		n=$((n + 1))
		echo "ok $n gputop lists clients # SKIP this driver has no drm-engine-panthor"
	fi
	# memory, and how much of the GPU's that is
	monitor nvtop '[0-9]+ +root +0 +Graphic .* [0-9]+MiB +[0-9]+% .*/tests/job'
fi
