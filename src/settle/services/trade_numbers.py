"""Ids of trades and sides: they sort by the time they were given, and no two are equal."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from settle.domain.ids import TradeId, trade_id

if TYPE_CHECKING:
    from collections.abc import Callable

RANDOM_BYTES: Final = 10
_MOST: Final = 1 << 80
_ROOM: Final = 1 << 79  # a fresh start leaves half of the numbers of its instant to count up in


class TradeNumbers:
    """Counts up within one second, so that the older of two ids of a process is the smaller one."""

    def __init__(self, randomness: Callable[[int], bytes]) -> None:
        """`randomness` gives as many random bytes as it is asked for."""
        self._randomness = randomness
        self._lock = threading.Lock()
        self._second = -1
        self._number = 0

    def __call__(self, at: int) -> TradeId:
        """Give a fresh id. `at` in unix seconds; a clock that went back is not followed."""
        with self._lock:
            if at > self._second or self._number + 1 >= _MOST:
                self._second = max(at, self._second + 1)
                self._number = int.from_bytes(self._randomness(RANDOM_BYTES), "big") % _ROOM
            else:
                self._number += 1
            return trade_id(self._second * 1000, self._number.to_bytes(RANDOM_BYTES, "big"))
