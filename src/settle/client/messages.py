"""ISO 20022 messages as the client sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from settle.client.transport import Reply

_REFUSED = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAnswer:
    """The sese.024 that answers a message: accepted, or refused whole with its reasons."""

    accepted: bool
    xml: bytes
    trade_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message for the caller: what it is and what it is about; `Client.message` gives its XML."""

    number: int
    name: str
    trade_id: str
    reference: str
    created_at: int


def answer_of(reply: Reply) -> MessageAnswer:
    """Read the answer to a message."""
    location = reply.headers.get("location", "")
    return MessageAnswer(
        accepted=reply.status != _REFUSED,
        xml=reply.content,
        trade_id=location.rpartition("/")[2] or None,
    )
