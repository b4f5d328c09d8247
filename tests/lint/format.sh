#!/bin/bash
# format.sh [--fix] [FILE...]: the layout of C files: clang-format, and comments within 90 columns.
# With --fix the files are rewritten. clang-format 14 joins labelled comment lines when it reflows them,
# so comments are wrapped by wrap_comments.py and clang-format leaves them alone.
is_fix=false
if [ "${1:-}" = --fix ]; then
	is_fix=true
	shift
fi
# Names are relative to where we were called; lib.sh changes to the top of the tree.
given=()
if [ $# -gt 0 ]; then
	mapfile -t given < <(realpath -- "$@")
fi
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "$0")/lib.sh"
need clang-format python3

if [ ${#given[@]} -gt 0 ]; then
	# shellcheck disable=SC2154 # top is lib.sh's
	files=("${given[@]#"$top"/}")
else
	mapfile -t files < <(c_files common ftpd tests etc)
fi
if [[ ${files[*]} == /* || ${files[*]} == *" /"* ]]; then
	echo "only files of this tree: ${files[*]}"
	exit 1
fi

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
python3 "$lint_dir/wrap_comments.py" "$work" "${files[@]}" || exit 1
(cd "$work" && printf '%s\0' "${files[@]}" |
	xargs -0 clang-format --style=file:"$lint_dir/clang-format.yml" -i) || exit 1
for file in "${files[@]}"; do
	if ! cmp -s "$file" "$work/$file"; then
		if $is_fix; then
			cat "$work/$file" >"$file"
			echo "$file: rewritten"
		else
			found "$file: not in the layout; run tests/lint/format.sh --fix $file"
			diff -u "$file" "$work/$file" | head -20
		fi
	fi
done
# A message stays in one piece, so that it can be searched for; a fenced table is as wide as it must be.
awk '
	FNR == 1 { fenced = 0 }
	/clang-format off/ { fenced = 1 }
	/clang-format on/ { fenced = 0 }
	/".*"/ || fenced { next }
	{
		columns = 0
		for (i = 1; i <= length($0); i++) {
			columns += substr($0, i, 1) == "\t" ? 8 - columns % 8 : 1
		}
	}
	columns > 90 { print FILENAME ":" FNR ": " columns " columns, 90 are the limit" }
' "${files[@]}" >"$work/wide"
found_lines <"$work/wide"
verdict
