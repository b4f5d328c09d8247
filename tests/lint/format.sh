#!/bin/bash
# format.sh [--fix] [FILE...]: the layout of C files: clang-format, and comments within 90 columns.
# With --fix the files are rewritten. clang-format 14 joins labelled comment lines when it reflows them,
# so comments are wrapped by wrap_comments.py and clang-format leaves them alone.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "$0")/lib.sh"
need clang-format python3

is_fix=false
if [ "${1:-}" = --fix ]; then
	is_fix=true
	shift
fi
mapfile -t files < <(if [ $# -gt 0 ]; then printf '%s\n' "$@"; else c_files common ftpd tests; fi)

layout()
{
	python3 "$lint_dir/wrap_comments.py" "$1" |
		clang-format --style=file:"$lint_dir/clang-format.yml" --assume-filename="$1"
}

work=$(mktemp) || exit 1
trap 'rm -f "$work"' EXIT
for file in "${files[@]}"; do
	layout "$file" >"$work" || exit 1
	if ! cmp -s "$file" "$work"; then
		if $is_fix; then
			cat "$work" >"$file"
			echo "$file: rewritten"
		else
			found "$file: not in the layout; run tests/lint/format.sh --fix $file"
			diff -u "$file" "$work" | head -20
		fi
	fi
	# A message stays in one piece, so that it can be searched for; a fenced table is as wide as it must be.
	expand -t 8 "$file" | awk -v file="$file" '
		/clang-format off/ { fenced = 1 }
		/clang-format on/ { fenced = 0 }
		length($0) > 90 && !fenced && !/".*"/ {
			print file ":" NR ": " length($0) " columns, 90 are the limit"
		}' >"$work"
	found_lines <"$work"
done
verdict
