#!/bin/bash
# check_size.sh: the length of files. Source 500 lines, header 150, tests and scripts 800. A file that reads
# better when it is longer says so in a comment line that begins "Long because".
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "$0")/lib.sh"

while IFS= read -r file; do
	case $file in
	tests/*) limit=800 ;;
	*.h) limit=150 ;;
	*) limit=500 ;;
	esac
	lines=$(wc -l <"$file")
	if [ "$lines" -gt "$limit" ] && ! head -n 12 "$file" | grep -q 'Long because'; then
		found "$file:$limit: $lines lines, $limit are the limit"
	fi
done < <(find common ftpd tests etc -type f \( -name '*.[ch]' -o -name '*.py' -o -name '*.sh' \) |
	LC_ALL=C sort)
verdict
