"""What disputes do to an escrow's time, and which milestones admit one (law L7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from settle.audit.escrow_conditions import Condition
from settle.audit.escrow_terms import NOBODY, EscrowTerms


class EscrowClock:
    """One escrow's clock after the disputes so far."""

    def __init__(
        self, terms: EscrowTerms, conditions: Sequence[Condition], disputes: Mapping[int, int]
    ) -> None:
        """`disputes`: when each disputed milestone was."""
        self._terms = terms
        self._conditions = conditions
        self._disputes = disputes

    def moved(self, milestone: int, instant: int) -> int:
        """Where an instant of a milestone's terms lies now. What was reached stays reached."""
        shifts: list[int] = []
        for m in range(milestone + 1):
            shift = max((shifts[d] for d in self._conditions[m].names), default=0)
            disputed_at = self._disputes.get(m)
            if disputed_at is not None and disputed_at < instant + shift:
                shift += self._terms.extension
            shifts.append(shift)
        return instant + shifts[milestone]

    def panel_until(self, milestone: int, disputed_at: int) -> int:
        """When the panel's turn ends and the fallback's begins."""
        terms = self._terms
        deadline = self.moved(milestone, terms.deadlines[milestone])
        if terms.fallback == NOBODY:
            return deadline
        times = [self.moved(milestone, at) for at in self._conditions[milestone].times]
        ends = min([deadline, *(at for at in times if at > disputed_at)])
        return ends - terms.fallback_time

    def dependants(self, milestone: int) -> list[int]:
        """The milestone and all whose end hangs on its outcome."""
        found = [milestone]
        for m in range(milestone + 1, len(self._conditions)):
            if self._conditions[m].names & set(found):
                found.append(m)
        return found

    def is_locked(self, milestone: int) -> bool:
        """Whether a hash lock hangs on it, so that nobody may move its time."""
        return any(self._conditions[m].has_lock for m in self.dependants(milestone))
