#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Turn the samples of the benchmarks into a table, JSON, and data to plot.

usage: bench.py SAMPLES JSON DIRECTORY

Lines of SAMPLES: "TREE sample NAME UNIT VALUE", one for each round, and
"TREE series TIME RESIDENT EVICTED SWAP", for the plot of a run under pressure. What
else is there ("TREE spin US") is for those who measure.
"""
import json
import re
import sys
from statistics import median

# What is compared with what. The first pattern that matches the whole name
# counts: (name, name of what it is divided by or None, statistic, relation,
# target or None). "base:" names the same thing on the unpatched kernel.
# The best rounds are compared: whatever else the machine does makes one slower, and
# for longer than a round takes, so that medians compare what happened meanwhile.
RULES = [
    (r"A\..*", r"base:\g<0>", min, "<=", 1.02),
    (r"B\.swapout\.(\w+\.\w+)\.\w+", r"B.pageout.\1", max, ">=", 0.9),
    (r"B\.evict\.(private|shared)\.(\w+)\.awake", r"B.evict.\1.\2.suspended", min, "<=", 1.3),
    # what a file for each page costs, without the GPU
    (r"B\.reclaim\.file-for-each-page", r"B.reclaim.one-file", max, None, None),
    (r"C\.submit\.claimed\.(\w+)", r"C.submit.never-evicted.\1", min, "<=", 1.05),
    (r"C\.restore\.4K\.\w+", r"C.sendfile.4K", max, ">=", 0.6),
    (r"C\.restore\.(\w+)\.\w+", r"C.sendfile.\1", max, ">=", 0.9),
    (r"D\.(scan|count)\.(?!1000x1\.)\w+\.(\w+)", r"D.\1.1000x1.\2", min, "<=", 1.3),
    (r"E\.direct-reclaim\.(\d+)", r"E.direct-reclaim-alone.\1", min, "<=", 1.5),
    (r"E\.idle-behind\.\d+", None, median, "<=", 20),
    (r"E\.(idle-behind|second-reclaimer)-gets\.\d+", None, min, ">=", 1),
    (r"E\.(submit|bind)-delay\.\d+", None, median, "<=", 1),
    # 10 ms, and the tick of 10 ms in which it begins
    (r"E\.kswapd-wait\.\d+", None, median, "<=", 21),
    (r"F\.evict\.\w+\.\d+\.suspended", None, max, "<=", 0),
    (r"F\.(evict|restore)\.\w+\.\d+\.awake", None, max, "<=", 1),
    # the clock of PSI has a resolution of 10 ms here
    (r"G\.psi", None, median, ">=", 0.5),
    # one buffer more doesn't count
    (r"[HI]\.(evicted|written)\.zram\..*", None, median, "<=", 1.1),
    (r"[HI]\.(evicted|written)\.disk\..*", None, median, "<=", 1.5),
    (r"[HI]\.answered\..*", None, min, ">=", 1),
    (r"H\.freed\..*", None, median, ">=", 0.9),
    (r"H\.kswapd\..*", None, median, "<=", 1.5),
    (r"I\.elsewhere\..*", None, max, "<=", 0),
    (r"I\.high\..*", None, median, "<=", 1000),
    (r"I\.high-above\..*", None, max, "<=", 0),
    (r"I\.max\.time\..*", None, median, "<=", 2),
    (r"I\.max\.events\..*", None, median, "<=", 500),
    (r"J\.read\.gpu\.0\..*", None, max, "<=", 0),
    (r"J\.read\.gpu-more\.(60|200)\..*", None, median, "<=", 8),
    (r"J\.client\..*", None, max, "<=", 0),
    (r"J\.pressure\.ratio\..*", None, median, "<=", 1.5),
    (r"M\..*", r"base:\g<0>", median, None, None),
    (r".*", None, median, None, None),
]

TITLES = {
    "A": "What those pay who don't need reclaim (ratio: patched / unpatched)",
    "B": "Eviction alone (ratio: awake / suspended), with swap-out (ratio: against MADV_PAGEOUT of shmem)",
    "C": "Restore from swap at submission (ratio: against an in-kernel read of shmem), and submission after mem_claim",
    "D": "A scan for 100 pages, and a count, buffers x VMs (ratio: against the smallest)",
    "E": "Beside a busy VM with 10, 100, 1000 buffers",
    "F": "Sequences of MMU commands, by batch of a VM",
    "G": "Share of a restoring submission that PSI counts as a memory stall",
    "H": "Evicted and written when so much is asked for, by swap device, size of buffers, MiB asked for",
    "I": "The same in a memory cgroup; memory.high 64 MiB below usage; memory.max two thirds of what is needed",
    "J": "What GPU memory loses while files are read, by swappiness, or others need memory; and anonymous memory",
    "M": "Memory that the driver needs for itself (ratio: patched / unpatched)",
    "P": "A run under pressure, for the plot",
}


def read_samples(path):
    """Values by name, units by name, and the series."""
    values, units, series = {}, {}, []
    for line in open(path):
        tree, what, *rest = line.split()
        if what == "series":
            series.append(rest)
            continue
        if what != "sample":
            continue
        name, unit, value = rest
        if tree == "base":
            name = "base:" + name
        values.setdefault(name, []).append(float(value))
        units[name] = unit
    return values, units, series


def is_met(figure, relation, target):
    return figure <= target if relation == "<=" else figure >= target


def make_row(name, values, units):
    pattern, reference, statistic, relation, target = next(
        rule for rule in RULES if re.fullmatch(rule[0], name))
    own = values[name]
    figure = statistic(own)
    row = {"name": name, "value": median(own), "unit": units[name], "ratio": None, "target": None,
           "met": None, "min": min(own), "max": max(own), "rounds": len(own)}
    if reference:
        other = values.get(re.sub(pattern, reference, name))
        if not other or not statistic(other):
            return row
        figure = row["ratio"] = figure / statistic(other)
    if target is not None:
        row["target"] = f"{relation} {target}"
        row["met"] = is_met(figure, relation, target)
    return row


def make_rows(values, units):
    rows = []
    for name in sorted(values, key=lambda name: (name.removeprefix("base:")[0], natural(name))):
        if name.startswith("base:"):
            continue
        rows.append(make_row(name, values, units))
        if "base:" + name in values:
            row = make_row("base:" + name, values, units)
            row["name"] = name + " (unpatched)"
            rows.append(row)
    return rows


UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20}


def natural(name):
    """A key that sorts sizes and numbers by value."""
    return [(int(match[1]) * UNITS[match[2]], part)
            if (match := re.match(r"(\d+)([KM]?)", part)) else (0, part)
            for part in re.split(r"[.]", name)]


def number(value):
    return "" if value is None else f"{value:.4g}" if abs(value) < 10000 else f"{value:.0f}"


def print_table(rows):
    letter = None
    for row in rows:
        if row["name"][0] != letter:
            letter = row["name"][0]
            print(f"\n{letter}. {TITLES[letter]}")
            print(f"   {'':38}{'':16}{'median':>9}{'min':>9}{'max':>9}{'ratio':>8}  target")
        verdict = {True: "met", False: "MISSED", None: ""}[row["met"]]
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        print(f"   {row['name'][2:]:38}{row['unit']:16}{number(row['value']):>9}"
              f"{number(row['min']):>9}{number(row['max']):>9}{ratio:>8}  "
              f"{row['target'] or '':8}{verdict}".rstrip())
    judged = [row for row in rows if row["met"] is not None]
    print(f"\n{sum(row['met'] for row in judged)} of {len(judged)} targets met")


def write_data(path, lines):
    if lines:
        with open(path, "w") as out:
            out.write("\n".join(" ".join(map(str, line)) for line in lines) + "\n")


def write_plots(rows, series, directory):
    value = {row["name"]: row["value"] for row in rows}
    kib = {"4K": 4, "64K": 64, "1M": 1024, "16M": 16384}
    evict = [[kib[size]] + [value.get(f"B.{what}.{size}{power}", "nan") for what, power in
                            (("swapout.private", ".awake"), ("swapout.private", ".suspended"),
                             ("swapout.shared", ".awake"), ("swapout.mmapped", ".awake"),
                             ("pageout.private", ""))]
             for size in kib if f"B.swapout.private.{size}.awake" in value]
    write_data(f"{directory}/evict.dat", evict)
    scan = [[int(match[1]), int(match[2]), row["value"], row["min"], row["max"]]
            for row in rows
            if (match := re.fullmatch(r"D\.scan\.(\d+)x(\d+)\.suspended", row["name"]))]
    write_data(f"{directory}/scan.dat", sorted(scan))
    write_data(f"{directory}/pressure.dat", series)


def main(samples, result, directory):
    values, units, series = read_samples(samples)
    rows = make_rows(values, units)
    print_table(rows)
    with open(result, "w") as out:
        json.dump(rows, out, indent=1)
        out.write("\n")
    write_plots(rows, series, directory)


main(*sys.argv[1:])
