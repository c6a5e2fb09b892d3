"""A random walk of calls on contract and twin, with a bias to where the rules have their edges."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from tests.parity import acts_of_modules as modules
from tests.parity import acts_on_instructions as instructions
from tests.parity import acts_on_ledger as ledger
from tests.parity.draws import Draws
from tests.parity.lockstep import Lockstep
from tests.parity.world import START

VERBS: Final[Mapping[Callable[[Draws], None], int]] = {
    instructions.settle: 16,
    instructions.settle_many: 7,
    instructions.affirm: 9,
    instructions.affirm_and_commit: 3,
    instructions.reserve: 9,
    instructions.release: 7,
    instructions.withdraw: 3,
    instructions.cancel: 4,
    ledger.wait: 10,
    ledger.change_standing: 2,
    ledger.freeze_account: 2,
    ledger.freeze_asset: 2,
    ledger.thaw: 2,
    ledger.add_asset: 1,
    ledger.bring_in: 4,
    ledger.redeem: 3,
    modules.change_module: 1,
    modules.place_hold: 5,
    modules.release_hold: 4,
    modules.post: 4,
}
"""What a step does, and how often."""


class Walk:
    """One walk; the same seed walks the same way."""

    def __init__(self, both: Lockstep, seed: int) -> None:
        self._both = both
        self._draws = Draws(both, seed)
        self._trace: list[str] = []

    def run(self, steps: int) -> None:
        """Walk; a difference raises AssertionError with the way that led to it."""
        for _ in range(steps):
            with self._told():
                self._step()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            way = "\n".join(self._trace[-25:])
            raise AssertionError(f"{error}\nafter {len(self._trace)} steps:\n{way}") from error

    def _step(self) -> None:
        both, random = self._both, self._draws.random
        verb = random.choices(tuple(VERBS), tuple(VERBS.values()))[0]
        self._trace.append(f"{both.now - START:>6} {verb.__name__}")
        verb(self._draws)
        both.compare_books()
        if self._draws.pool:
            both.compare_why_not(self._draws.request(random.choice(self._draws.pool)))
