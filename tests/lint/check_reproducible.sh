#!/bin/bash
# check_reproducible.sh: what is built of the same sources in two directories is the same, byte by byte, so that
# anybody can find out whether a published program is that of the published sources (SECURITY.md A23).
# One program stands for all: they are compiled by the same options.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "$0")/lib.sh"
need cmake ninja

program=deftpd-recorder
place=$(mktemp -d)
trap 'rm -rf -- "$place"' EXIT

# build DIRECTORY BUILD: copy the sources there, and build the program in BUILD.
build()
{
	mkdir -p -- "$1"
	cp -r -- CMakeLists.txt common ftpd etc "$1" &&
		cmake -S "$1" -B "$2" -G Ninja -DBUILD_TESTING=OFF >"$place/log" 2>&1 &&
		ninja -C "$2" "$program" >>"$place/log" 2>&1 && return
	cat -- "$place/log"
	found "$program does not build in $1"
	verdict
}

build "$place/one" "$place/one/build"
build "$place/another/and-longer" "$place/elsewhere"
cmp -- "$place/one/build/bin/$program" "$place/elsewhere/bin/$program" ||
	found "$program differs between two directories"
grep -qF -- "$place" "$place/elsewhere/bin/$program" && found "$program names the directory that it was built in"
verdict
