"""What `check` has to say about terms: refused, or only worth a look before signing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

REFUSED: Final = "refused"
WARNING: Final = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark. `milestone` counts from 0; None speaks of the terms as a whole."""

    severity: str
    code: str
    milestone: int | None
    text: str

    def __str__(self) -> str:
        """Write the remark in one line, milestones counted from 1."""
        where = "" if self.milestone is None else f"milestone {self.milestone + 1}: "
        return f"{self.severity}: {where}{self.text} [{self.code}]"
