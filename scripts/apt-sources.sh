# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Where this machine's apt gets Debian from, for those who need another release
# from there. Sourced after lib.sh.

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

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
