#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Lines and branches that a series adds, and whether tests ran them.

usage: coverage.py TREE REASONS REPORT INFO...

TREE is the kernel with tag "base" and the series on top, INFO what lcov captured.
REASONS has a line "FILE: FUNCTION: TEXT" for the first line of each block that no
test runs, followed by lines with the reason, which are indented. Exit status 1: too
few lines are run, or a block has no reason, or the code that a reason is for is gone.
"""

import collections
import os
import re
import subprocess
import sys
import textwrap

TARGET = 90


def git(tree, *args):
    return subprocess.run(["git", "-C", tree, *args], check=True, text=True,
                          capture_output=True).stdout


def added_lines(tree):
    """{file: {line number: function}} of what the series adds to C files."""
    added, name, number = collections.defaultdict(dict), None, 0
    # with whole files as context, for the functions' names
    diff = git(tree, "diff", "-U100000", "--diff-filter=AM", "base", "HEAD", "--", "*.c",
               ":!*/tests/*")
    function = ""
    for line in diff.splitlines():
        if line.startswith("+++ "):
            name, function = line[6:], ""
        elif line.startswith("@@"):
            number = int(re.search(r"\+(\d+)", line).group(1))
        elif name and line[:1] in ("+", " "):
            text = line[1:]
            match = re.match(r"(?:[A-Za-z][\w \*]*[ \*])?([a-z_]\w+)\(", text)
            if match:
                function = match.group(1)
            if line[0] == "+":
                added[name][number] = function
            number += 1
        elif line.startswith("diff "):
            name = None
    return added


def read_info(tree, paths):
    """{file: {line: hits}}, {file: {(line, branch): hits or None}}, summed."""
    lines = collections.defaultdict(lambda: collections.defaultdict(int))
    branches = collections.defaultdict(dict)
    for path in paths:
        name = None
        for record in open(path):
            key, _, value = record.strip().partition(":")
            if key == "SF":
                name = os.path.relpath(os.path.realpath(value), os.path.realpath(tree))
            elif key == "DA":
                line, hits = value.split(",")[:2]
                lines[name][int(line)] += int(hits)
            elif key == "BRDA":
                line, block, branch, hits = value.split(",")
                where = (int(line), block, branch)
                hits = 0 if hits == "-" else int(hits)
                branches[name][where] = branches[name].get(where, 0) + hits
    return lines, branches


def blocks_of(added, hits):
    """First lines of runs of added lines that no test ran, code in between aside."""
    previous_missed = False
    for line in sorted(hits):
        if line not in added:
            previous_missed = False
            continue
        if hits[line] == 0 and not previous_missed:
            yield line
        previous_missed = hits[line] == 0


def read_reasons(path):
    reasons, key = collections.OrderedDict(), None
    for line in open(path):
        if not line.strip() or line.startswith("#"):
            continue
        if line[0].isspace():
            if key is None:
                sys.exit(f"{path}: a reason without a line before it: {line.strip()}")
            reasons[key].append(line.strip())
        else:
            key = line.strip()
            reasons.setdefault(key, [])
    for key, text in reasons.items():
        if not text:
            sys.exit(f"{path}: no reason for {key}")
    return {key: " ".join(text) for key, text in reasons.items()}


def percent(part, whole):
    return 100 * part / whole if whole else 100


def main():
    tree, reasons_path, report_path, *infos = sys.argv[1:]
    added = added_lines(tree)
    lines, branches = read_info(tree, infos)
    reasons = read_reasons(reasons_path)
    rows, missing, bad = [], [], []
    used, texts = set(), set()

    for name in sorted(added):
        hits = lines.get(name, {})
        count = [line for line in hits if line in added[name]]
        if not count:
            continue
        ran = [line for line in count if hits[line]]
        ways = [n for (line, _, _), n in branches.get(name, {}).items() if line in added[name]]
        rows.append((name, len(count), len(ran), len(ways), sum(1 for n in ways if n)))
        source = open(f"{tree}/{name}").read().split("\n")
        texts.update(f"{name.split('/')[-1]}: {function}: {source[line - 1].strip()}"
                     for line, function in added[name].items())
        for line in blocks_of(added[name], hits):
            key = f"{name.split('/')[-1]}: {added[name][line]}: {source[line - 1].strip()}"
            if key in reasons:
                used.add(key)
                missing.append((key, reasons[key]))
            else:
                bad.append(f"no test runs it, and there is no reason: {name}:{line}: {key}")
    # Some are run now and then: what matters is that there is such code.
    bad += [f"has a reason, but is not in the series: {key}" for key in reasons
            if key not in used and key not in texts]
    total = [sum(row[i] for row in rows) for i in range(1, 5)]
    rows.append(("all", *total))

    table = ["| file | lines | run | branches | taken |", "|---|---|---|---|---|"]
    for name, count, ran, ways, taken in rows:
        table.append(f"| {name.replace('drivers/gpu/drm/', '')} | {count} | {percent(ran, count):.1f} % "
                     f"| {ways} | {percent(taken, ways):.1f} % |")
    print("\n".join(table))
    for text in bad:
        print(text)
    if percent(total[1], total[0]) < TARGET:
        bad.append("too few")
        print(f"less than {TARGET} % of the lines are run")

    with open(report_path, "w") as report:
        report.write("# Coverage\n\n" + textwrap.dedent("""\
            Written by `make coverage`: of the lines that the series adds to the kernel (its tests apart), those
            that the unit tests and the selftests run, and the ways at branches that they take. Branches are the
            compiler's: a macro such as `drm_WARN_ON()` or a tracepoint has some that only a bug, or a tracer, takes.
            Only modules can count on UML: what the series adds to `mm/` is not in here.

            """) + "\n".join(table) + "\n\n## What no test runs, and why\n\n")
        for key, reason in missing:
            name, function, text = key.split(": ", 2)
            report.write(f"- {name}, `{function}()`: `{text}`  \n  {reason}\n")
    sys.exit(1 if bad else 0)


main()
