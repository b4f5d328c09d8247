#!/bin/bash
# check_layers.sh: who may include whom, and in which order (the folders are drawn in README.md).
# common knows only common; proto adds the pure part of common; ipc and conf know common; tls knows common, ipc and
# conf. A role (master, worker, auth, agent, recorder, each folder of tools) knows common, proto, ipc, conf and itself,
# never another role; tls is for worker alone, and OpenSSL for tls. PAM is for auth alone, libcrypt for auth,
# deftp-passwd and common/passwd_hash.c.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "$0")/lib.sh"

# The headers of common whose header comment says "Pure": no system call behind them.
mapfile -t pure < <(grep -lE '^ \*.*\bPure\b' common/*.h; echo common/base.h)
# What the protocol may take from the system: types and functions on memory.
pure_system='^<(assert|ctype|errno|inttypes|limits|stdarg|stdbool|stddef|stdint|stdio|string|strings)[.]h>$'

hashing='^(ftpd/auth/.*|ftpd/tools/passwd/.*|common/passwd_hash[.]c)$'

# permitted FILE HEADER: may this file include this header of ours?
permitted()
{
	local file=$1 header=$2 room
	case $file in
	tests/*) return 0 ;;
	common/*) [[ $header == common/* ]] ; return ;;
	ftpd/proto/*)
		[[ $header == ftpd/proto/* || " ${pure[*]} " == *" $header "* ]]
		return ;;
	esac
	room=${file#ftpd/}
	[[ $room == tools/* ]] && room=${room#tools/} && room=tools/${room%%/*}
	[[ $room == tools/* ]] || room=${room%%/*}
	case $room in
	ipc | conf) [[ $header == common/* || $header == ftpd/$room/* ]] ;;
	tls) [[ $header == common/* || $header =~ ^ftpd/(ipc|conf|tls)/ ]] ;;
	worker) [[ $header == common/* || $header =~ ^ftpd/(proto|ipc|conf|tls|worker)/ ]] ;;
	*) [[ $header == common/* || $header =~ ^ftpd/(proto|ipc|conf|$room)/ ]] ;;
	esac
}

# The groups of a file: own header 0, system 1, project 2, base.h 3.
check_includes()
{
	local file=$1 at header group last=-1

	while IFS=: read -r at header; do
		if [[ $header == \<* ]]; then
			group=1
			if [[ $file == ftpd/proto/* && ! $header =~ $pure_system ]]; then
				found "$file:$at: proto is pure, but includes $header"
			fi
			if [[ $file != tests/* && $header == \<security/* && $file != ftpd/auth/* ]]; then
				found "$file:$at: PAM belongs to auth, but $header is included"
			fi
			if [[ $file != tests/* && $header == \<crypt.h\> && ! $file =~ $hashing ]]; then
				found "$file:$at: hashing belongs to auth and deftp-passwd, but $header is included"
			fi
			if [[ $file != tests/* && $header == \<openssl/* && $file != ftpd/tls/* ]]; then
				found "$file:$at: OpenSSL belongs to tls, but $header is included"
			fi
		else
			header=${header//\"/}
			group=2
			# The own header of value_net.c is value.h: first, and of the same room. That of a
			# test is what it tests.
			[[ $last -lt 0 && $file == *.c && ( $file == tests/* || ${header%/*} == "${file%/*}" ) ]] &&
				group=0
			[[ $header == common/base.h ]] && group=3
			if [[ $header != */* || $header == *..* || ! -f $header ]]; then
				found "$file:$at: \"$header\" is not a path from the top of the tree"
			elif [[ $header == *.c ]]; then
				found "$file:$at: includes a source file"
			elif ! permitted "$file" "$header"; then
				found "$file:$at: must not include $header"
			fi
		fi
		# base.h itself takes what it needs before it poisons names.
		if [[ $file != common/base.h && $group -lt $last ]]; then
			found "$file:$at: order is own header, system, project, common/base.h"
		fi
		[[ $group -gt $last ]] && last=$group
	done < <(awk 'match($0, /^#[ \t]*include[ \t]*/) {
			split(substr($0, RLENGTH + 1), part, /[ \t]/)
			print NR ":" part[1]
		}' "$file")
}

# Guards are the path in capitals; conditions stand outside functions.
check_shape()
{
	local file=$1 guard
	if [[ $file == *.h ]]; then
		guard=${file^^}
		guard=${guard//[\/.-]/_}
		if ! grep -q "^#ifndef $guard\$" "$file" || ! grep -q "^#define $guard\$" "$file"; then
			found "$file:1: the include guard is not $guard"
		fi
		grep -q '^#pragma once' "$file" && found "$file:1: #pragma once"
	fi
	[[ $file == common/base.h ]] || grep -q '^#include "common/base[.]h"' "$file" ||
		found "$file:1: does not include common/base.h"
	awk -v file="$file" '
		/^\{/ { inside = 1 }
		/^\}/ { inside = 0 }
		inside && /^#[ \t]*(if|ifdef|ifndef|else|elif)/ { print file ":" NR ": #if inside a function" }
	' "$file" >"$work"
	found_lines <"$work"
}

work=$(mktemp) || exit 1
trap 'rm -f "$work"' EXIT
while IFS= read -r file; do
	check_includes "$file"
	[[ $file == tests/bench/* ]] || check_shape "$file"
done < <(c_files common ftpd tests)

# One place changes the root and one the directory: become.c and the privilege room.
grep -nE '\b(chdir|chroot)[ ]*\(' -r common ftpd --include='*.[ch]' |
	grep -vE '^(ftpd/agent/become|common/privilege)[.]c:' >"$work" || true
sed -i 's/$/  (only become.c and privilege.c may)/' "$work"
found_lines <"$work"
verdict
