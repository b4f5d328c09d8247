# lib.sh: what the lint scripts share. Sourced; each script says what it checks.
# shellcheck shell=bash

set -u
lint_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # used by the scripts that source this file
top=$(cd -- "$lint_dir/../.." && pwd)
cd -- "$top" || exit 1

# A missing tool is no failure of the tree; ctest shows the case as skipped.
need()
{
	local tool
	for tool in "$@"; do
		if ! command -v "$tool" >/dev/null 2>&1; then
			echo "skipped: $tool is not installed"
			exit 77
		fi
	done
}

# The C files under the given folders, one a line, sorted.
c_files()
{
	find "$@" -name '*.[ch]' -type f | LC_ALL=C sort
}

# Count and show one finding as FILE:LINE: text, so that editors can jump to it.
findings=0
found()
{
	findings=$((findings + 1))
	printf '%s\n' "$*"
}

# Count the findings that a command prints, one a line.
found_lines()
{
	local line
	while IFS= read -r line; do
		found "$line"
	done
}

# End with the verdict of all found().
verdict()
{
	if [ "$findings" -gt 0 ]; then
		echo "$findings finding(s)"
		exit 1
	fi
	echo "no findings"
	exit 0
}
