#!/bin/bash
# check_docs.sh: the contracts. Each prototype in a header has a comment directly above it, with "Returns:"
# unless it returns nothing; each file begins with a comment that names it. One comment may stand above
# several prototypes without an empty line between them. A void x_init or x_free needs none: its name is
# all that there is to say.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "$0")/lib.sh"

work=$(mktemp) || exit 1
trap 'rm -f "$work"' EXIT
while IFS= read -r file; do
	name=$(basename "$file")
	name=${name%.[ch]}
	if ! head -n 4 "$file" | grep -qE "^(/\*| \*) (Long because.*|$name: .*)"; then
		found "$file:1: does not begin with a comment \"$name: what it owns\""
	fi
done < <(c_files common ftpd)

# A prototype starts in column 1 with a word, has a parenthesis and ends at ";" or, if inline, at "{".
mapfile -t headers < <(c_files common ftpd | grep '[.]h$')
awk '
FNR == 1 { depth = 0; above = 0; has_comment = 0; comment = ""; last = 0; open = 0; text = "" }
# Comments: gathered whole; `last` is the line on which the newest one ends.
open || /^\/\*/ {
	comment = open ? comment "\n" $0 : $0
	open = !/\*\/[ \t]*$/
	last = FNR
	next
}
depth == 0 && text == "" && /^[a-z_]/ && !/^(typedef|extern)/ {
	text = $0; start = FNR
}
depth == 0 && text != "" && start != FNR { text = text " " $0 }
{
	line = $0
	gsub(/"[^"]*"/, "", line)
}
depth == 0 && text != "" && line ~ /[;{][ \t]*$/ {
	if (text ~ /\(/ && text !~ /^(struct|enum|union)[ \t]+[a-z_0-9]*[ \t]*\{/) {
		is_void = text ~ /^(static inline |_Noreturn )*void [^*]/
		if (last == start - 1) {
			has_comment = 1
		} else if (above != start - 1) {
			has_comment = 0
		}
		above = FNR
		if (!has_comment && !(is_void && text ~ /_(init|free)\(/)) {
			print FILENAME ":" start ": no comment above this prototype"
		} else if (has_comment && !is_void && comment !~ /Returns:/) {
			print FILENAME ":" start ": the comment does not say Returns:"
		}
	}
	text = ""
}
depth == 0 && /^$/ { text = "" }
{
	depth += gsub(/\{/, "{", line) - gsub(/\}/, "}", line)
}' "${headers[@]}" >"$work"
found_lines <"$work"
verdict
