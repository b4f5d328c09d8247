#!/usr/bin/env python3
"""wrap_comments.py DIR FILE...: write into DIR copies of C files with their comments wrapped to 90 columns.

Only comments that are too long are touched. A comment behind code goes to a line of its own above the
code. The lines "Returns: ..." of a contract keep their labels: their continuation is indented to the text.
"""
import pathlib
import re
import sys

LIMIT = 90
# The labels of a contract are padded to nine columns; those of a file's header are not, and do not indent.
LABEL = re.compile(r"((?=.{9}\S)[A-Z][a-z]+: +)\S")
STARTS = re.compile(r"[A-Z][A-Za-z ]{1,14}: ")
WHOLE = re.compile(r"^(\t*)/\* (.*?) \*/$")
TRAILING = re.compile(r"^(\t*)(\S.*?)\s*/\* (.*?) \*/$")
INSIDE = re.compile(r"^(\t*) \*( .*)$")
OPENING = re.compile(r"^(\t*)/\* (\S.*)$")


def width(text):
    return len(text.expandtabs(8))


def hanging(text):
    """Return the indentation that the continuation of a comment line has."""
    label = LABEL.match(text.lstrip())
    lead = len(text) - len(text.lstrip())
    return " " * (lead + (9 if label and len(label.group(1)) == 9 else 0))


def split(tabs, text, hang):
    """Return the comment line as several lines that fit."""
    lines, current = [], ""
    lead = text[: len(text) - len(text.lstrip())]
    for word in re.findall(r"\S+\s*", text):
        prefix = hang if lines else lead
        if current and width(f"{tabs} *{prefix}{(current + word).rstrip()}") > LIMIT:
            lines.append(f"{tabs} *{prefix}{current.rstrip()}")
            current = ""
        current += word
    lines.append(f"{tabs} *{hang if lines else lead}{current.rstrip()}")
    return lines


def block(tabs, text):
    """Return a comment of its own above the code: one line if it fits."""
    if width(f"{tabs}/* {text} */") <= LIMIT:
        return [f"{tabs}/* {text} */"]
    return [f"{tabs}/*", *split(tabs, " " + text, hanging(" " + text)), f"{tabs} */"]


def continues(line, hang):
    """Tell whether the next comment line is plain text of the same paragraph."""
    inside = INSIDE.match(line)
    if not inside or inside.group(2).endswith("*/"):
        return False
    text = inside.group(2)
    lead = text[: len(text) - len(text.lstrip())]
    plain = text.strip()
    return lead == hang and "  " not in plain and not STARTS.match(plain) and plain[0].isalnum()


def is_raw(line):
    """Tell whether a line is the preprocessor's or holds a string that looks like a comment."""
    return line.startswith("#") or '"' in line.split("/*")[0] and line.split("/*")[0].count('"') % 2


def unfold(lines, at):
    """Return the wrapped form of a too long line inside a comment, and how many lines it eats."""
    inside = INSIDE.match(lines[at])
    tabs, text = inside.groups()
    closing = text.endswith(" */")
    text = text[:-3] if closing else text
    hang = hanging(text)
    made = split(tabs, text, hang)
    if closing:
        return [*made, f"{tabs} */"], 1
    if at + 1 < len(lines) and continues(lines[at + 1], hang):
        rest = INSIDE.match(made[-1]).group(2).strip()
        below = INSIDE.match(lines[at + 1]).group(2).strip()
        lines[at + 1] = f"{tabs} *{hang}{rest} {below}"
        made.pop()
    return made, 1


def wrap(lines):
    out, at, fenced, comment = [], 0, False, False
    while at < len(lines):
        line = lines[at]
        fenced = "clang-format off" in line or fenced and "clang-format on" not in line
        made = [line]
        if comment and INSIDE.match(line) and not fenced and width(line) > LIMIT:
            made, _ = unfold(lines, at)
        elif not comment and not fenced and width(line) > LIMIT and not is_raw(line):
            if match := WHOLE.match(line):
                made = block(*match.groups())
            elif match := TRAILING.match(line):
                tabs, code, text = match.groups()
                made = [*block(tabs, text), tabs + code]
            elif match := OPENING.match(line):
                lines[at:at + 1] = [match.group(1) + "/*", match.group(1) + " * " + match.group(2)]
                continue
        if "/*" in line and not comment and "*/" not in line.split("/*")[-1]:
            comment = True
        elif comment and "*/" in line:
            comment = False
        out += made
        at += 1
    return out


def main():
    for name in sys.argv[2:]:
        source = pathlib.Path(name)
        copy = pathlib.Path(sys.argv[1]) / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text("\n".join(wrap(source.read_text(encoding="utf-8").splitlines())) + "\n", encoding="utf-8")


main()
