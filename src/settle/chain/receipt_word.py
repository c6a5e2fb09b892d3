"""What the chain says of instructions and escrows that receipts name: settled, opened, by when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from settle.chain.deployment import check_deployment
from settle.chain.events import EventDecoder
from settle.domain.chain_events import InstructionSettled
from settle.domain.escrow.events import EscrowOpened
from settle.services.receipts_check import ChainWord

if TYPE_CHECKING:
    from settle.chain.deployment import Deployment
    from settle.chain.node import Node

_RANGE = 2_000
"""Blocks a question: nodes bound how many events they answer with."""


def read_word(node: Node, deployment: Deployment, *, finality_depth: int = 0) -> ChainWord:
    """Read all outcomes up to the last final block.

    Raises: Unavailable if the node does not answer; Broken if its chain is not the deployment's.
    """
    check_deployment(deployment, node)
    last = max(node.head().number - finality_depth, 0)
    header = node.header(last)
    assert header is not None, "the chain has its own head"
    decoder = EventDecoder("Settlement")
    settled: set[bytes] = set()
    opened: set[bytes] = set()
    for first in range(deployment.block, last + 1, _RANGE):
        for log in node.logs(first, min(first + _RANGE - 1, last), [deployment.settlement]):
            match decoder.decode(b"".join(log.topics), log.data):
                case InstructionSettled(id=digest):
                    settled.add(digest)
                case EscrowOpened(id=escrow):
                    opened.add(escrow)
                case _:
                    pass
    return ChainWord(at=header.timestamp, settled=frozenset(settled), opened=frozenset(opened))
