"""Is the deployed code the published one? Its constants filled in, its creation shown."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from settle.audit import abi, published, typed_data, wire
from settle.audit.abi import AbiError
from settle.audit.calls import Creation
from settle.audit.deployment import Deployment
from settle.audit.findings import Code, Finding, Findings, Place
from settle.audit.published import (
    AFFIRMATION,
    APPROVER,
    ESCROW,
    MANAGER,
    PARTICIPANTS,
    SETTLEMENT,
    Published,
)
from settle.audit.rpc import NodeLine
from settle.audit.wire import NodeError
from settle.domain.keccak import keccak256

_WORD: Final = 32
_SIGNERS: Final = abi.reader([{"type": "address[]"}, {"type": "bytes32[]"}])


def constants_of(kind: str, address: bytes, deployment: Deployment) -> dict[str, bytes]:
    """Give each immutable of a contract as the word that has to stand in its code."""
    if kind == PARTICIPANTS:
        return {"ledger": abi.word(deployment.settlement)}
    if kind == MANAGER:
        return {}
    name = typed_data.SETTLE_APPROVER if kind == APPROVER else typed_data.SETTLE
    constants = {
        "_cachedChainId": abi.word(deployment.chain_id),
        "_cachedThis": abi.word(address),
        "_cachedDomainSeparator": typed_data.separator(name, deployment.chain_id, address),
        "_hashedName": keccak256(name.encode()),
        "_hashedVersion": keccak256(typed_data.VERSION.encode()),
        "_name": _short_string(name),
        "_version": _short_string(typed_data.VERSION),
    }
    if kind == SETTLEMENT:
        constants["affirmation"] = abi.word(deployment.affirmation)
        constants["escrow"] = abi.word(deployment.escrow)
    if kind in {AFFIRMATION, ESCROW}:
        constants["SELF"] = abi.word(address)
    return constants


def check_code(
    line: NodeLine,
    block: int,
    deployment: Deployment,
    contracts: dict[str, Published],
    findings: Findings,
) -> None:
    """Compare the code at each address after a block with the published code."""
    place, names = Place(block, 0), deployment.names()
    for address, kind in deployment.kinds().items():
        name = names[address]
        try:
            told = line.call("eth_getCode", wire.hexadecimal(address), wire.quantity(block))
            code = wire.data(told)
        except (NodeError, wire.Unreadable) as error:
            fact = f"code of {name}: {error}"
            findings.tell(place, Code.STATE_UNREADABLE, fact, account=address)
            continue
        contract = contracts[kind]
        constants = constants_of(kind, address, deployment)
        stated, computed = keccak256(code), keccak256(_filled(contract, constants))
        if stated == computed:
            pass
        elif _masked(contract, code) != _masked(contract, contract.code):
            findings.tell(
                *(place, Code.CODE, f"code of {name}"),
                account=address,
                stated=stated if code else "no code",
                computed=computed,
            )
        else:
            _tell_constants(contract, code, constants, place, name, address, findings)
        if stated != deployment.code_hashes[name]:
            findings.tell(
                *(place, Code.CODE_HASH, f"hash of the code of {name}"),
                account=address,
                stated=stated,
                computed=deployment.code_hashes[name],
            )


def check_build(contracts: dict[str, Published], build: Path, findings: Findings) -> None:
    """Compare the published code with that of a fresh build in a folder."""
    for name, fresh in published.load(build).items():
        ours = contracts[name]
        for part, stated, computed in (
            ("code", ours.code, fresh.code),
            ("creation code", ours.creation, fresh.creation),
        ):
            if stated != computed:
                findings.add(
                    Finding(
                        code=Code.BUILD,
                        fact=f"{part} of {name}",
                        stated=keccak256(stated),
                        computed=keccak256(computed),
                    )
                )


class Creations:
    """Compares what created each contract with the published creation code and its arguments.

    This shows the code without asking the node for it: the transaction is under the block's root.
    `signers` has those that each approver was created with, in order.
    """

    def __init__(
        self, deployment: Deployment, contracts: dict[str, Published], findings: Findings
    ) -> None:
        """Expect every contract of the deployment to be created once."""
        self._deployment = deployment
        self._contracts = contracts
        self._findings = findings
        self.signers: dict[bytes, tuple[bytes, ...]] = {}
        self._kinds = deployment.kinds()
        self._names = deployment.names()
        self._missing = set(self._kinds)

    def check(self, creation: Creation) -> None:
        """Check one creation."""
        self._missing.discard(creation.target)
        kind, name = self._kinds[creation.target], self._names[creation.target]
        code = self._contracts[kind].creation
        if creation.data[: len(code)] != code:
            self._tell(creation, f"creation code of {name}", keccak256(creation.data))
        elif kind == APPROVER:
            self._check_signers(creation, name, creation.data[len(code) :])
        elif creation.data[len(code) :] != self._arguments(kind):
            self._tell(creation, f"arguments of {name}", creation.data[len(code) :])

    def tell_missing(self, block: int) -> None:
        """Tell, when all blocks were read, whose creation was not among them."""
        for address in self._missing:
            self._findings.add(
                Finding(
                    code=Code.CREATION_UNEVIDENCED,
                    fact=f"creation of {self._names[address]}",
                    block=block,
                    account=address,
                )
            )

    def _arguments(self, kind: str) -> bytes:
        deployment = self._deployment
        words = {
            MANAGER: (deployment.deployer,),
            AFFIRMATION: (deployment.manager,),
            ESCROW: (deployment.manager,),
            SETTLEMENT: (deployment.manager, deployment.affirmation, deployment.escrow),
            PARTICIPANTS: (deployment.manager, deployment.settlement),
        }[kind]
        return b"".join(abi.word(address) for address in words)

    def _check_signers(self, creation: Creation, name: str, arguments: bytes) -> None:
        expected = {entry.address: entry.signers for entry in self._deployment.approvers.values()}[
            creation.target
        ]
        try:
            signers, organisations = _SIGNERS(arguments, 0)
        except AbiError:
            self._tell(creation, f"arguments of {name}", arguments)
            return
        self.signers[creation.target] = tuple(signers)
        if dict(zip(signers, organisations, strict=False)) != expected:
            self._findings.tell(
                creation.place,
                Code.APPROVER_SIGNERS,
                f"signers that {name} was created with",
                account=creation.target,
                stated=tuple(signers),
                computed=tuple(expected),
            )

    def _tell(self, creation: Creation, fact: str, stated: bytes) -> None:
        self._findings.tell(
            creation.place, Code.CREATION, fact, account=creation.target, stated=stated
        )


def _tell_constants(
    contract: Published,
    code: bytes,
    constants: dict[str, bytes],
    place: Place,
    name: str,
    address: bytes,
    findings: Findings,
) -> None:
    for label, places in contract.constants.items():
        for start, length in places:
            stated = code[start : start + length]
            if stated != constants.get(label):
                findings.tell(
                    *(place, Code.IMMUTABLE, f"{label} in the code of {name}"),
                    account=address,
                    stated=stated,
                    computed=constants.get(label),
                )


def _filled(contract: Published, constants: dict[str, bytes]) -> bytes:
    code = bytearray(contract.code)
    for label, places in contract.constants.items():
        for start, length in places:
            code[start : start + length] = constants.get(label, bytes(length))
    return bytes(code)


def _masked(contract: Published, code: bytes) -> bytes:
    blank = bytearray(code)
    for places in contract.constants.values():
        for start, length in places:
            if start + length <= len(blank):
                blank[start : start + length] = bytes(length)
    return bytes(blank)


def _short_string(text: str) -> bytes:
    """How OpenZeppelin keeps a short string in a word: left aligned, its length behind."""
    octets = text.encode()
    return octets.ljust(_WORD - 1, b"\0") + bytes((len(octets),))
