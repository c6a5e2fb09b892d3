"""Follows the API's events: comes back by itself, behind the last one seen, and misses none."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from settle.client.codec import read
from settle.client.documents import Event
from settle.domain.errors import Broken, Unavailable
from settle.strict_json import read_json

if TYPE_CHECKING:
    from settle.client.transport import Transport

_SILENCE_S: Final = 45
"""The API says something every 15 seconds; a connection that is silent for longer is dead."""
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0


def follow(
    transport: Transport, after: int = 0, *, stop: threading.Event | None = None
) -> Iterator[Event]:
    """Give every event behind number `after`, those of the past first; it ends with `stop` alone.

    Raises: Broken if a number is missing; Conflict if the API never told the event `after`;
    Forbidden and the like at once, while an API that does not answer is waited for.
    """
    ended = stop or threading.Event()
    number = after
    pause_s = _FIRST_PAUSE_S
    while not ended.is_set():
        try:
            for event in _once(transport, number, ended):
                if event.number != number + 1:
                    message = f"event {event.number} came after event {number}"
                    raise Broken(message, code="event_missing")
                number = event.number
                pause_s = _FIRST_PAUSE_S
                yield event
        except Unavailable:
            ended.wait(pause_s * random.uniform(0.5, 1))  # noqa: S311  no secret
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _once(transport: Transport, number: int, ended: threading.Event) -> Iterator[Event]:
    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(number)}
    with transport.stream("/v1/events", headers, _SILENCE_S) as response:
        for data in _messages(response.iter_lines()):
            if ended.is_set():
                return
            if data:
                yield read(Event, _document(data))


def _document(data: str) -> object:
    try:
        return read_json(data)
    except ValueError as error:
        raise Broken("the API told an event that is not JSON", code="answer") from error


def _messages(lines: Iterable[str]) -> Iterator[str]:
    """Give the data of each message, empty for a comment: time to look whether to go on."""
    data: list[str] = []
    for line in lines:
        if line.startswith("data:"):
            data.append(line.removeprefix("data:").removeprefix(" "))
        elif not line:
            yield "\n".join(data)
            data = []
