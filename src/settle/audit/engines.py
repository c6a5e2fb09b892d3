"""What is known of engines, as data; and what an audit of one did and did not check, in words.

Nothing is believed less or more because a node says that it is this or that: what cannot be checked
with it is named in the report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """An engine by the beginning of its client version.

    `exact_storage`: its storage tries hold what is not zero and nothing else, as they should.
    `seals`: its headers carry signatures of validators.
    """

    version: str
    exact_storage: bool = True
    seals: bool = False


KNOWN: Final = (
    # Slots that were only read stay in its tries, as zeros.
    Engine(version="anvil/", exact_storage=False),
    Engine(version="settle-tester/"),
)
UNKNOWN: Final = Engine(version="")


def engine_of(version: str) -> Engine:
    """Find what is known of a client."""
    return next((one for one in KNOWN if version.startswith(one.version)), UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How far an audit got with this node.

    `rules`: header rules that reproduced hashes. `proven`: contracts of `contracts` whose whole
    storage is under the state root; `slots`: slots proven one by one where it could not be.
    `no_proof` and `no_trace` are what the node answers where it gives none.
    """

    rules: Sequence[str]
    from_genesis: bool
    contracts: int
    proven: int
    slots: int
    no_proof: str
    no_trace: str
    database: bool
    build: bool


def told(coverage: Coverage) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Say what was checked and what was not."""
    rules = ", ".join(coverage.rules) or "none"
    checked = [
        f"hash, parent, roots of content and bloom of every header (rule: {rules})",
        "the log query against the receipts",
        "every event of the contracts against the calls that made it, and its result",
        "every signature of every settled instruction, message and approved operation",
        "every end of an escrow against its terms, its evidence and its clock",
        "holdings, supplies, assets, accounts, nonces, escrows, registry and roles in storage",
        "deployed code against the published code, and the transactions that created it",
    ]
    open_ends = ["who sealed the blocks: no rule for seals is known of this engine"]
    if not coverage.from_genesis:
        open_ends.append("the blocks before the first one of this audit")
    if coverage.proven:
        checked.append(
            f"the whole storage of {coverage.proven} of {coverage.contracts} contracts under the "
            "state root"
        )
    if coverage.slots:
        checked.append(f"{coverage.slots} slots of storage under the state root, one by one")
        open_ends.append("slots that no event touched: this engine's tries hold read slots, too")
    if coverage.no_proof:
        open_ends.append(f"storage under the state root: {coverage.no_proof}")
    if coverage.no_trace:
        open_ends.append(f"calls through foreign contracts: {coverage.no_trace}")
    if coverage.database:
        checked.append("the operator's database: blocks, events, derived rows, settled trades")
    else:
        open_ends.append("the operator's database: none was given")
    if coverage.build:
        checked.append("the published code against a fresh build")
    else:
        open_ends.append("the published code against a fresh build: none was given")
    return tuple(checked), tuple(open_ends)
