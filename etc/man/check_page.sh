#!/bin/bash
# check_page.sh CONF_PAGE PAGE FILE: each option is in deftpd.conf(5), as a reader sees the page, with its default,
# and the sample configuration has each option of this release with its default.
set -u
tool=$1 page=$2 sample=$3
wrong=0

"$tool" --check "$sample" || wrong=1
if ! command -v mandoc >/dev/null; then
	echo "mandoc is not installed; the page itself was not looked at" >&2
	[ "$wrong" -eq 0 ] && exit 77
	exit 1
fi
text=$(mandoc -T ascii -O width=400 "$page" | sed 's/.\x08//g')
count=0
while IFS= read -r line; do
	count=$((count + 1))
	if ! grep -qF -- "$line" <<<"$text"; then
		echo "$page: \"$line\" is not in the page" >&2
		wrong=1
	fi
done < <("$tool" --list)
# An empty list would prove nothing.
[ "$count" -ge 40 ] || { echo "$tool --list names $count options" >&2; wrong=1; }
echo "$count options"
exit "$wrong"
