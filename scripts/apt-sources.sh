# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Where this machine's apt gets Debian from, for those who need another release
# from there. Sourced after lib.sh.

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# apt with lists, cache and status of its own, where nothing is installed yet.
# Proxies and certificates stay the machine's.
apt_room() # DIRECTORY ARCHITECTURE TOOL args...
{
	local room=$1 arch=$2 tool=$3

	shift 3
	"$tool" -q -o Dir::Etc::sourcelist="$room/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o Dir::State="$room/state" -o Dir::State::Lists="$room/lists" \
		-o Dir::State::status="$room/status" -o Dir::Cache="$room/cache" \
		-o APT::Architecture="$arch" -o APT::Architectures="$arch" -o APT::Sandbox::User=root \
		-o APT::Install-Recommends=false -o Acquire::Languages=none -o Acquire::Retries=2 \
		-o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 "$@"
}

# A room whose lists are those of one SUITE.
make_room() # DIRECTORY ARCHITECTURE LOG URI SUITE
{
	rm -rf "$1"
	mkdir -p "$1"/{state,lists/partial,cache/archives/partial}
	: >"$1/status"
	echo "deb [signed-by=$keyring] $4 $5 main" >"$1/sources.list"
	apt_room "$1" "$2" apt-get update >>"$3" 2>&1
}

# One package alone, as a file in DIRECTORY.
download_package() # DIRECTORY ARCHITECTURE LOG URI SUITE PACKAGE
{
	make_room "$1" "$2" "$3" "$4" "$5" &&
		(cd "$1" && apt_room "$1" "$2" apt-get download "$6") >>"$3" 2>&1
}

# Packages and what they depend on, as files in DIRECTORY/cache/archives. Fails
# if the archive doesn't answer, or doesn't have them.
download_packages() # DIRECTORY ARCHITECTURE LOG URI SUITE PACKAGE...
{
	local room=$1 arch=$2 log=$3

	make_room "$@" || return
	shift 5
	apt_room "$room" "$arch" apt-get install -y --download-only "$@" >>"$log" 2>&1
}

# Unpack them. Prints package, version, sha256 of each.
unpack_packages() # DIRECTORY ROOT
{
	local d deb

	rm -rf "$2"
	# merged /usr, as today's packages expect it
	for d in bin sbin lib lib64; do
		mkdir -p "$2/usr/$d"
		ln -s "usr/$d" "$2/$d"
	done
	for deb in "$1"/cache/archives/*.deb; do
		dpkg-deb -x "$deb" "$2" || die "$(basename "$deb") is broken: remove ${1%/*}"
		printf '%s %s %s\n' "$(dpkg-deb -f "$deb" Package)" "$(dpkg-deb -f "$deb" Version)" \
			"$(sha256sum "$deb" | cut -d' ' -f1)"
	done
}

# Lines "URI RELEASE ORIGIN", as apt reads its own configuration, in any style.
package_sources() # option of apt-get
{
	# shellcheck disable=SC2016 # expanded by apt
	apt-get indextargets "$@" --format '$(COMPONENT) $(REPO_URI) $(RELEASE) $(ORIGIN)' 'Created-By: Packages' \
		2>/dev/null | sed -n 's/^main //p' || true
}

# Lines "URI SUFFIX" for Debian itself: SUFFIX is "-", "-updates" or "-security".
# apt knows whose archive it is once it has its lists; before, the name of the
# release has to do.
debian_sources()
{
	local codename

	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-none}")
	{
		package_sources
		package_sources --no-release-info | sed 's/ [^ ]*$/ Debian?/'
	} | awk -v codename="$codename" '
		$1 ~ /^cdrom:/ || $3 !~ /^Debian/ { next }
		$3 == "Debian" { known = 1 }
		$3 == "Debian?" && known { next }
		{
			suffix = "-"
			if (match($2, /-[^-]*$/)) suffix = substr($2, RSTART)
			name = suffix == "-" ? $2 : substr($2, 1, RSTART - 1)
		}
		name !~ "^(" codename "|(old)?stable|testing)$" { next }
		suffix ~ /^-(updates|security)?$/ { print $1, suffix }' | awk '!seen[$0]++'
}
