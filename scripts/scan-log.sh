#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Look for reports in kernel logs: scan-log.sh FILE... prints what it finds;
# status 1 if anything. Exceptions, each with its reason: scripts/allow.list.

. "$(dirname "$0")/lib.sh"

patterns=$(grep -v '^#' <<'END'
# WARN(), BUG(), oopses and panics
^\[[^]]*\] WARNING:
BUG:
Kernel panic
Oops
general protection fault
Kernel mode fault at addr
Segfault with no mm
# KASAN, UBSAN, page poisoning, object debugging, slab
KASAN:
UBSAN:
pagealloc: (memory corruption|single bit error)
page:.* dumped because
ODEBUG:
list_(add|del) corruption
refcount_t:
Object.* remaining .*on __kmem_cache_shutdown
# lockdep, RCU, scheduling
possible circular locking|possible recursive locking|possible irq lock inversion
inconsistent lock state|bad unlock balance|held lock freed
INFO: (task .* blocked|rcu|trying to register|lockdep is turned off)
rcu: INFO:
(soft|hard) lockup|workqueue lockup
sleeping function called
# DMA debugging
DMA-API: .*(device driver|mapping)
# leaks
unreferenced object 0x
kmemleak: [0-9]+ new suspected
Kernel memory leak detector disabled
# the model's checks on the driver
DRIVER BUG
END
)

# Number and text of each suspicious line, less what allow.list excuses.
suspicious() # FILE
{
	patterns=$patterns awk -v allow="$top/scripts/allow.list" '
		BEGIN {
			n = split(ENVIRON["patterns"], re, "\n")
			while ((getline line < allow) > 0) {
				if (line !~ /^[^#]/)
					continue
				sub(/[[:space:]]+#.*/, "", line)
				m = split(line, part, /[[:space:]]+with[[:space:]]+/)
				ok[++oks] = part[1]
				context[oks] = m > 1 ? part[2] : ""
			}
		}
		# Data races are counted where the series is; the rest of the kernel
		# has those it knows of.
		function others_race(l) {
			return text[l] ~ /BUG: KCSAN: / &&
				text[l] !~ /(panthor|drm_sched|drm_gpuvm|drm_gpuva|drm_gem|drm_exec)/
		}
		function excused(l,   i, k) {
			if (others_race(l))
				return 1
			for (i = 1; i <= oks; i++) {
				if (text[l] !~ ok[i])
					continue
				if (context[i] == "")
					return 1
				for (k = l + 1; k <= l + 80 && k <= NR; k++)
					if (text[k] ~ context[i])
						return 1
			}
			return 0
		}
		{ text[NR] = $0 }
		END {
			for (l = 1; l <= NR; l++)
				for (i = 1; i <= n; i++)
					if (text[l] ~ re[i]) {
						if (!excused(l)) print l ":" text[l]
						break
					}
		}' "$1"
}

found=0
for f in "$@"; do
	[ -s "$f" ] || continue
	hits=$(suspicious "$f")
	[ -n "$hits" ] || continue
	found=1
	say "reports in ${f#"$top"/}:"
	head -n 10 <<<"$hits" | cut -c1-160 | sed 's/^/   /'
	count=$(wc -l <<<"$hits")
	[ "$count" -le 10 ] || echo "   ... $count lines like these in all"
	first=$(head -n 1 <<<"$hits" | cut -d: -f1)
	# the guest's runners name the test in the log before they start it
	during=$(head -n "$first" "$f" | grep -a -o -E '# (selftest|igt|board): .*' | tail -n 1 || true)
	say "the first${during:+, during ${during#\# }}:"
	# without the words on the stack that are no return addresses
	tail -n +"$first" "$f" | grep -a -v '\] ? ' | head -n "${SCAN_LINES:-40}" || true
done
exit $found
