#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Does everything exist that tools/testing/panthor/PITFALLS.md names? Tests,
# mutants, and, where there is a kernel tree, functions. And the tests that
# mutants name? Prints what doesn't; status 1 then.

. "$(dirname "$0")/lib.sh"

ledger=$panthor/PITFALLS.md
# the tree is newer than the readable copies, if there is one
src=$top
[ ! -f "$build/linux/Makefile" ] || src=$build/linux

named() { grep -oP "\`\K$1(?=\`)" "$ledger" | sort -u; } # REGEX

cases=$(cat "$src"/drivers/gpu/drm/{,panthor/}tests/*_test.c |
	sed -n 's/.*KUNIT_CASE\(_PARAM\)\?(\([a-z0-9_]*\).*/\2/p')
problems=0
problem() { problems=1; echo "$*"; }

while read -r t; do
	grep -qxF "$t" <<<"$cases" || problem "no KUnit case $t"
done < <(named '[a-z0-9_]+_test_[a-z0-9_]+')
while read -r t; do
	grep -qs "^TEST_F[A-Z_]*(${t%.*}, ${t#*.}[,)]" "$panthor/tests/${t%.*}.c" || problem "no selftest $t"
done < <(named '[a-z0-9_]+\.[a-z0-9_]+' | grep -v '\.sh$')
while read -r t; do
	[ -f "$panthor/$t.patch" ] || problem "no mutant ${t#*/}"
done < <(named 'mutants/[a-z0-9-]+')
if [ "$src" != "$top" ]; then
	functions=$(named '[a-zA-Z0-9_]+\(\)' | tr -d '()')
	known=$(cd "$src" && grep -ohwF -f <(echo "$functions") -r drivers/gpu/drm/*.c drivers/gpu/drm/panthor \
		include/linux/mm.h include/drm | sort -u)
	while read -r t; do
		problem "no function $t()"
	done < <(comm -23 <(echo "$functions") <(echo "$known"))
fi

# What notices a mutant: Kunit: SUITE.TEST, Selftest: PROGRAM[.TEST or .VARIANT]
for m in "$panthor"/mutants/*.patch; do
	while read -r kind t; do
		if [ "$kind" = Kunit: ]; then
			grep -qxF "${t#*.}" <<<"$cases" && continue
		else
			grep -qsw -- "${t#*.}" "$panthor/tests/${t%%.*}.c" && continue
			[ "$t" = "${t%.*}" ] && [ -f "$panthor/tests/$t.c" ] && continue
		fi
		problem "no ${kind%:} $t, which ${m##*/} names"
	done < <(sed -n '/^--- /q; /^\(Kunit\|Selftest\|Smp\): /p' "$m")
done
[ $problems = 0 ] || die "${ledger#"$top"/}, or a mutant, names what doesn't exist"
echo "ledger: all tests exist"
