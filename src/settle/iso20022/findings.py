"""What is wrong with a message: each fault with its place, its code and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_FINDINGS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault. `code` is of sese.024's rejection list, `path` the element names from the root."""

    code: str
    path: str
    sentence: str

    @property
    def text(self) -> str:
        """The place and the sentence, as a person reads it."""
        return f"{self.path}: {self.sentence}"


class Findings:
    """Collects faults up to MAX_FINDINGS: what is so broken needs no longer list."""

    def __init__(self) -> None:
        """Begin with none."""
        self._found: list[Finding] = []

    def add(self, code: str, path: str, sentence: str) -> None:
        """Note a fault, once."""
        finding = Finding(code=code, path=path, sentence=sentence)
        if len(self._found) < MAX_FINDINGS and finding not in self._found:
            self._found.append(finding)

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self._found)

    def all(self) -> tuple[Finding, ...]:
        """Give the faults in the order in which they were found."""
        return tuple(self._found)
