#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Helper of scripts/profile.sh.

stamp: copies lines, with the time at which they came (CLOCK_MONOTONIC, as perf's).
report GUEST SAMPLES: time by function, for each of the guest's two activities.
"""

import bisect
import collections
import sys
import time

PAGES = 32768       # as in bench/profile.c
HZ = 2000           # of perf, in profile.sh
SHOWN = 30
HEAD = """# Where the time goes

Written by `make profile`: 4 KiB buffers of a VM are evicted and swapped out, as in
`make bench B=B`, and then as many files of one page, which have nothing to do with the
GPU. Self time by function, in ns for each page; samples of the guest's kernel taken by
perf on the host.
"""


def stamp():
    for line in sys.stdin:
        print(f"{time.monotonic():.6f} {line}", end="", flush=not line.startswith("symbol"))


def read_guest(path):
    """Symbols by address, and the intervals of each activity with their rates."""
    symbols, intervals, rates = [], collections.defaultdict(list), collections.defaultdict(list)
    begin = None
    for line in open(path, errors="replace"):
        word = line.split()
        if len(word) < 3:
            continue
        if word[1] == "symbol" and word[3] in "tTwW":
            symbols.append((int(word[2], 16), word[4], word[5] if len(word) > 5 else ""))
        elif word[1] == "begin":
            begin = float(word[0])
        elif word[1] == "end":
            intervals[word[2]].append((begin, float(word[0])))
            rates[word[2]].append(float(word[3]))
    symbols.sort()
    return symbols, intervals, rates


def activity_at(intervals, when):
    for name, spans in intervals.items():
        if any(begin <= when < end for begin, end in spans):
            return name
    return None


def report(guest, samples):
    symbols, intervals, rates = read_guest(guest)
    if not symbols or set(intervals) != {"buffers", "files"}:
        sys.exit("profile: the guest did not get through: see build/profile")
    addresses = [s[0] for s in symbols]
    counts = {name: collections.Counter() for name in intervals}
    for line in open(samples):
        when, address = line.split()[-2:]
        name = activity_at(intervals, float(when.rstrip(":")))
        if name:
            i = bisect.bisect(addresses, int(address, 16)) - 1
            known = i >= 0 and int(address, 16) < addresses[-1] + 65536
            counts[name][" ".join(symbols[i][1:]).strip() if known else "host"] += 1
    print(HEAD)
    ns = {}
    for name, counter in counts.items():
        pages = PAGES * .95 * len(intervals[name])
        ns[name] = {f: n * 1e9 / HZ / pages for f, n in counter.items()}
        rate = sorted(rates[name])[len(rates[name]) // 2]
        print(f"{name}: {sum(ns[name].values()):.0f} ns a page, {rate:.2f} Mpages/s (median), "
              f"{sum(counter.values())} samples  ")
    print("\n| function | buffers | files | difference |\n|---|---|---|---|")
    names = sorted(set(ns["buffers"]) | set(ns["files"]),
                   key=lambda f: ns["files"].get(f, 0) - ns["buffers"].get(f, 0))
    for f in names[:SHOWN]:
        b, o = ns["buffers"].get(f, 0), ns["files"].get(f, 0)
        print(f"| `{f}` | {b:.0f} | {o:.0f} | {b - o:+.0f} |")
    for title, of in (("the driver", lambda f: "[panthor]" in f or "[drm" in f or "drm_gem" in f),
                      ("everything else", lambda f: not ("[panthor]" in f or "[drm" in f or "drm_gem" in f))):
        b, o = (sum(v for f, v in ns[n].items() if of(f)) for n in ("buffers", "files"))
        print(f"| **all of {title}** | {b:.0f} | {o:.0f} | {b - o:+.0f} |")


{"stamp": stamp, "report": report}[sys.argv[1]](*sys.argv[2:])
