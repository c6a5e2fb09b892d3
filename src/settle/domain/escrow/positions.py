"""Where in a TOML or JSON text each value stands: its path, and the line that people look at.

The parsers of the standard library tell values and not their places. This scanner follows the same
texts only as far as needed for that; what is no TOML or JSON the parser says first.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Names of members and numbers in lists, from the whole document on."""

_BLANK: Final = re.compile(r"(?:[ \t\r\n,]|#[^\n]*)*")
_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_BARE: Final = re.compile(r"[^\s,\]}#]+")
_QUOTES: Final = ('"""', "'''", '"', "'")
_HEADER: Final = re.compile(r"\[\[?\s*([^\]]*?)\s*\]\]?")


def lines_of_json(text: str) -> dict[Path, int]:
    """Give the line, from 1 on, of each value of a JSON text that was parsed before."""
    scanner = _Scanner(text)
    scanner.value(())
    return scanner.lines


def lines_of_toml(text: str) -> dict[Path, int]:
    """Give the line, from 1 on, of each table and value of a TOML text that was parsed before."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


def nearest_line(lines: dict[Path, int], path: Path) -> int:
    """Give the line of the path, or of the nearest thing around it that stands somewhere."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


class _Scanner:
    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self._text, self._at = text, 0
        self._counts: dict[Path, int] = {}

    # -------------------------------------------------------------------------- TOML

    def document(self) -> None:
        """Follow headers and assignments to the end."""
        table: Path = ()
        while self._skip():
            if self._text[self._at] == "[":
                table = self._header()
            else:
                path = (*table, *self._key())
                self._mark(path)
                self._skip_over("=")
                self.value(path)

    def _header(self) -> Path:
        found = _HEADER.match(self._text, self._at)
        if found is None:
            self._at = len(self._text)
            return ()
        path: Path = ()
        names = [name.strip().strip("\"'") for name in found[1].split(".")]
        for k, name in enumerate(names):
            path = (*path, name)
            if k == len(names) - 1 and found[0].startswith("[["):
                self._counts[path] = self._counts.get(path, -1) + 1
            if path in self._counts:
                path = (*path, self._counts[path])
        self._mark(path)
        self._at = found.end()
        return path

    def _key(self) -> Path:
        names: list[str] = []
        while True:
            if self._text[self._at : self._at + 1] in ('"', "'"):
                names.append(self._string())
            else:
                found = _KEY.match(self._text, self._at)
                if found is None:
                    self._at += 1
                    return tuple(names)
                names.append(found[0])
                self._at = found.end()
            self._skip()
            if self._text[self._at : self._at + 1] != ".":
                return tuple(names)
            self._at += 1
            self._skip()

    # -------------------------------------------------------------------------- values

    def value(self, path: Path) -> None:
        """Follow one value and all within it."""
        if not self._skip():
            return
        self.lines.setdefault(path, self._line())
        first = self._text[self._at]
        if first in "\"'":
            self._string()
        elif first == "[":
            self._list(path)
        elif first == "{":
            self._table(path)
        else:
            found = _BARE.match(self._text, self._at)
            self._at = found.end() if found else self._at + 1

    def _list(self, path: Path) -> None:
        self._at += 1
        index = 0
        while self._skip() and self._text[self._at] != "]":
            self.value((*path, index))
            index += 1
        self._at += 1

    def _table(self, path: Path) -> None:
        self._at += 1
        while self._skip() and self._text[self._at] != "}":
            inner = (*path, *self._key())
            self._mark(inner)
            self._skip_over("=:")
            self.value(inner)
        self._at += 1

    def _string(self) -> str:
        for quote in _QUOTES:
            if self._text.startswith(quote, self._at):
                break
        start = self._at = self._at + len(quote)
        while self._at < len(self._text) and not self._text.startswith(quote, self._at):
            self._at += 2 if self._text[self._at] == "\\" and quote[0] == '"' else 1
        found = self._text[start : self._at]
        self._at += len(quote)
        return found

    # -------------------------------------------------------------------------- steps

    def _skip(self) -> bool:
        """Pass blanks and comments; whether anything is left."""
        found = _BLANK.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._at < len(self._text)

    def _skip_over(self, signs: str) -> None:
        if self._skip() and self._text[self._at] in signs:
            self._at += 1

    def _mark(self, path: Path) -> None:
        self.lines[path] = self._line()

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1
