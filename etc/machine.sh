# machine.sh: what etc/quickstart and tests/run do to a machine: packages and users. Sourced by both.
# shellcheck shell=bash

say() { printf '%s\n' "$*"; }

# missing_packages PACKAGE...: those that dpkg does not know as installed, one a line.
missing_packages()
{
	local package
	for package in "$@"; do
		# shellcheck disable=SC2016 # the format is dpkg's
		if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
			say "$package"
		fi
	done
}

# install_packages PACKAGE...: 0 when all are there afterwards; 2, after the list has been printed, on a
# system where we cannot install.
install_packages()
{
	local missing
	if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-query >/dev/null 2>&1; then
		say "This system has no apt. These Debian packages, under the names of your system, are needed:"
		printf '    %s\n' "$@"
		return 2
	fi
	mapfile -t missing < <(missing_packages "$@")
	if [ ${#missing[@]} -eq 0 ]; then
		say "All ${#} packages that are needed are installed."
		return 0
	fi
	if [ "$(id -u)" -ne 0 ]; then
		say "These packages are missing, and only root can install them:"
		say "    apt-get install --no-install-recommends ${missing[*]}"
		return 2
	fi
	say "Installing ${#missing[@]} packages by apt-get: ${missing[*]}"
	apt_install "${missing[@]}"
}

# What apt says is shown only when it fails.
apt_install()
{
	local log
	log=$(mktemp) || return 1
	export DEBIAN_FRONTEND=noninteractive
	if ! { apt-get -q update && apt-get -q -y --no-install-recommends install "$@"; } </dev/null >"$log" 2>&1; then
		tail -n 20 "$log"
		rm -f "$log"
		say "apt-get could not install them."
		return 1
	fi
	rm -f "$log"
}

# add_user NAME: a system user without home and shell, unless there is one. The names made are kept in
# users_made, for remove_users.
users_made=()
add_user()
{
	if getent passwd "$1" >/dev/null; then
		return 0
	fi
	useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$1" &&
		users_made+=("$1") && say "Created the system user $1."
}

remove_users()
{
	local name
	for name in "${users_made[@]}"; do
		userdel "$name" && say "Removed the system user $name again."
	done
	users_made=()
}
