# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
# The UML guest, for guest.sh: a process that sees this machine's files.

machine_kernel=("$out/linux")
machine_files=("$build/dtb/$dtb.dtb")

# Where the guest finds a file of this machine
machine_path() { echo "$1"; }

# A checkout below /tmp would vanish under the tmpfs there: it is mounted again.
machine_fstab()
{
	local d

	for d in /tmp /run /var/tmp; do
		case $top in "$d"/*) echo "top $top hostfs ro,$top,X-mount.mkdir" ;; esac
	done
	echo "out $run hostfs $run"
}

machine_env()
{
	cat <<-EOT
		export PANTHOR_MODULES=$modules
		guest_top=$top guest_console=/dev/tty0 guest_output=/dev/tty0 guest_swap=/dev/ubda
	EOT
}

# UML keeps the guest's RAM in an unlinked file. In /dev/shm that is host RAM
# and leaves nothing behind; where /dev/shm is too small or noexec (containers),
# a file in build/ works too, but the host writes it to disk.
ram_dir()
{
	local need have
	need=$(numfmt --from=iec "$mem")
	have=$(df --output=avail -B1 /dev/shm 2>/dev/null | tail -n 1) || have=0
	if [ "$(stat -f -c %T /dev/shm 2>/dev/null)" = tmpfs ] && [ "${have:-0}" -gt "$need" ] &&
	   ! grep -q ' /dev/shm tmpfs [^ ]*noexec' /proc/mounts; then
		echo /dev/shm
	else
		mkdir -p "$run/ram"
		echo "$run/ram"
	fi
}

machine_start()
{
	local cpu
	local -a pin=()

	args+=(mem="$mem" rootfstype=hostfs rootflags=/ ro init="$top/scripts/guest-init.sh"
		uml_dir="$run" umid=uml con=null ssl=null con1=null,fd:2 console=tty1)
	if [ "$tty" = 1 ]; then args+=(con0=fd:0,fd:1); else args+=(con0=null,fd:1); fi
	[ ! -f "$build/dtb/$dtb.dtb" ] || args+=(dtb="$build/dtb/$dtb.dtb")
	[ ! -f "$run/swap" ] || args+=(ubd0="$run/swap")
	cpu=${CPU:-$(pick_cpu)}
	if [ -n "$cpu" ] && command -v taskset >/dev/null; then pin=(taskset -c "$cpu"); fi
	# Without address-space randomisation UML's memory map is the same every time.
	if setarch -R true 2>/dev/null; then pin+=(setarch -R); fi
	TMPDIR=$(ram_dir) setsid "${pin[@]}" "$out/linux" "${args[@]}" 2>"$run/dmesg" &
	machine=$!
}

machine_end() { :; }
