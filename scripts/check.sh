#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make check: is every patch fit to be sent? In the order of the file series, on the
# base: it applies (git am: no fuzz), builds without a new warning (W=1), nothing is
# used that isn't exported, checkpatch --strict, sparse and kernel-doc are content.
# After the last patch also: the oldest and the newest release of this kernel that apt
# knows, clang, arm64, odd configurations, the documents. LINUX=7.3: patches/7.3.
#
# A finding that the base has, too, is not new. Others that are meant to be:
# scripts/check-allow.list, check-allow-7.3.list. What passed is remembered until
# something changes that it depends on. Ends with "N passed, N failed, N skipped".

. "$(dirname "$0")/lib.sh"
. "$top/scripts/series.sh"

dir=$build/check$suffix
src=$dir/linux
logs=$build/log/check$suffix
allow=$top/scripts/check-allow$suffix.list
drm=drivers/gpu/drm
fragments=("$panthor"/configs/{guest,uml,plain,check}.config)
[ ! -f "$panthor/configs/linux-$linux.config" ] || fragments+=("$panthor/configs/linux-$linux.config")
number=0
# given always, or everything is compiled again; kernel-doc is run by itself, for headers, too
w1=(W=1 cmd_checkdoc=)
# 7.3 only runs a sparse that knows this keyword, which 0.6.4 does not
sparse=(C=2 CF=-D__typeof_unqual__=__typeof__)

# make in a directory of the checkout; um unless ARCH= follows
cmake() # OUT args...
{
	local out=$1

	shift
	make -C "$src" O="$out" ARCH=um CC="$(ccache_cc)" LOCALVERSION= --no-print-directory -j"$jobs" "$@"
}

# With clang, UML's own headers warn: so for the architecture that counts.
arm64_make() # gcc|clang args...
{
	local cc=aarch64-linux-gnu-gcc out=out-arm64-$1

	[ "$1" = gcc ] || cc=clang
	shift
	cmake "$out" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- CC="$(ccache_cc | sed "s/gcc\$/$cc/")" "$@"
}

# .config from the fragments and further lines, which must hold in the end.
configure() # MAKE OUT [LINE...]
{
	local make=$1 out=$src/$2

	shift 2
	mkdir -p "$out"
	cat "${fragments[@]}" >"$out/fragment"
	printf '%s\n' "$@" | tee "$out/lines" >>"$out/fragment"
	$make KCONFIG_ALLCONFIG="$out/fragment" allnoconfig &&
		$make "${w1[@]}" modules_prepare &&
		check_config "$out/lines" "$out/.config"
}

arm64_make_gcc() { arm64_make gcc "$@"; }
arm64_make_clang() { arm64_make clang "$@"; }
um_make() { cmake out-um "$@"; }
odd_make() { cmake out-odd "$@"; }

# --- findings ---

# Warnings and errors of compilers, sparse and kernel-doc, without numbers of lines, and
# without what kernel-doc guesses that somebody meant.
findings() # LOG
{
	sed -nE "/warning: override: reassigning to symbol/d
		s/ \(did you mean .*\)\$//
		s#^($src/|(\.\./)+|\./)?([^ :]+):[0-9:]*:? *((fatal )?error|warning|Warning|WARNING|ERROR|CRITICAL|SEVERE): #\3: \4: #p
		s#^(Warning|Error): (\./)?([^ :]+):[0-9]+ #\3: \1: #p
		s#^($patches/[^:]*|([^ :]*)):([0-9]+): (WARNING|ERROR|CHECK):#\2:\3: \4: #p; /^make.*\*\*\* /p; /^(ld|nm|ERROR|check): /p" "$1" | sort -u
}

# What the allow-list doesn't know; entries that match are noted as used.
disallowed() # KIND <findings
{
	local line rest kind regex

	while IFS= read -r line; do
		while IFS= read -r rest; do
			rest=${rest%%  #*}
			kind=${rest%% *} regex=${rest#* }
			[ "$kind" = "$1" ] && [[ $line =~ $regex ]] || continue
			echo "$rest" >>"$dir/used"
			continue 2
		done < <(grep -v -e '^#' -e '^$' "$allow")
		printf '%s\n' "$1: $line"
	done
}

# Findings in a log that the base doesn't have.
report() # KIND LOG
{
	touch "$dir/base.$1"
	findings "$2" | comm -23 - "$dir/base.$1" | disallowed "$1" >>"$problems"
}

# Run, log, report. A command that fails without saying why is a finding, too.
checked() # KIND LOG cmd...
{
	local kind=$1 log=$2 status

	shift 2
	# no condition, in which a function would go on after an error
	set +e
	(set -e; "$@") >"$log" 2>&1
	status=$?
	set -e
	report "$kind" "$log"
	[ $status = 0 ] || grep -q "^$kind: " "$problems" || echo "$kind: exit status $status, see ${log#"$top"/}" >>"$problems"
}

verdict() # NAME
{
	local n

	number=$((number + 1))
	n=$(wc -l <"$problems")
	if [ "$n" = 0 ]; then
		echo "ok $number $1"
		passed=$((passed + 1))
		touch "$dir/passed/$key"
		cp "$dir/used" "$dir/passed/$key"
		return
	fi
	echo "not ok $number $1"
	failed=$((failed + 1))
	head -n 10 "$problems" | sed 's/^/#   /'
	[ "$n" -le 10 ] || echo "#   and $((n - 10)) more"
	echo "#   logs: ${log#"$top"/}"
}

# Is it known to pass? Else make place for findings. The key is what it depends on.
begin() # NAME KEY...
{
	log=$logs/$1
	problems=$log/problems
	key=$(printf '%s\n' "$tools" "$@" | sha256sum | cut -c1-32)
	mkdir -p "$log"
	: >"$problems"
	: >"$dir/used"
	[ -e "$dir/passed/$key" ] || return 0
	cp "$dir/passed/$key" "$dir/used"
	return 1
}

finish() # NAME
{
	verdict "$1"
	cat "$dir/used" >>"$dir/used-all"
}

# --- one patch ---

# Objects that were compiled, of those files that sparse looked at on the base.
compiled() # LOG
{
	sed -nE 's/^  CC (\[M\])? *//p' "$1" | grep -E "^$drm/panthor/|$(touched_objects | paste -sd'|')" || true
}

# Objects of all .c files that the series touches outside of panthor's directory.
touched_objects()
{
	sed -nE 's#^\+\+\+ b/(.*)\.c$#\1.o#p' "${queue[@]/#/$patches/}" | grep -v "^$drm/panthor/" | sort -u
}

# What the driver takes from the DRM core must be there, and exported.
exports()
{
	find "$src/out-um/$drm" -path "$src/out-um/$drm/panthor" -prune -o -name '*.o' -print0 | xargs -0 nm 2>/dev/null |
		sed -n 's/.* __export_symbol_//p' | sort -u >"$dir/exported"
	nm -u "$src/out-um/$drm/panthor/panthor.o" | awk '$2 ~ /^_*(drm|panthor)_/ { print $2 }' | sort -u |
		comm -23 - "$dir/exported" | sed 's/^/ERROR: panthor uses what is not there or not exported: /'
}

sparse_objects() # OBJECT...
{
	[ $# = 0 ] || um_make -k "${w1[@]}" "${sparse[@]}" "$@"
}

kernel_doc() # FILE...
{
	[ $# = 0 ] || (cd "$src" && scripts/kernel-doc -none "$@" || true)
}

# DRM, and what the series touches outside of it, as far as it's there by now.
build_touched()
{
	local object
	local -a others=()

	while read -r object; do
		[ ! -f "$src/${object%.o}.c" ] || others+=("$object")
	done < <(touched_objects | grep -v "^$drm/")
	um_make -k "${w1[@]}" $drm/ "${others[@]}"
}

patch_files() { sed -nE 's#^\+\+\+ b/(.*\.[ch])$#\1#p' "$1"; }

check_patch() # FILE
{
	local f=$patches/$1 objects files

	checked checkpatch "$log/checkpatch" checkpatch "$f"
	checked build "$log/build" build_touched
	checked build "$log/exports" exports
	mapfile -t objects < <(compiled "$log/build")
	checked sparse "$log/sparse" sparse_objects "${objects[@]}"
	mapfile -t files < <(patch_files "$f")
	checked kernel-doc "$log/kernel-doc" kernel_doc "${files[@]}"
}

checkpatch() { (cd "$src" && scripts/checkpatch.pl --strict --terse --show-types --showfile -q "$1" || true); }

apply()
{
	git -C "$src" am -q --committer-date-is-author-date --whitespace=error-all "$patches/$1" >"$log/apply" 2>&1 && return
	git -C "$src" am --abort 2>/dev/null || true
	{ grep -E '^(error|fatal|warning):|trailing|blank line' "$log/apply" || cat "$log/apply"; } | sed 's/^/apply: /' >>"$problems"
	finish "$1"
	false
}

# --- the base ---

# A scratch checkout at the base. Files that are as they were keep their dates.
checkout()
{
	local base

	base=$(kgit rev-parse 'base^{commit}')
	[ -f "$src/Makefile" ] || { rm -rf "$src"; kgit worktree prune; kgit worktree add -q --detach "$src" base; }
	git -C "$src" am --abort 2>/dev/null || true
	git -C "$src" reset -q --hard
	git -C "$src" clean -q -f -d
	git -C "$src" checkout -q --detach "$base"
}

# What the base has to complain about, in the files that the series touches.
survey()
{
	local objects files

	mapfile -t files < <(patch_files <(cat "${queue[@]/#/$patches/}") | sort -u |
		while read -r f; do [ ! -f "$src/$f" ] || echo "$f"; done)
	mapfile -t objects < <(printf '%s\n' "${files[@]}" | sed -n 's/\.c$/.o/p')
	build_touched >"$log/build" 2>&1
	um_make -k "${w1[@]}" "${sparse[@]}" "${objects[@]}" >"$log/sparse" 2>&1
	! grep -q 'sparse is not available' "$log/sparse" || die "this kernel won't run this machine's sparse, see ${log#"$top"/}/sparse"
	kernel_doc "${files[@]}" >"$log/kernel-doc" 2>&1
	for k in build sparse kernel-doc; do findings "$log/$k" >"$dir/base.$k"; done
}


# --- after the last patch ---

check_arm64() # gcc|clang
{
	local make=arm64_make_$1

	configure "$make" "out-arm64-$1" CONFIG_ARCH_ROCKCHIP=y CONFIG_DRM_PANTHOR=m CONFIG_DRM_PANTHOR_KUNIT_TEST=m
	"$make" -k "${w1[@]}" KCFLAGS=-Werror "$drm/panthor/" "${outside[@]}"
}

# The driver alone, where something that it uses is left out or put differently.
check_config_with() # LINE...
{
	configure odd_make out-odd "$@"
	# what another configuration has left there
	rm -rf "${src:?}/out-odd/$drm/panthor"
	odd_make -k "${w1[@]}" KCFLAGS=-Werror "$drm/panthor/"
	undefined out-odd
}

# Functions of the driver that are called and nowhere there.
undefined() # OUT
{
	find "$src/$1/$drm/panthor" -name '*.o' ! -name panthor.o ! -name '*.mod.o' -print0 | xargs -0 nm |
		awk '$1 == "U" && $2 ~ /^panthor_/ { used[$2] }
		     NF == 3 && $2 != "U" { have[$3] }
		     END { for (s in used) if (!(s in have)) { print "ERROR: undefined: " s; bad = 1 } exit bad }'
}

# Warnings about what the series touches; the documents of other drivers have theirs.
check_htmldocs()
{
	local touched out=$dir/htmldocs

	touched=$(sed -nE 's#^\+\+\+ b/(.*)$#\1#p' "${queue[@]/#/$patches/}" | sort -u)
	cmake out-docs htmldocs SPHINXDIRS=gpu >"$out" 2>&1 || { tail -n 5 "$out"; return 1; }
	# said of a document, for lines of the source that it includes
	{ grep -F "$touched" "$out" || true; } | sed -nE "s#^($src/[^ ]* )?##; s#^(\.\./)+##; s#:[0-9]+: #: #; /WARNING|ERROR|SEVERE|CRITICAL|warning|error/s/^/ERROR: /p"
}

# A Perl script, which 7.3 has in Python
get_abi() # validate|rest DIR
{
	cd "$src"
	if [ ! -e scripts/get_abi.pl ]; then tools/docs/get_abi.py --dir "$2" "$1"
	elif [ "$1" = rest ]; then scripts/get_abi.pl rest --dir "$2" --rst-source
	else scripts/get_abi.pl "$1" --dir "$2"
	fi
}

# The documents of the ABI: what they say must be unique, and proper RST.
check_abi()
{
	local f abi=$dir/abi valid=$dir/abi-validate

	(get_abi validate Documentation/ABI) >"$valid" 2>&1 || true
	rm -rf "$abi"
	mkdir -p "$abi/testing"
	sed -nE 's#^\+\+\+ b/(Documentation/ABI/.*)$#\1#p' "${queue[@]/#/$patches/}" | sort -u | while read -r f; do
		grep -F "$f" "$valid" || true
		cp "$src/$f" "$abi/testing/"
	done
	(get_abi rest "$abi") | python3 -c '
import sys, docutils.core, docutils.nodes
from docutils.parsers.rst import roles
for role in "ref", "doc":	# those of Sphinx
    roles.register_generic_role(role, docutils.nodes.literal)
docutils.core.publish_string(sys.stdin.read(), source_path="Documentation/ABI", writer_name="null")' 2>&1
}

# Somebody looks after each new file.
check_maintainers()
{
	local f

	sed -n '/^--- \/dev\/null/{n; s#^+++ b/##p}' "${queue[@]/#/$patches/}" | sort -u | while read -r f; do
		(cd "$src" && scripts/get_maintainer.pl --no-git --no-git-fallback --no-l --no-tree -f "$f") | grep -q . ||
			echo "ERROR: nobody in MAINTAINERS for $f"
	done
}

# Of those versions of the base's package that apt knows, the oldest that the series is
# for, and the newest.
versions()
{
	local v

	apt-cache madison "linux-source-$linux" 2>/dev/null | awk '{ print $3 }' | sort -uV | while read -r v; do
		[ "$(sed 's/^[0-9]*\.[0-9]*\.//; s/[^0-9].*//' <<<"$v")" -lt "$oldest" ] || echo "$v"
	done | sed -n '1p; $p' | uniq
}

check_version() # VERSION
{
	local src=$dir/version/linux

	rm -rf "$dir/version"
	mkdir -p "$src"
	(cd "$dir/version" && apt-get -q -o APT::Sandbox::User=root download "linux-source-$linux=$1")
	dpkg-deb -x "$dir/version"/*.deb "$dir/version/package"
	tar -xf "$dir"/version/package/usr/src/linux-source-*.tar.* -C "$src" --strip-components=1
	KDIR=$src "$top/scripts/apply.sh"
	configure um_make out-um CONFIG_DRM_PANTHOR=m CONFIG_DRM_PANTHOR_KUNIT_TEST=m
	um_make -k KCFLAGS=-Werror "$drm/panthor/" "${outside[@]}"
	rm -rf "$dir/version"
}

last() # KIND NAME cmd...
{
	local kind=$1 name=$2

	shift 2
	! begin "$name" "$applied" "$@" || checked "$kind" "$log/log" "$@"
	finish "$name"
}

# Kernels say which compilers are too old for them.
check_clang()
{
	if "$src/scripts/cc-version.sh" clang >/dev/null 2>&1; then
		last clang arm64-clang check_arm64 clang
		return
	fi
	number=$((number + 1)) skipped=$((skipped + 1))
	echo "ok $number arm64-clang # SKIP this kernel wants a newer clang than $(clang -dumpversion)"
}

last_checks()
{
	local v

	mapfile -t outside < <(touched_objects)
	for v in $(versions); do
		last version "$v" check_version "$v"
	done
	last arm64 arm64 check_arm64 gcc
	check_clang
	last config DEBUG_FS=n check_config_with '# CONFIG_DEBUG_FS is not set'
	last config SWAP=n check_config_with '# CONFIG_SWAP is not set'
	last config PSI=n check_config_with '# CONFIG_PSI is not set'
	last config PM=n check_config_with '# CONFIG_PM is not set' '# CONFIG_SUSPEND is not set'
	last config PROC_FS=n check_config_with '# CONFIG_PROC_FS is not set'
	last config tracepoints=n check_config_with '# CONFIG_FTRACE is not set' '# CONFIG_TRACEPOINTS is not set'
	last config built-in check_config_with CONFIG_DRM=y CONFIG_DRM_PANTHOR=y CONFIG_KUNIT=y CONFIG_DRM_PANTHOR_KUNIT_TEST=y
	last config lockdep check_config_with CONFIG_PROVE_LOCKING=y CONFIG_DEBUG_WW_MUTEX_SLOWPATH=y
	last htmldocs htmldocs check_htmldocs
	last htmldocs ABI check_abi
	last maintainers MAINTAINERS check_maintainers
}

unused_exceptions()
{
	local line

	grep -v -e '^#' -e '^$' "$allow" | while IFS= read -r line; do
		grep -qxF -- "${line%%  #*}" "$dir/used-all" ||
			echo "# not needed any more: $line (${allow#"$top"/})"
	done
}

"$top/scripts/deps.sh" check
"$top/scripts/base.sh"
need_tree
mkdir -p "$dir/passed" "$logs"
exec 8>"$logs/lock"
flock 8
mapfile -t queue < <(queue)
[ ${#queue[@]} -gt 0 ] || die "$patches_name/series is empty: nothing to check"
for p in "${queue[@]}"; do
	[ -f "$patches/$p" ] || die "$patches_name/series names $p, which is missing"
done
tools=$(cat "$0" "$allow" "${fragments[@]}" <(gcc --version) <(kgit rev-parse 'base^{commit}') | sha256sum)
results_start
: >"$dir/used-all"
committer "$top"
checkout
if begin base "$(touched_objects)"; then
	say "building the base"
	rm -rf "$src/out-um"	# all warnings are wanted
	configure um_make out-um >"$log/configure" 2>&1 || die "configuring failed, see ${log#"$top"/}/configure"
	survey
	touch "$dir/passed/$key"
fi

applied=
for p in "${queue[@]}"; do
	applied=$(printf '%s\n' "$applied" | cat - "$patches/$p" | sha256sum)
	fresh=true
	begin "${p%.patch}" "$applied" || fresh=false
	apply "$p" || { applied=; break; }
	! $fresh || check_patch "$p"
	finish "$p"
done
if [ -n "$applied" ]; then
	last_checks
	unused_exceptions
fi
results_end
