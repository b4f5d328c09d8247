#!/bin/bash
# check_man.sh BUILD_DIR: the man pages, written and made, as mandoc sees them.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "$0")/lib.sh"
need mandoc

mapfile -t pages < <(find etc "${1:?the build directory}" -name '*.[1578]' -type f \
	-not -path '*/CMakeFiles/*' -not -path '*/lint/*' | LC_ALL=C sort)
for page in "${pages[@]}"; do
	mandoc -T lint -W warning "$page" || found "$page: mandoc has findings"
done
echo "${#pages[@]} man page(s)"
verdict
