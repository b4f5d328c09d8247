#!/bin/bash
# cppcheck.sh BUILD_DIR: a second opinion on the whole tree.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "$0")/lib.sh"
need cppcheck

work=${1:?the build directory}/lint/cppcheck
mkdir -p "$work"
# Named: the machine, so that #error branches are not taken; sys/queue.h, whose macros are syntax.
queue=$(find /usr/include -path '*/sys/queue.h' | head -n 1)
cppcheck --std=c17 --enable=warning,performance,portability --inline-suppr --error-exitcode=2 \
	--quiet -j 2 --cppcheck-build-dir="$work" -I . -D__x86_64__ -D_GNU_SOURCE -DDEFTPD_VERSION='"0"' \
	-DDEFTPD_LIBEXEC_DIR='"/usr/libexec/deftpd"' ${queue:+"--include=$queue"} \
	--suppressions-list="$lint_dir/cppcheck-suppressions.txt" common ftpd tests || exit 1
