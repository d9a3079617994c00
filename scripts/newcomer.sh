#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make newcomer SUITE=bookworm|trixie [T='verb...'] [BUSY=n]: do the README's
# commands work for somebody who has nothing but Debian, git and make? A bare
# system of that release in build/newcomer/SUITE, in it a clone of the work
# tree's HEAD, in that `make run`, twice, or what T names, one after the other: run,
# test, check, igt, bench (A of it), shell (a command in it), with n busy loops beside
# it. What it said: build/newcomer/SUITE-T.log.
#
# AT=dir puts the clone elsewhere than in /root, WHO=user runs the command as a
# user who has sudo. OBJECTS=1 takes along this clone's ccache, and keeps what it
# has then: what was compiled once isn't again, and the time says nothing.

. "$(dirname "$0")/lib.sh"
only_612
only_um
. "$top/scripts/apt-sources.sh"

suite=${SUITE:-} busy=${BUSY:-0} who=${WHO:-root}
case $suite in
bookworm|trixie) ;;
'') die "which Debian? SUITE=bookworm or SUITE=trixie" ;;
*) die "unknown SUITE '$suite': bookworm or trixie" ;;
esac
read -ra verbs <<<"${T:-run}"
for verb in "${verbs[@]}"; do
	case $verb in
	run|test|check|igt|bench|shell) ;;
	*) die "unknown T '$verb': run, test, check, igt, bench or shell" ;;
	esac
done
[[ $busy =~ ^[0-9]{1,3}$ ]] || die "bad BUSY '$busy': a number of busy loops"
case $who in root|user) ;; *) die "unknown WHO '$who': root or user" ;; esac
at=${AT:-$([ "$who" = root ] && echo /root/panthor || echo /home/newcomer/panthor)}
[[ $at =~ ^(/[A-Za-z0-9_.-]+)+$ ]] || die "bad AT '$at': an absolute path of plain characters"
[ "$(id -u)" = 0 ] || command -v sudo >/dev/null || die "needs root, to make a file system of its own (there is no sudo)"

dir=$build/newcomer
bare=$dir/$suite.tar
root=$dir/$suite
log=$dir/$suite-$(IFS=-; echo "${verbs[*]}").log

in_use()
{
	mkdir -p "$dir" "$build/ccache"
	exec 9>"$dir/$suite.lock"
	flock -n 9 || die "another one runs in build/newcomer/$suite"
}

# sources.list of the new system, from this machine's own.
sources()
{
	debian_sources | while read -r uri suffix; do
		echo "deb $uri $suite${suffix%-} main"
	done
}

# How to reach the archive is the machine's business, too.
apt_conf() { apt-config dump | grep -E '^Acquire::(https?|Check-[A-Za-z-]*|Retries)\b.* ".+";' || true; }

# What every new machine begins with, kept for the next time.
bootstrap()
{
	[ ! -f "$bare" ] || return 0
	[ -f "$keyring" ] || die "no $keyring: install debian-archive-keyring"
	sources >"$dir/sources.list"
	[ -s "$dir/sources.list" ] || die "no Debian archive in this machine's apt sources"
	apt_conf >"$dir/apt.conf"
	say "a bare Debian $suite"
	as_root env TMPDIR="$dir" mmdebstrap --format=tar --variant=minbase --include=git,make,ca-certificates \
		--aptopt="$dir/apt.conf" --keyring="$keyring" "$suite" "$bare.new" "$dir/sources.list" \
		>"$build/log/newcomer-$suite.log" 2>&1 ||
		die "mmdebstrap failed, see build/log/newcomer-$suite.log"
	as_root mv "$bare.new" "$bare"
}

unpack()
{
	# a system that was used takes minutes to remove: that's done beside the work
	[ ! -e "$root" ] || as_root mv "$root" "$root.gone.$$"
	as_root rm -rf "$root".gone.* >/dev/null 2>&1 9>&- &
	mkdir "$root"
	as_root tar -C "$root" --numeric-owner -xf "$bare"
	as_root cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
}

# Somebody may compile with it meanwhile: then tar's status is 1, and all is well.
copy_objects()
{
	{ tar -C "$build" --exclude=ccache/tmp -cf - ccache 2>/dev/null || [ $? = 1 ]; } |
		as_root tar -C "$root$at/build" -xpf -
}

# Cloned here, where git knows the repository's owner.
clone()
{
	rm -rf "$dir/$suite.clone"
	git clone -q --no-hardlinks "$top" "$dir/$suite.clone"
	as_root mkdir -p "$root$(dirname "$at")"
	as_root mv "$dir/$suite.clone" "$root$at"
	if [ -n "${OBJECTS:-}" ]; then
		as_root mkdir "$root$at/build"
		copy_objects
	fi
	as_root chown -R 0:0 "$root$at"
}

keep_objects()
{
	[ -n "${OBJECTS:-}" ] || return 0
	as_root rm -rf "$root$at/build/ccache/tmp"
	as_root cp -au "$root$at/build/ccache" "$build/"
	as_root chown -R --reference="$build" "$build/ccache"
}

# What is said from here on is kept, too.
start_log()
{
	exec 3>&1 4>&2
	exec > >(exec tee -i "$log") 2>&1
	tee=$!
}

tee='' inside_pid=''
stop()
{
	[ -z "$inside_pid" ] || as_root kill -KILL "$inside_pid" 2>/dev/null || true
	[ -n "$tee" ] || return 0
	exec 1>&3 2>&4
	wait "$tee" || true
}

# A command in the new system. Whatever way this script ends, so does
# everything in there: it is waited for by this shell itself, which can be
# interrupted then, and whose end the system notices.
inside() # command...
{
	local status=0
	local -a sudo=()

	[ "$(id -u)" = 0 ] || sudo=(sudo)
	"${sudo[@]}" setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child \
		"$top/scripts/newcomer-init.sh" "$root" "$busy" "$who" "$at" "$@" </dev/null 9>&- 3>&- 4>&- &
	inside_pid=$!
	wait "$inside_pid" || status=$?
	inside_pid=''
	return $status
}

# The command, as the README has it.
try_verb() # VERB [again]
{
	local begin=$SECONDS status=0 name="make $1${2:+ again}"
	local -a arguments=()

	case $1 in
	bench) arguments=(B=A) ;;
	shell) arguments=(CMD='grep ^MemTotal: /proc/meminfo') ;;
	esac
	say "Debian $suite, as $who, in $at: $name"
	inside make "$1" "${arguments[@]}" || status=$?
	took+="${took:+, }$name took $((SECONDS - begin)) s"
	keep_objects
	[ $status = 0 ] || failed_with $status "$name"
}

failed_with() # STATUS NAME
{
	echo "FAILED: Debian $suite: $2 ends with status $1: what it said is in ${log#"$top"/}. $took"
	exit 1
}

"$top/scripts/deps.sh" newcomer
in_use
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
bootstrap
unpack
clone
took=''
start_log
inside --prepare
for verb in "${verbs[@]}"; do
	try_verb "$verb"
	[ "$verb" != run ] || try_verb run again
done
echo "OK: Debian $suite, $(nproc) CPUs, $busy busy loops beside it: $took"
