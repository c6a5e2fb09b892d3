"""How much one participant may ask for at a time: a rate, requests under way, open streams.

What is over a bound is refused with 429 before anything is stored: nothing is accepted and dropped.
Kept in memory and by process: a bound protects the process, it is no promise.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from settle.domain.errors import Unavailable

if TYPE_CHECKING:
    from settle.domain.ids import Lei
    from settle.settings import ApiSettings

_MOST_NAMES: Final = 10_000
"""So many buckets are kept; full ones say nothing and are forgotten first."""


@dataclass(slots=True)
class _Bucket:
    """Requests that may be made at once, at an instant of the monotonic clock."""

    left: float
    at: float


class Limits:
    """One for each process; used by the event loop's thread alone."""

    def __init__(self, settings: ApiSettings, monotonic: Callable[[], float]) -> None:
        """`monotonic` gives seconds that never go back."""
        self._rate = settings.requests_per_s
        self._burst = settings.requests_at_once
        self._most_underway = settings.max_underway
        self._most_streams = settings.max_streams
        self._most_streams_in_all = settings.max_streams_in_all
        self._monotonic = monotonic
        self._buckets: dict[Lei, _Bucket] = {}
        self._underway: Counter[Lei] = Counter()
        self._streams: Counter[Lei] = Counter()

    def take(self, name: Lei) -> None:
        """Count a request. Raises Unavailable `rate_limited` for one too many."""
        bucket = self._bucket(name)
        if bucket.left < 1:
            wait_s = math.ceil((1 - bucket.left) / self._rate)
            message = f"more than {self._rate} requests a second: wait, nothing was accepted"
            raise Unavailable(message, wait_s, code="rate_limited")
        bucket.left -= 1

    def headers(self, name: Lei) -> dict[str, str]:
        """Tell the bound and what is left of it, as draft-ietf-httpapi-ratelimit-headers has it."""
        left = self._bucket(name).left
        full_in_s = math.ceil((self._burst - left) / self._rate)
        window_s = math.ceil(self._burst / self._rate)
        return {
            "RateLimit-Policy": f'"requests";q={self._burst};w={window_s}',
            "RateLimit": f'"requests";r={int(left)};t={full_in_s}',
        }

    @contextmanager
    def request(self, name: Lei) -> Iterator[None]:
        """Hold a place among the requests under way. Raises Unavailable `queue_full`."""
        if self._underway[name] >= self._most_underway:
            message = f"{self._most_underway} requests of yours are under way: wait for an answer"
            raise Unavailable(message, 1, code="queue_full")
        with _counted(self._underway, name):
            yield

    @contextmanager
    def stream(self, name: Lei) -> Iterator[None]:
        """Hold a place among the open streams. Raises Unavailable `too_many_streams`."""
        if self._streams[name] >= self._most_streams:
            message = f"{self._most_streams} streams of yours are open: close one"
            raise Unavailable(message, _STREAM_RETRY_S, code="too_many_streams")
        if self._streams.total() >= self._most_streams_in_all:
            message = "as many streams are open as this server holds: try again later"
            raise Unavailable(message, _STREAM_RETRY_S, code="too_many_streams")
        with _counted(self._streams, name):
            yield

    def _bucket(self, name: Lei) -> _Bucket:
        now = self._monotonic()
        bucket = self._buckets.get(name)
        if bucket is None:
            if len(self._buckets) >= _MOST_NAMES:
                self._forget_full(now)
            bucket = self._buckets[name] = _Bucket(self._burst, now)
        bucket.left = min(self._burst, bucket.left + (now - bucket.at) * self._rate)
        bucket.at = now
        return bucket

    def _forget_full(self, now: float) -> None:
        refill_s = self._burst / self._rate
        self._buckets = {
            name: one for name, one in self._buckets.items() if one.at + refill_s > now
        }


_STREAM_RETRY_S: Final = 5


@contextmanager
def _counted(counter: Counter[Lei], name: Lei) -> Iterator[None]:
    counter[name] += 1
    try:
        yield
    finally:
        counter[name] -= 1
        if not counter[name]:
            del counter[name]
