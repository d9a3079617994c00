#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Everything that a guest needs, built if it is not: packages, sources, kernel,
# model, user programs.
# usage: prepare.sh [--arch um|arm64] [--tree series|base] [--kernel KERNEL]

. "$(dirname "$0")/lib.sh"
parse_target "$@"

[ -z "${PREPARED:-}" ] || exit 0	# make test did it
if [ "$arch" = um ]; then "$top/scripts/deps.sh"; else "$top/scripts/deps.sh" guest-arm64; fi
if [ "$tree" = base ]; then "$top/scripts/tree.sh" --base; else "$top/scripts/tree.sh"; fi
target=(--arch "$arch" --tree "$tree" --kernel "$kernel")
"$top/scripts/build-kernel.sh" "${target[@]}"
"$top/scripts/build-model.sh" "${target[@]}"
[ "$arch" = um ] || "$top/scripts/fetch-root.sh" || exit
"$top/scripts/build-user.sh" --arch "$arch"
