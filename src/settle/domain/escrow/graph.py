"""The state graph of an escrow as SVG: a lane for each milestone, from open to each of its ends.

Drawn from what the exploration reached, so an end that is not in the picture cannot happen (but by
agreement, which always can). Black on white and without scripts, for paper as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from settle.domain.escrow.clock import conditions_of, may_be_disputed
from settle.domain.escrow.conditions import named_milestones
from settle.domain.escrow.events import EndedBy, Outcome
from settle.domain.escrow.explore import Exploration
from settle.domain.escrow.payouts import BY_WORDS, name_of, payments_at
from settle.domain.escrow.register import Register
from settle.domain.escrow.terms import EscrowTerms
from settle.domain.escrow.wording_conditions import condition_lines
from settle.domain.escrow.wording_words import duration, instant
from settle.domain.ids import ZERO_ADDRESS, Address

_WIDTH: Final = 1180
_LEFT, _OPEN, _DISPUTED, _ENDS = 40, 60, 420, 690
_END_WIDTH: Final = _WIDTH - _ENDS - 20
_ROW, _PAD, _GAP = 17, 9, 12
_FITS: Final = {330: 50, 200: 30, _END_WIDTH: 70}
"""Characters of the font that fit a box of a width."""
_FILL: Final = {
    Outcome.RELEASED: "#e3f1e3",
    Outcome.REFUNDED: "#f3e6e0",
    Outcome.SPLIT: "#efeccf",
    Outcome.NONE: "#ffffff",
}
_UNDISPUTED: Final = frozenset((EndedBy.CONDITION, EndedBy.DEFAULT))


@dataclass(frozen=True, slots=True)
class _Box:
    x: int
    y: int
    width: int
    lines: tuple[str, ...]
    fill: str = "#ffffff"

    @property
    def height(self) -> int:
        return len(self.lines) * _ROW + 2 * _PAD

    @property
    def middle(self) -> int:
        return self.y + self.height // 2

    def drawn(self) -> str:
        """Write the box, its first line bold."""
        rows = "".join(
            f'<text x="{self.x + 10}" y="{self.y + _PAD + 13 + k * _ROW}"'
            f"{_BOLD if k == 0 else ''}>{escape(line)}</text>"
            for k, line in enumerate(self.lines)
        )
        return (
            f'<rect x="{self.x}" y="{self.y}" width="{self.width}" height="{self.height}" rx="4" '
            f'fill="{self.fill}" stroke="#333"/>{rows}'
        )


_BOLD: Final = ' font-weight="bold"'


def draw(
    terms: EscrowTerms,
    found: Exploration,
    *,
    register: Register,
    labels: Mapping[Address, str],
    names: Sequence[str] = (),
) -> str:
    """Draw the terms; `names` are the writer's for the milestones, `labels` for accounts."""
    parts: list[str] = []
    tops: list[int] = []
    y = 60
    for milestone in range(len(terms.deadlines)):
        tops.append(y)
        name = names[milestone] if milestone < len(names) else ""
        lane = _Lane(terms, found, milestone, name, register, labels)
        drawn, y = lane.draw(y)
        parts += drawn
        y += 26
    parts += _dependences(terms, tops)
    head = f"Opened before {instant(terms.open_by)}, or never. At any time before its end a "
    title = _text(_LEFT, 30, head + "milestone can also end as all its parties agree.", bold=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" width="{_WIDTH}" '
        f'height="{y}" font-family="Helvetica, Arial, sans-serif" font-size="12.5">'
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#333"/></marker></defs>'
        f'<rect width="{_WIDTH}" height="{y}" fill="#ffffff"/>{title}{"".join(parts)}</svg>\n'
    )


class _Lane:
    """One milestone: the box of being open, that of being disputed, and its ends."""

    def __init__(
        self,
        terms: EscrowTerms,
        found: Exploration,
        milestone: int,
        name: str,
        register: Register,
        labels: Mapping[Address, str],
    ) -> None:
        self._terms, self._milestone, self._name = terms, milestone, name
        self._register, self._labels = register, labels
        self._ends = sorted(found.ends[milestone])

    def draw(self, top: int) -> tuple[list[str], int]:
        plain = [end for end in self._ends if end[0] in _UNDISPUTED]
        ruled = [end for end in self._ends if end[0] not in _UNDISPUTED]
        opened = _Box(_OPEN, top, 330, self._open_lines())
        boxes, y = self._boxes(plain, top)
        arrows = [_arrow(opened.x + opened.width, opened.y + 20, box) for box in boxes]
        parts = [opened.drawn()]
        if may_be_disputed(self._terms, self._milestone):
            y = max(y, opened.y + 56)
            disputed = _Box(_DISPUTED, y, 200, self._dispute_lines(), "#eef2f8")
            ends, y = self._boxes(ruled, y)
            arrows.append(_arrow(opened.x + opened.width, opened.y + 40, disputed))
            arrows += [_arrow(disputed.x + disputed.width, disputed.y + 20, box) for box in ends]
            boxes += ends
            parts.append(disputed.drawn())
            y = max(y, disputed.y + disputed.height)
        parts += [box.drawn() for box in boxes]
        return [*arrows, *parts], max(y, opened.y + opened.height)

    def _open_lines(self) -> tuple[str, ...]:
        conditions = conditions_of(self._terms)
        condition = condition_lines(
            conditions[self._milestone], lambda who: name_of(who, self._labels)
        )
        title = f"Milestone {self._milestone + 1}" + (f": {self._name}" if self._name else "")
        deadline = f"open until {instant(self._terms.deadlines[self._milestone])}"
        rows = [row for line in condition for row in _wrapped(line, 330)]
        return (title, deadline, *rows)

    def _dispute_lines(self) -> tuple[str, ...]:
        terms = self._terms
        rows = [f"deadline + {duration(terms.dispute_time)}", f"panel: {terms.quorum} of "]
        rows[1] += f"{len(terms.arbiters)} decide"
        if terms.fallback_arbiter != ZERO_ADDRESS:
            rows += [f"then {name_of(terms.fallback_arbiter, self._labels)} alone"]
            rows += [f"for the last {duration(terms.fallback_time)}"]
        rows.append("the condition still counts")
        return ("disputed", *(row for line in rows for row in _wrapped(line, 200)))

    def _boxes(self, ends: Sequence[tuple[EndedBy, Outcome]], top: int) -> tuple[list[_Box], int]:
        """Stack a box for each end; rulings of one kind are one box."""
        boxes: list[_Box] = []
        ruled: set[EndedBy] = set()
        lines: tuple[str, ...]
        for by, outcome in ends:
            if by in (EndedBy.PANEL, EndedBy.FALLBACK_ARBITER):
                if by in ruled:
                    continue
                ruled.add(by)
                lines = (BY_WORDS[by], "how much of each payment is made, the rest goes back")
                fill = _FILL[Outcome.NONE]
            else:
                payments = payments_at(
                    self._terms,
                    self._milestone,
                    by,
                    outcome,
                    register=self._register,
                    labels=self._labels,
                )
                rows = (row for line in payments for row in _wrapped(line, _END_WIDTH))
                lines = (f"{BY_WORDS[by]}: {outcome.name.lower()}", *rows)
                fill = _FILL[outcome]
            box = _Box(_ENDS, top, _END_WIDTH, lines, fill)
            boxes.append(box)
            top += box.height + _GAP
        return boxes, top


def _dependences(terms: EscrowTerms, tops: Sequence[int]) -> list[str]:
    """Draw a dashed line from each milestone to those whose conditions name it."""
    parts = []
    for milestone, condition in enumerate(conditions_of(terms)):
        for k, named in enumerate(sorted(named_milestones(condition))):
            x = _OPEN - 12 - 9 * ((milestone + k) % 4)
            path = f"M{_OPEN},{tops[named] + 14} H{x} V{tops[milestone] + 14 + 6 * k} H{_OPEN}"
            parts.append(
                f'<path d="{path}" fill="none" stroke="#333" stroke-dasharray="5,3" '
                'marker-end="url(#arrow)"/>'
            )
    return parts


def _arrow(x: int, y: int, to: _Box) -> str:
    bend = to.x - 16
    return (
        f'<path d="M{x},{y} H{bend} V{to.middle} H{to.x}" fill="none" stroke="#333" '
        'marker-end="url(#arrow)"/>'
    )


def _text(x: int, y: int, text: str, *, bold: bool = False) -> str:
    return f'<text x="{x}" y="{y}"{_BOLD if bold else ""}>{escape(text)}</text>'


def _wrapped(line: str, width: int) -> list[str]:
    """Break a line where it no longer fits a box; what follows is indented alike."""
    fits = _FITS[width]
    indent = "\u00a0" * (len(line) - len(line.lstrip()))
    rows, row = [], indent
    for word in line.split():
        cut = [word[at : at + fits - 4] for at in range(0, len(word), fits - 4)]
        for piece in cut:
            if row.strip("\u00a0 ") and len(row) + 1 + len(piece) > fits:
                rows.append(row)
                row = indent + "\u00a0\u00a0"
            row = f"{row} {piece}" if row.strip("\u00a0 ") else row + piece
    return [*rows, row]
