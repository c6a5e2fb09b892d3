"""A document that people wrote, TOML or JSON, and the faults in it by line and path."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Iterator
from typing import Any, Final

from settle.domain.errors import InvalidInput
from settle.domain.escrow.positions import Path, lines_of_json, lines_of_toml, nearest_line

MAX_DOCUMENT: Final = 256 * 1024  # characters
_MAX_NESTING: Final = 32
_AT_LINE: Final = re.compile(r"line (\d+)")
_OPENERS: Final = frozenset("[{")
_CLOSERS: Final = frozenset("]}")


class Document:
    """The parsed text, and the way from a path in it to a line."""

    def __init__(self, text: str, *, is_json: bool) -> None:
        """Parse the text. Raises: InvalidInput with the line if it is no TOML or JSON."""
        _check_size(text)
        try:
            found = _parse_json(text) if is_json else tomllib.loads(text)
        except (tomllib.TOMLDecodeError, ValueError) as error:
            line = _AT_LINE.search(str(error))
            place = f"line {line[1]}: " if line else ""
            kind = "JSON" if is_json else "TOML"
            message = f"{place}this is no {kind}: {error}"
            raise InvalidInput("document_form", message) from error
        self._lines = lines_of_json(text) if is_json else lines_of_toml(text)
        self.root = Node(self, (), found)

    def fault(self, code: str, message: str, path: Path) -> InvalidInput:
        """Make the error for a value: its line, its path, and what is wrong."""
        line = nearest_line(self._lines, path)
        place = f"line {line}, {shown(path)}" if path else f"line {line}"
        return InvalidInput(code, f"{place}: {message}", pointer(path))


class Node:
    """One value of a document and its path. Every question that fails says where."""

    __slots__ = ("_document", "path", "value")

    def __init__(self, document: Document, path: Path, value: Any) -> None:  # noqa: ANN401  TOML
        """Keep the value."""
        self._document, self.path, self.value = document, path, value

    def fault(self, code: str, message: str) -> InvalidInput:
        """Make an error that stands here."""
        return self._document.fault(code, message, self.path)

    def at(self, *steps: str | int) -> Node:
        """Go to a member or an element that is there."""
        value = self.value
        for step in steps:
            value = value[step]
        return Node(self._document, (*self.path, *steps), value)

    def get(self, name: str) -> Node | None:
        """Go to a member, if it is there."""
        return self.at(name) if name in self.value else None

    def table(self, required: Collection[str], optional: Collection[str] = ()) -> Node:
        """Ask for a table with these members and no others."""
        if not isinstance(self.value, dict):
            raise self.fault("table_expected", "expected a table of named members")
        for name in self.value:
            if name not in required and name not in optional:
                known = ", ".join((*required, *optional))
                text = f"there is no member {name!r} here; there are {known}"
                raise self.at(name).fault("unknown_key", text)
        for name in required:
            if name not in self.value:
                raise self.fault("missing_key", f"the member {name} is missing")
        return self

    def elements(self, what: str, *, most: int, least: int = 1) -> Iterator[Node]:
        """Ask for a list of so many elements, and give each."""
        if not isinstance(self.value, list):
            raise self.fault("list_expected", f"expected a list of {what}")
        if not least <= len(self.value) <= most:
            text = f"expected {least} to {most} {what}, not {len(self.value)}"
            raise self.fault("list_length", text)
        return (self.at(index) for index in range(len(self.value)))

    def text(self, what: str) -> str:
        """Ask for a text."""
        if not isinstance(self.value, str):
            raise self.fault("text_expected", f"expected {what} as a text in quotation marks")
        return self.value

    def number(self, what: str, low: int, high: int) -> int:
        """Ask for a whole number within bounds."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.fault("number_expected", f"expected {what} as a whole number")
        if not low <= self.value <= high:
            raise self.fault("number_range", f"{what} is between {low} and {high}")
        return self.value


def shown(path: Path) -> str:
    """Write a path as people read it: `milestones[1].lines[0].quantity`, counted from 1."""
    parts = [f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in path]
    return "".join(parts).removeprefix(".")


def pointer(path: Path) -> str:
    """Write a path as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _check_size(text: str) -> None:
    """Refuse what would take the parsers too deep or too long."""
    if len(text) > MAX_DOCUMENT:
        raise InvalidInput("document_size", f"a document has at most {MAX_DOCUMENT} characters")
    depth = 0
    for character in text:
        depth += (character in _OPENERS) - (character in _CLOSERS)
        if depth > _MAX_NESTING:
            raise InvalidInput("document_depth", f"nested more than {_MAX_NESTING} deep")
        depth = max(depth, 0)


def _parse_json(text: str) -> Any:  # noqa: ANN401  JSON
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"the member {twice!r} stands twice")
        return found

    return json.loads(text, object_pairs_hook=once, parse_constant=_no_constant)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number here")
