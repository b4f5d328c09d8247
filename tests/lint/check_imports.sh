#!/bin/bash
# check_imports.sh BUILD_DIR: what each program could reach, as the linker sees it (DESIGN: the linker
# proves the boundary).
#
# 1. deftpd-worker and deftpd-agent call nothing that loads code or data behind their back once they are
#    confined: no NSS, resolver, iconv, locale, time zone, dlopen, syslog, and start no program.
#    For the dynamic worker that is its list of imports; for both it is the objects of ours that are linked in.
# 2. The agent is static, so libc's own objects lie in it. What its symbol table may not hold is the same list;
#    what libc cannot be linked without is in `unavoidable` below, each with who pulls it in. None of them is
#    called by an object of ours, as (1) shows.
# 3. PAM is needed by deftpd-auth alone, libcrypt by it and deftp-passwd, OpenSSL by deftpd-worker. What OpenSSL
#    itself imports (dlopen, getaddrinfo) is not in our objects; the sandbox sees to it. A PAM module may need
#    libcrypto, deftpd-auth does not. It looks users up and runs PAM, so (1) does not hold for it.
# 4. proto is pure: it imports functions on memory and text only. common, proto, ipc and conf do not log.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "$0")/lib.sh"
need nm readelf

build=${1:?the build directory}
work=$(mktemp) || exit 1
trap 'rm -f "$work" "$work.ours" "$work.needs"' EXIT

# Users and groups; resolver; conversion; locale; time zone; loader; syslog; other programs.
forbidden='(_*(get(pw|gr|sp)(nam|uid|gid|ent)|fgetpwent|fgetgrent|(init|get)grouplist|initgroups|getlogin)(_r)?'
forbidden+='|_*(getaddrinfo|getnameinfo|gethostby[a-z0-9_]*|getservby[a-z_]*|getprotoby[a-z_]*|res_n?(init|search|query)[a-z_]*|ns_[a-z]+)'
forbidden+='|_*iconv(_open|_close)?|_*gconv[a-z_]*'
forbidden+='|(set|new|use|dup|free)locale|nl_langinfo(_l)?|bindtextdomain|textdomain|d?c?n?gettext'
forbidden+='|localtime(_r)?|mktime|tzset|ctime(_r)?|strftime(_l)?|timelocal'
forbidden+='|_*dl(open|sym|vsym|mopen|addr)|_*nss_[a-z_]+'
forbidden+='|v?syslog|__v?syslog_chk|openlog|closelog|sd_journal_[a-z_]+'
forbidden+='|system|popen|wordexp|exec(v|ve|vp|vpe|l|le|lp|veat)|fexecve|posix_spawnp?)'

# What every static program of glibc 2.36 with libcap and stdio holds, called by none of our objects:
# gconv, dlopen and dlsym (stdio's wide characters and the unwinder), setlocale (gconv), dcgettext (libseccomp
# asserts), execve (cap_launch).
unavoidable='_*gconv[a-z_]*|_*dl(open|sym|vsym|addr|mopen)|setlocale|_*dcgettext|_*execve'

forbid()
{
	grep -xE "$forbidden" | LC_ALL=C sort -u
}

# ours PROGRAM: the undefined symbols of our own objects in it, as "object symbol". The link map names the
# objects: those on the command line, and the archive members that were needed.
ours()
{
	(
		cd "$build" || exit 1
		grep -oE '^LOAD ftpd/[^ ]+[.]o$' "bin/$1.map" | cut -d ' ' -f 2 | xargs -r nm -A -u --format=posix
		grep -oE '^(ftpd|common)/[^ ]+[.]a\([^)]+\)' "bin/$1.map" | sort -u >"$work"
		cut -d '(' -f 1 "$work" | sort -u | xargs -r nm -A -u --format=posix |
			grep -F -f <(sed 's/(\(.*\))/[\1]:/' "$work")
	) | awk '{ sub(/:$/, "", $1); sub(/@.*/, "", $2); print $1, $2 }'
}

check_program()
{
	local program=$1
	if [ ! -f "$build/bin/$program" ] || [ ! -f "$build/bin/$program.map" ]; then
		found "$program: is not built"
		return 1
	fi
	ours "$program" >"$work.ours"
	if [ "$(wc -l <"$work.ours")" -lt 20 ]; then
		found "$program: its link map names no objects of ours"
	fi
	awk '{ print $2 }' "$work.ours" | forbid | while IFS= read -r symbol; do
		awk -v symbol="$symbol" '$2 == symbol { print $1 ": calls " symbol }' "$work.ours"
	done >"$work"
	found_lines <"$work"
}

if check_program deftpd-worker; then
	nm -D -u --format=posix "$build/bin/deftpd-worker" | awk '{ sub(/@.*/, "", $1); print $1 }' |
		forbid | sed 's/^/deftpd-worker: imports /' >"$work"
	found_lines <"$work"
fi
if check_program deftpd-agent; then
	nm --defined-only --format=posix "$build/bin/deftpd-agent" | awk '{ print $1 }' |
		forbid | grep -vxE "$unavoidable" | sed 's/^/deftpd-agent: contains /' >"$work"
	found_lines <"$work"
	if readelf -d "$build/bin/deftpd-agent" | grep -q '(NEEDED)'; then
		found "deftpd-agent: is not static"
	fi
fi

# needs PROGRAM: the libraries that it is linked with, one a line, as "pam" for libpam.so.0.
needs()
{
	[ -f "$build/bin/$1" ] || { found "$1: is not built"; return; }
	readelf -d "$build/bin/$1" | sed -n 's/^.*(NEEDED).*\[lib\([^]]*\)[.]so.*$/\1/p'
}

# no_library PROGRAM REGEX: neither as a library, nor as its functions in an object of ours, for static programs.
no_library()
{
	needs "$1" | grep -xE "$2" | sed "s/^/$1: needs lib/" >"$work.needs"
	found_lines <"$work.needs"
	[ -f "$build/bin/$1.map" ] || return
	# ours writes $work.
	ours "$1" >"$work.ours"
	awk '{ print $2 }' "$work.ours" | grep -ixE "($2)(_[a-z0-9_]+)?" |
		sed "s/^/$1: has an object of ours that calls /" >"$work.needs"
	found_lines <"$work.needs"
}

# a_library PROGRAM NAME: if it is not there any more, the rule beside it checks nothing.
a_library()
{
	needs "$1" | grep -qxF "$2" || found "$1: does not need lib$2 any more"
}
for program in deftpd deftpd-agent deftpd-recorder; do
	no_library "$program" 'ssl|crypto|pam|pam_misc|crypt'
done
no_library deftpd-worker 'pam|pam_misc|crypt'
no_library deftpd-auth 'ssl|crypto'
no_library deftp-passwd 'ssl|crypto|pam|pam_misc'
a_library deftpd-worker ssl
a_library deftpd-worker crypto
a_library deftpd-auth pam
a_library deftpd-auth crypt
a_library deftp-passwd crypt

# imports ARCHIVE...: what the archives take from elsewhere.
imports()
{
	comm -23 \
		<(nm -u --format=posix "$@" | awk '$2 == "U" { print $1 }' | LC_ALL=C sort -u) \
		<(nm --defined-only --format=posix "$@" | awk 'NF > 1 { print $1 }' | LC_ALL=C sort -u)
}

# On memory and text, and what the compiler itself calls.
pure='_*(mem|str)[a-z]+(_chk)?|_*v?snprintf(_chk)?|__stack_chk_fail|__errno_location|_GLOBAL_OFFSET_TABLE_'
pure+='|__assert_fail|abort|qsort|bsearch|_*is[a-z]+|to(upper|lower)|addr_[a-z_]+|wire_[a-z_]+'
imports "$build/ftpd/libproto.a" | grep -vxE "$pure" | sed 's/^/proto: is pure, but imports /' >"$work"
found_lines <"$work"
# conf may print findings to a stream that it is given.
streams='_*v?printf(_chk)?|puts|putchar|perror|stderr|stdout|_*v?syslog(_chk)?|sd_[a-z_]+'
for room in common/libcommon ftpd/libproto ftpd/libipc ftpd/libconf; do
	also='|_*v?fprintf(_chk)?|fputs|fputc|fwrite'
	[[ $room == */libconf ]] && also=
	nm -A -u --format=posix "$build/$room.a" | grep -v '\[log[.]c[.]o\]' | grep -E " ($streams$also) " |
		awk '{ print $1 " must not log, but imports " $2 }' >"$work"
	found_lines <"$work"
done
verdict
