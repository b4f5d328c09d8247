#!/bin/bash
# check_catalogue.sh BUILD_DIR: tests/catalogue.txt names, for each known attack, the tests that try it, or says
# why it cannot be tried. Here: every row is there once, and every test that is named exists.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "$0")/lib.sh"
need ctest

build=${1:?the build directory}
catalogue=tests/catalogue.txt
tests=$(ctest --test-dir "$build" -N | sed -n 's/^ *Test *#[0-9]*: //p')

# rows LETTER LAST: the rows of one kind that must be there.
rows()
{
	local number
	for ((number = 1; number <= $2; number++)); do
		echo "$1$number"
	done
}

while IFS= read -r row; do
	count=$(grep -cE "^${row}[[:space:]]" "$catalogue")
	[ "$count" -eq 1 ] || found "$catalogue: row $row is there $count times"
done < <(rows A 25; rows F 25; rows T 14; rows W 9; printf '%s\n' D4 D10 P1 P11 R2 R10)

at=0
while IFS= read -r line; do
	at=$((at + 1))
	[[ -z $line || $line == \#* ]] && continue
	read -r row rest <<<"$line"
	if [[ $rest == "not applicable: "?* ]]; then
		continue
	fi
	[ -n "$rest" ] || found "$catalogue:$at: $row names no test"
	for name in $rest; do
		grep -qxF -- "$name" <<<"$tests" || found "$catalogue:$at: $row: there is no test $name"
	done
done <"$catalogue"
verdict
