#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make shell: a shell in the guest; with CMD that command, whose status is ours.

. "$(dirname "$0")/lib.sh"
from_env

check_size "${MEM:-1G}" "${SWAP:-1G}"
opts=("${guest[@]}" --timeout 0 --name "shell-$$")
[ -z "${MEM:-}" ] || opts+=(--mem "$MEM")
[ -z "${SWAP:-}" ] || opts+=(--swap "$SWAP")
[ -z "${DTB:-}" ] || opts+=(--dtb "$DTB")
if [ -z "${CMD:-}" ]; then
	[ -t 0 ] && [ -t 1 ] || die "no terminal here: give CMD='...'"
fi
"$top/scripts/prepare.sh" "${target[@]}"
trap 'rm -rf "$build/run/shell-$$"' EXIT
status=0
if [ -n "${CMD:-}" ]; then
	"$top/scripts/guest.sh" "${opts[@]}" -- bash -c "$CMD" || status=$?
else
	"$top/scripts/guest.sh" "${opts[@]}" --no-leaks --tty -- bash -i || status=$?
fi
if [ $status -ge 124 ] && [ $status -le 126 ]; then
	cp "$build/run/shell-$$/dmesg" "$build/log/shell-dmesg"
	say "kernel log: build/log/shell-dmesg"
fi
exit $status
