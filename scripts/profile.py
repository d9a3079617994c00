#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Helper of scripts/profile.sh.

stamp: copies lines, with the time at which they came (CLOCK_MONOTONIC, as perf's).
report DIR: time by function, for what the guests did (DIR/NAME/guest, DIR/NAME/samples).
"""

import bisect
import collections
import sys
import time

HZ = 2000           # of perf, in profile.sh
SHOWN = 30
HEAD = """# Where the time goes

Written by `make profile`. Self time by function, in ns; samples of the guest's kernel
taken by perf on the host. `host` is what UML itself and the programs take.
"""
SWAP = """
## Eviction and swap-out of small buffers

4 KiB buffers of a VM are evicted and swapped out, as in `make bench B=B`, and then as
many files of one page, which have nothing to do with the GPU. For each page:
"""
FAULT = """
## A CPU fault that brings a buffer its memory

mmap() of a new buffer of 4 KiB, and the first access, as in `make bench B=A`, with the
series and with the base kernel, which allocates in mmap(). Without UML's price of
system calls. For each buffer:
"""
LIFE = """
## The life of a buffer

A private buffer of 4 KiB is created, bound, unbound, and closed, as in
`make bench B=A`, with the series and with the base kernel. Without UML's price of
system calls. For each buffer:
"""
MAP = """
## Mapping a buffer

A private buffer of 64 KiB that has its memory is mapped, and unmapped, while the GPU is
suspended, as in `make bench B=A`, with the series and with the base kernel. Without
UML's price of system calls. For each mapping:
"""

Activity = collections.namedtuple("Activity", "ns samples value")


def stamp():
    for line in sys.stdin:
        print(f"{time.monotonic():.6f} {line}", end="", flush=not line.startswith("symbol"))


class Guest:
    """What a guest said: its symbols by address, and when it did what."""

    def __init__(self, path):
        self.symbols, self.spans = [], collections.defaultdict(list)
        self.units, self.values = collections.Counter(), collections.defaultdict(list)
        begin = None
        for line in open(path, errors="replace"):
            when, *word = line.split()
            if word[:1] == ["symbol"] and word[2] in "tTwW":
                self.symbols.append((int(word[1], 16), " ".join(word[3:])))
            elif word[:1] == ["begin"]:
                begin = float(when)
            elif word[:1] == ["end"]:
                self.spans[word[1]].append((begin, float(when)))
            elif word[:1] == ["did"]:
                self.units[word[1]] += int(word[2])
                self.values[word[1]].append(float(word[3]))
        self.symbols.sort()
        self.addresses = [s[0] for s in self.symbols]

    def activity_at(self, when):
        for name, spans in self.spans.items():
            i = bisect.bisect(spans, (when, float("inf"))) - 1
            if i >= 0 and when < spans[i][1]:
                return name
        return None

    def function_at(self, address):
        i = bisect.bisect(self.addresses, address) - 1
        return self.symbols[i][1] if i >= 0 and address < self.addresses[-1] + 65536 else "host"


def load(directory, *names):
    guest = Guest(f"{directory}/guest")
    if not guest.symbols or set(guest.spans) != set(names):
        sys.exit(f"profile: the guest did not get through: see {directory}")
    counts = {name: collections.Counter() for name in names}
    for line in open(f"{directory}/samples"):
        when, address = line.split()[-2:]
        name = guest.activity_at(float(when.rstrip(":")))
        if name:
            counts[name][guest.function_at(int(address, 16))] += 1
    return [Activity({f: n * 1e9 / HZ / guest.units[name] for f, n in counts[name].items()},
                     sum(counts[name].values()),
                     sorted(guest.values[name])[len(guest.values[name]) // 2]) for name in names]


def is_drm(function):
    return "[panthor]" in function or "[drm" in function or "drm_gem" in function


def section(head, titles, activities):
    print(head)
    for title, a in zip(titles, activities):
        print(f"{title}: {sum(a.ns.values()):.0f} ns ({a.value:.2f} µs by the guest's clock, median), "
              f"{a.samples} samples  ")
    left, right = (a.ns for a in activities)
    print(f"\n| function | {titles[0]} | {titles[1]} | difference |\n|---|---|---|---|")
    names = sorted(set(left) | set(right), key=lambda f: right.get(f, 0) - left.get(f, 0))
    for f in names[:SHOWN]:
        l, r = left.get(f, 0), right.get(f, 0)
        print(f"| `{f}` | {l:.0f} | {r:.0f} | {l - r:+.0f} |")
    for title, of in ("the driver and DRM", is_drm), ("everything else", lambda f: not is_drm(f)):
        l, r = (sum(v for f, v in side.items() if of(f)) for side in (left, right))
        print(f"| **all of {title}** | {l:.0f} | {r:.0f} | {l - r:+.0f} |")


def report(directory):
    print(HEAD.rstrip())
    section(SWAP, ("buffers", "files"), load(f"{directory}/swap", "buffers", "files"))
    series, base = (load(f"{directory}/calls-{tree}", "faults", "lives", "maps") for tree in ("series", "base"))
    for head, *activities in zip((FAULT, LIFE, MAP), series, base):
        section(head, ("series", "base"), activities)


{"stamp": stamp, "report": report}[sys.argv[1]](*sys.argv[2:])
