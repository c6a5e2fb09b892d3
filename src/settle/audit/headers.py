"""Block headers: what their hash is taken over. One row of data per rule, no code per engine.

A rule is believed because it reproduces hashes, first of all the genesis hash that the deployment
file names; the node is not asked which rule it follows. Sources: Ethereum yellow paper 4.3,
EIP-1559, EIP-4895, EIP-4844, EIP-4788, EIP-7685.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from settle.audit import rlp, wire
from settle.audit.wire import Json
from settle.domain.keccak import keccak256

_Reader = Callable[[Json], bytes]


def _number(value: Json) -> bytes:
    return rlp.number(wire.number(value))


@dataclass(frozen=True, slots=True)
class HeaderRule:
    """Fields in the order of the hash. Those of `later` came with forks: present from one on."""

    name: str
    fields: tuple[tuple[str, _Reader], ...]
    later: tuple[tuple[str, _Reader], ...]

    def hash(self, header: Mapping[str, Json]) -> bytes:
        """Hash a header as the node gives it. Raises Unreadable."""
        items = [read(wire.field(header, name)) for name, read in self.fields]
        for name, read in self.later:
            if header.get(name) is None:
                break
            items.append(read(header[name]))
        return keccak256(rlp.encode(items))


ETHEREUM: Final = HeaderRule(
    name="ethereum",
    fields=(
        ("parentHash", wire.data),
        ("sha3Uncles", wire.data),
        ("miner", wire.data),
        ("stateRoot", wire.data),
        ("transactionsRoot", wire.data),
        ("receiptsRoot", wire.data),
        ("logsBloom", wire.data),
        ("difficulty", _number),
        ("number", _number),
        ("gasLimit", _number),
        ("gasUsed", _number),
        ("timestamp", _number),
        ("extraData", wire.data),
        ("mixHash", wire.data),
        ("nonce", wire.data),
    ),
    later=(
        ("baseFeePerGas", _number),
        ("withdrawalsRoot", wire.data),
        ("blobGasUsed", _number),
        ("excessBlobGas", _number),
        ("parentBeaconBlockRoot", wire.data),
        ("requestsHash", wire.data),
    ),
)
"""anvil, eth-tester and every Ethereum node. None of the two first has seals to check."""

RULES: Final = (ETHEREUM,)


def rule_of(header: Mapping[str, Json]) -> HeaderRule | None:
    """Find the rule by which a header hashes to the hash it claims. None if there is none."""
    claimed = wire.data(wire.field(header, "hash"), 32)
    for rule in RULES:
        try:
            if rule.hash(header) == claimed:
                return rule
        except wire.Unreadable:
            continue
    return None
