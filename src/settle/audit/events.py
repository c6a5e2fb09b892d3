"""Events of the contracts, read from logs by the published ABI."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from typing import NamedTuple

from settle.audit.abi import AbiError, Value
from settle.audit.blocks import Transaction
from settle.audit.findings import Code, Findings, Place
from settle.audit.published import Published


class Event(NamedTuple):
    """What a contract said. `subject` is its first topic: an id for all that speak of one."""

    address: bytes
    name: str
    subject: bytes
    arguments: dict[str, Value]
    place: Place


class EventReader:
    """Reads the logs of known addresses."""

    def __init__(
        self, published: dict[str, Published], kinds: Mapping[bytes, str], findings: Findings
    ) -> None:
        """Read by the published events; `kinds` tells which contract lies at an address."""
        self._published = published
        self._kinds = kinds
        self._findings = findings

    def read(self, transaction: Transaction, place: Place) -> deque[Event]:
        """Give the events of a transaction that known contracts made, in order."""
        found: deque[Event] = deque()
        for log in transaction.logs:
            kind = self._kinds.get(log.address)
            if kind is None:
                continue
            here = place._replace(transaction=transaction.hash, log_index=log.index)
            topic = log.topics[0] if log.topics else b""
            signature = self._published[kind].events.get(topic)
            if signature is None:
                self._findings.tell(
                    here, Code.IMPOSSIBLE, f"an event that no {kind} has", account=log.address
                )
                continue
            try:
                arguments = signature.event(log.topics, log.data)
            except AbiError as error:
                fact = f"{signature.name}: {error}"
                self._findings.tell(here, Code.IMPOSSIBLE, fact, account=log.address)
                continue
            subject = log.topics[1] if len(log.topics) > 1 else b""
            found.append(Event(log.address, signature.name, subject, arguments, here))
        return found


def run_of(
    stream: deque[Event], address: bytes, subject: bytes, closers: Collection[str]
) -> list[Event]:
    """Take the events about one id from the front, up to the one that closes the act."""
    run: list[Event] = []
    while stream and stream[0].address == address and stream[0].subject == subject:
        run.append(stream.popleft())
        if run[-1].name in closers:
            break
    return run
