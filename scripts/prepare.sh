#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Everything that a guest needs, built if it is not: packages, sources, kernel,
# model, user programs.
# usage: prepare.sh [--tree series|base] [--kernel plain|debug]

. "$(dirname "$0")/lib.sh"
parse_target "$@"

[ -z "${PREPARED:-}" ] || exit 0	# make test did it
"$top/scripts/deps.sh"
if [ "$tree" = base ]; then "$top/scripts/tree.sh" --base; else "$top/scripts/tree.sh"; fi
"$top/scripts/build-kernel.sh" --tree "$tree" --kernel "$kernel"
"$top/scripts/build-model.sh" --tree "$tree" --kernel "$kernel"
"$top/scripts/build-user.sh"
