"""script: the dialogue language: lines, words, escapes. See README.md."""

import os
import re

ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\", '"': b'"', "s": b" ", "$": b"$"}
ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)", re.S)
VARIABLE = re.compile(r"\$\{(\w+)\}")


class ScriptError(Exception):
    """The dialogue itself is wrong."""


def unescape(text):
    """Turn the text of a script into bytes: UTF-8, with \\r \\n \\t \\0 \\s \\\\ \\" \\$ \\xHH."""
    found = bytearray()
    end = 0
    for match in ESCAPE.finditer(text):
        found += text[end:match.start()].encode()
        code = match.group(1)
        if code[0] == "x" and len(code) == 3:
            found.append(int(code[1:], 16))
        elif code in ESCAPES:
            found += ESCAPES[code]
        else:
            raise ScriptError(f"unknown escape \\{code}")
        end = match.end()
    return bytes(found + text[end:].encode())


def words(text):
    """Split at spaces; a word in quotation marks may have spaces; escapes are resolved. Gives bytes."""
    found = []
    for match in re.finditer(r'"((?:[^"\\]|\\.)*)"|(\S+)', text):
        quoted, plain = match.groups()
        found.append(unescape(plain if quoted is None else quoted))
    return found


def expand(text, variables):
    """Replace each ${name}."""

    def value(match):
        name = match.group(1)
        if name not in variables:
            raise ScriptError(f"no variable {name}")
        return str(variables[name])

    return VARIABLE.sub(value, text)


class Statement:
    """One line of a dialogue."""

    def __init__(self, path, number, text):
        self.where = f"{os.path.basename(path)}:{number}"
        self.verb, _, self.rest = text.partition(" ")
        self.text = text


def read(path):
    """The statements of a dialogue file. Empty lines and lines that begin with # say nothing."""
    with open(path, encoding="utf-8") as stream:
        lines = stream.read().split("\n")
    found = []
    for number, line in enumerate(lines, 1):
        text = line.strip(" \t")
        if text and not text.startswith("#"):
            found.append(Statement(path, number, text))
    return found
