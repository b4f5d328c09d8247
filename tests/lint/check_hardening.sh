#!/bin/bash
# check_hardening.sh BUILD_DIR: how each program is built: position-independent, relocations read-only from the
# start, no executable stack or writable code, canaries, fortified libc calls, no search path for libraries.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "$0")/lib.sh"
need readelf nm objdump

build=${1:?the build directory}

# expect PROGRAM WHAT COMMAND...: the command must succeed.
expect()
{
	local program=$1 what=$2
	shift 2
	"$@" >/dev/null 2>&1 || found "$program: $what"
}

# Both are called by name.
# shellcheck disable=SC2317
has() { grep -qE "$2" <<<"$1"; }
# shellcheck disable=SC2317
has_not() { ! grep -qE "$2" <<<"$1"; }

programs=0
for path in "$build"/bin/deft*; do
	[[ -x $path && -f $path && $path != *.map ]] || continue
	program=${path##*/}
	programs=$((programs + 1))
	header=$(readelf -hW "$path")
	segments=$(readelf -lW "$path")
	dynamic=$(readelf -dW "$path")
	symbols=$(nm -D "$path" 2>/dev/null; nm "$path" 2>/dev/null)
	expect "$program" "is not position-independent" has "$header" 'Type: +DYN'
	expect "$program" "has no RELRO" has "$segments" 'GNU_RELRO'
	expect "$program" "binds late" has "$dynamic" 'BIND_NOW|FLAGS_1.*NOW'
	expect "$program" "has no GNU_STACK" has "$segments" 'GNU_STACK'
	expect "$program" "has an executable stack" has_not "$segments" 'GNU_STACK.* R?W?E '
	expect "$program" "has a segment both writable and executable" has_not "$segments" 'LOAD.* RWE '
	expect "$program" "has text relocations" has_not "$dynamic" 'TEXTREL'
	expect "$program" "has RPATH or RUNPATH" has_not "$dynamic" 'RPATH|RUNPATH'
	expect "$program" "has no stack canaries" has "$symbols" '__stack_chk_fail'
	expect "$program" "has no fortified calls" has "$symbols" '__[a-z]+_chk'
	# Debian's start files have no CET note, so the program has none; our own code must be ready for it.
	if has "$header" 'X86-64'; then
		code=$(objdump -d --no-show-raw-insn --disassemble=main "$path")
		expect "$program" "is built without -fcf-protection" has "$code" 'endbr64'
	fi
done
# A static program has libc's canaries whatever we do; what counts is that our own objects call the check.
for archive in "$build"/ftpd/librole-*.a "$build/common/libcommon.a"; do
	nm -u "$archive" 2>/dev/null | grep -q ' __stack_chk_fail$' ||
		found "${archive##*/}: has no stack canaries"
done
for program in deftpd deftpd-worker deftpd-auth deftpd-agent deftpd-recorder deftp-passwd; do
	[ -x "$build/bin/$program" ] || found "$program: is not built in $build/bin"
done
echo "$programs program(s)"
verdict
