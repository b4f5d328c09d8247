#!/bin/bash
# check_words.sh: nothing of the machine on which a file was written stays in it: its paths, its tools.
# The brackets keep this file from finding itself.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "$0")/lib.sh"

words='[/]work/|[/]tmp/(build|arch|rules)|(^|[^a-zA-Z0-9_])[/]root/|firecracke[r]|farm-sandbo[x]|203[.]0[.]113[.]80'
words+='|\b(cla[u]de|anthr[o]pic|chat[g]pt|open[a]i)\b|shar[e]d/[A-Z]+[.]md'
unfinished='\b(T[O]DO|F[I]XME|X[X]X)\b'

work=$(mktemp) || exit 1
trap 'rm -f "$work"' EXIT
find . -path ./.git -prune -o -path './build*' -prune -o -type f -print0 |
	xargs -0 grep -nIiE "$words" >"$work" || true
found_lines <"$work"
find common ftpd tests etc -type f -print0 | xargs -0 grep -nIE "$unfinished" >"$work" || true
found_lines <"$work"
verdict
