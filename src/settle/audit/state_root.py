"""Is there anything in the contracts' storage that the events did not put there?

The whole storage of each contract is written anew from the books; the root of its trie must be the
one that the header's state root commits to, by a proof that the node gives (EIP-1186). The same
proof shows the hash of the code. Where a node gives no proofs this is not checked, and said so.
"""

from __future__ import annotations

from typing import Any, Final

from settle.audit import expected_storage, merkle, rlp, wire
from settle.audit.abi import word
from settle.audit.authority_state import Authority
from settle.audit.blocks import Block
from settle.audit.books import Books
from settle.audit.deployment import Deployment
from settle.audit.engines import Engine
from settle.audit.findings import Code, Findings, Place
from settle.audit.published import AFFIRMATION, ESCROW, MANAGER, PARTICIPANTS, SETTLEMENT, Published
from settle.audit.rpc import NodeLine
from settle.audit.wire import NodeError
from settle.domain.keccak import keccak256

_SLOTS_AT_ONCE: Final = 500


class StateRootCheck:
    """The comparison after one block.

    `proven` counts contracts with exactly the storage they have to have, `slots` those proven one
    by one instead; `without_proof` is what the node answers where it gives none.
    """

    def __init__(
        self,
        line: NodeLine,
        engine: Engine,
        block: Block,
        deployment: Deployment,
        contracts: dict[str, Published],
        findings: Findings,
    ) -> None:
        """Ask `line` for proofs at `block`."""
        self._line = line
        self._engine = engine
        self._block = block
        self._place = Place(block.number, block.timestamp)
        self._deployment = deployment
        self._contracts = contracts
        self._findings = findings
        self.proven = self.slots = 0
        self.without_proof = ""

    def run(self, books: Books, authority: Authority) -> None:
        """Compare every contract of the deployment."""
        deployment, names = self._deployment, self._deployment.names()
        for address, kind in deployment.kinds().items():
            state: dict[str, Any] | None
            if kind == SETTLEMENT:
                state = expected_storage.settlement_state(books, deployment.manager)
            elif kind == PARTICIPANTS:
                state = expected_storage.participants_state(books, deployment.manager)
            elif kind == MANAGER:
                state = expected_storage.manager_state(authority)
            elif kind in {AFFIRMATION, ESCROW}:
                state = {"_authority": deployment.manager}
            else:
                state = expected_storage.approver_state(authority.approvers[address])
            try:
                self._contract(address, kind, names[address], state)
            except NodeError as error:
                self.without_proof = str(error)
                return
            except (ValueError, TypeError, RecursionError) as error:
                fact = f"proof of {names[address]}: {error}"
                self._findings.tell(self._place, Code.STATE_PROOF, fact, account=address)

    def _contract(self, address: bytes, kind: str, name: str, state: dict[str, Any] | None) -> None:
        storage_root, code_hash = self._account(address)
        expected = self._deployment.code_hashes[name]
        self._differs(
            Code.CODE_HASH, f"proven hash of the code of {name}", address, code_hash, expected
        )
        if state is None:
            return
        layout = self._contracts[kind].layout
        computed = layout.root(state)
        if storage_root == computed:
            self.proven += 1
            return
        slots = layout.slots(state)
        before = self._findings.total
        self._prove_slots(address, name, storage_root, slots)
        if self._findings.total == before:
            if self._engine.exact_storage:
                fact = f"root of the storage of {name}"
                self._differs(Code.STORAGE_ROOT, fact, address, storage_root, computed)
            else:
                self.slots += len(slots)

    def _account(self, address: bytes) -> tuple[bytes, bytes]:
        """Give the storage root and the code's hash that the state root commits to."""
        told = self._proof(address, [])
        proof = [wire.data(node) for node in wire.field(told, "accountProof")]
        leaf = merkle.proven(self._block.state_root, keccak256(address), proof)
        if leaf is None:
            raise ValueError("the state has no such contract")
        _, _, storage_root, code_hash = rlp.decode(leaf)
        return wire.octets(storage_root), wire.octets(code_hash)

    def _prove_slots(self, address: bytes, name: str, root: bytes, slots: dict[int, int]) -> None:
        """Prove each slot by itself: which of them is not what it has to be?"""
        keys = sorted(slots)
        for start in range(0, len(keys), _SLOTS_AT_ONCE):
            some = keys[start : start + _SLOTS_AT_ONCE]
            told = wire.records(
                wire.field(self._proof(address, some), "storageProof"), "the proofs of slots"
            )
            for slot, entry in zip(some, told, strict=True):
                proof = [wire.data(node) for node in wire.field(entry, "proof")]
                leaf = merkle.proven(root, keccak256(word(slot)), proof) or rlp.encode(b"")
                stated = int.from_bytes(wire.octets(rlp.decode(leaf)), "big")
                fact = f"proven slot {slot:#x} of {name}"
                self._differs(Code.STORAGE_ROOT, fact, address, stated, slots[slot])

    def _proof(self, address: bytes, slots: list[int]) -> wire.Json:
        keys = [wire.hexadecimal(word(slot)) for slot in slots]
        number = wire.quantity(self._block.number)
        told = self._line.call("eth_getProof", wire.hexadecimal(address), keys, number)
        return wire.record(told, "the proof")

    def _differs(
        self, code: Code, fact: str, address: bytes, stated: object, computed: object
    ) -> None:
        if stated != computed:
            self._findings.tell(
                self._place, code, fact, account=address, stated=stated, computed=computed
            )
