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
# 3. OpenSSL, PAM and libcrypt are needed by neither master, agent nor recorder.
# 4. proto is pure: it imports functions on memory and text only. common, proto, ipc and conf do not log.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "$0")/lib.sh"
need nm readelf

build=${1:?the build directory}
work=$(mktemp) || exit 1
trap 'rm -f "$work"' EXIT

# Users and groups; resolver; conversion; locale; time zone; loader; syslog; other programs.
forbidden='(_*(get(pw|gr|sp)(nam|uid|gid|ent)|fgetpwent|fgetgrent|(init|get)grouplist|initgroups|getlogin)(_r)?'
forbidden+='|_*(getaddrinfo|getnameinfo|gethostby[a-z0-9_]*|getservby[a-z_]*|getprotoby[a-z_]*|res_n?(init|search|query)[a-z_]*|ns_[a-z]+)'
forbidden+='|_*iconv(_open|_close)?|_*gconv[a-z_]*'
forbidden+='|(set|new|use|dup|free)locale|nl_langinfo(_l)?|bindtextdomain|textdomain|d?c?n?gettext'
forbidden+='|localtime(_r)?|mktime|tzset|ctime(_r)?|strftime(_l)?|timelocal'
forbidden+='|_*dl(open|sym|vsym|mopen|addr)|_*nss_[a-z_]+'
forbidden+='|v?syslog|__v?syslog_chk|openlog|closelog|sd_journal_[a-z_]+'
forbidden+='|system|popen|wordexp|exec(v|ve|vp|vpe|l|le|lp|veat)|fexecve|posix_spawnp?)'

# In every static program of glibc 2.36, from: iconv's gconv and dl-open, which assert, vfprintf's wide
# characters and the loader of a static-pie pull in; setlocale's tables behind ctype; strftime is not.
unavoidable='_*gconv[a-z_]*|_*dl(open|sym|vsym|addr|mopen)|_dl_open|_*nss_[a-z_]+'

# imports FILE...: the undefined symbols, without versions.
imports()
{
	nm --undefined-only --format=posix "$@" 2>/dev/null | awk '$2 == "U" { sub(/@.*/, "", $1); print $1 }' |
		LC_ALL=C sort -u
}

# objects PROGRAM: the objects of ours that were linked into it. The link map of the build names them.
objects()
{
	local map=$build/bin/$1.map
	[ -f "$map" ] || return 1
	grep -oE '[^ ()]*[.](o|a[(][^)]*[)])' "$map" | sort -u
}
