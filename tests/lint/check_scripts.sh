#!/bin/bash
# check_scripts.sh: shellcheck over every shell script, and every Python file compiles.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "$0")/lib.sh"
need shellcheck python3

mapfile -t scripts < <(find . -path ./.git -prune -o -path './build*' -prune -o -type f -print |
	while IFS= read -r file; do
		if [[ $file == *.sh ]] || head -c 64 "$file" | head -n 1 | grep -qaE '^#!.*\b(sh|bash)\b'; then
			echo "$file"
		fi
	done)
# -x reads what a script sources, beside the script.
shellcheck -x -P SCRIPTDIR "${scripts[@]}" || found "shellcheck has findings"
while IFS= read -r file; do
	python3 -c 'import ast, sys; ast.parse(open(sys.argv[1], encoding="utf-8").read(), sys.argv[1])' \
		"$file" || found "$file: is no Python"
done < <(find tests etc -name '*.py' -type f)
echo "${#scripts[@]} scripts"
verdict
