"""A small language for the form of a message, and the reading of tables written in it.

One line states one type. `name: a b c` is a sequence, `name | a b c` a choice of exactly one. A
part is `Element:type`, with `?` if it may be absent, `*` if there may be any number, `*5` if there
may be up to five, and `@11` if only that version of the message has it. A type is another line of
the table, a plain type of `plain_types`, `code(A,B)` and `flag` (the two usual choices of a
standard or a proprietary value), `!` (the schema has it, we refuse it by name) or `any` (foreign
content that is never read).

A message that a table accepts is one that the schema accepts: tests compare the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

REFUSED: Final = "!"
ANY: Final = "any"

_PART = re.compile(
    r"(?P<name>\w+):(?P<type>[^\s?*@]+)(?P<many>\?|\*[0-9]*)?(?:@(?P<version>\d+))?\Z"
)
_CODE = re.compile(r"code\((?P<values>[^)]+)\)\Z")
_GENERIC: Final = "generic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One element inside another: its type by name, how often it may stand there, since when."""

    name: str
    type: str
    least: int = 1
    most: int | None = 1
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What stands inside an element: all the parts in their order, or exactly one of them."""

    kind: Literal["sequence", "choice"]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """The types of one version of a message, by their names in its table."""

    groups: Mapping[str, Group]
    version: str

    def group(self, name: str) -> Group | None:
        """Give the parts of a type, None for a plain one. Parts of other versions are left out."""
        code = _CODE.match(name)
        if name == "flag" or code:
            value = Part(name="Ind", type="boolean")
            if code:
                value = Part(name="Cd", type=f"one({code['values']})")
            return Group(kind="choice", parts=(value, Part(name="Prtry", type=_GENERIC)))
        return self.groups.get(name)


def _part(text: str) -> Part:
    found = _PART.match(text)
    if not found:
        raise ValueError(f"not a part of a message: {text!r}")
    many = found["many"] or ""
    most = int(many.lstrip("*?") or 0) or None
    return Part(
        name=found["name"],
        type=found["type"],
        least=0 if many else 1,
        most=most if many.startswith("*") else 1,
        version=found["version"],
    )


def read_table(table: str, version: str) -> Grammar:
    """Read the lines of a table for one version of the message, as its two last digits."""
    groups: dict[str, Group] = {}
    for line in _joined_lines(table):
        head, *parts = line.split()
        choice = parts[0] == "|"
        read = [_part(text) for text in (parts[1:] if choice else parts)]
        groups[head.rstrip(":")] = Group(
            kind="choice" if choice else "sequence",
            parts=tuple(part for part in read if part.version in (None, version)),
        )
    return Grammar(groups=groups, version=version)


def _joined_lines(table: str) -> list[str]:
    """Undo the wrapping of long lines: what is indented belongs to the line before."""
    lines: list[str] = []
    for line in table.splitlines():
        if line[:1].isspace() and lines:
            lines[-1] += ("" if lines[-1].endswith(",") else " ") + line.strip()
        elif line.strip():
            lines.append(line.strip())
    return lines


Visit = Callable[[str, Part], None]


def walk(grammar: Grammar, root: str, visit: Visit) -> None:
    """Call `visit(path, part)` for every element that may stand under the type `root`."""

    def descend(name: str, path: str) -> None:
        group = grammar.group(name)
        for part in group.parts if group else ():
            visit(f"{path}/{part.name}", part)
            descend(part.type, f"{path}/{part.name}")

    descend(root, "")
