"""Who may do what: the roles, what they open, and the proof that no plain key holds one.

Roles are AccessManager's. Every role is held by contracts only: by approvers, which act under two
signatures of two organisations, and by the registry, which writes standings into the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eth_abi.abi import decode

from settle.chain.abi import load_abi
from settle.chain.node import ContractCall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from settle.chain.deployment import Deployment
    from settle.chain.node import Node

ADMIN: Final = "ADMIN"
REGISTRAR: Final = "REGISTRAR"
ISSUER: Final = "ISSUER"
COMPLIANCE: Final = "COMPLIANCE"
REGISTRY: Final = "REGISTRY"
ROLES: Final[Mapping[str, int]] = {
    ADMIN: 0,  # AccessManager's own; it opens every restricted function that is not named below
    REGISTRAR: 1,
    ISSUER: 2,
    COMPLIANCE: 3,
    REGISTRY: 4,
}
APPROVER_ROLES: Final = (ADMIN, REGISTRAR, ISSUER, COMPLIANCE)
FUNCTIONS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "Settlement": {
        REGISTRAR: ("createAsset",),
        ISSUER: ("issue", "redeem"),
        COMPLIANCE: ("freezeAccount", "freezeAsset"),
        REGISTRY: ("setStanding",),
    },
    "Participants": {REGISTRAR: ("admit", "openAccount", "setStanding")},
}
_LOG_RANGE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Who holds a role, and how long each of its calls has to wait, in seconds."""

    role: str
    address: bytes
    delay_s: int


def role_members(deployment: Deployment, node: Node, block: int) -> list[Member]:
    """List who holds which role after a block, of all who were ever granted one."""
    manager = deployment.contracts["AccessManager"]
    granted = load_abi("AccessManager").events["RoleGranted"].hash
    seen: set[tuple[int, bytes]] = set()
    for first in range(deployment.block, block + 1, _LOG_RANGE):
        for log in node.logs(first, min(block, first + _LOG_RANGE - 1), [manager]):
            if log.topics[0] == granted:
                seen.add((int.from_bytes(log.topics[1], "big"), log.topics[2][12:]))
    names = {number: name for name, number in deployment.roles.items()}
    members: list[Member] = []
    for number, address in sorted(seen):
        has, delay_s = _ask(deployment, node, block, "hasRole", number, address)
        if has:
            name = names.get(number, f"role {number}")
            members.append(Member(role=name, address=address, delay_s=delay_s))
    return members


def authority_faults(deployment: Deployment, node: Node, block: int) -> list[str]:
    """Say in sentences where the roles on chain are not those of the deployment file.

    Empty where every role is held by exactly the contracts of the file, each function is opened by
    its role alone, and each approver has signers of two organisations.
    """
    expected = {
        (entry.role, bytes(entry.address)): entry.delay_s for entry in deployment.approvers.values()
    }
    expected[REGISTRY, bytes(deployment.participants)] = 0
    found = {(m.role, m.address): m.delay_s for m in role_members(deployment, node, block)}
    faults = [
        f"0x{address.hex()} holds the role {role}, the file does not say so"
        for role, address in found.keys() - expected.keys()
    ]
    for key, delay_s in expected.items():
        role, address = key
        if key not in found:
            faults.append(f"0x{address.hex()} does not hold the role {role}")
        elif found[key] != delay_s:
            faults.append(
                f"0x{address.hex()} holds {role} with a delay of {found[key]} s, not {delay_s}"
            )
    faults += [
        f"0x{address.hex()} holds the role {role} and is a plain key"
        for role, address in found
        if not node.code(address, block)
    ]
    return (
        faults + _function_faults(deployment, node, block) + _signer_faults(deployment, node, block)
    )


def _function_faults(deployment: Deployment, node: Node, block: int) -> list[str]:
    faults: list[str] = []
    for contract, roles in FUNCTIONS.items():
        for role, names in roles.items():
            for name in names:
                selector = load_abi(contract).functions[name].selector
                target = deployment.contracts[contract]
                [number] = _ask(deployment, node, block, "getTargetFunctionRole", target, selector)
                if number != deployment.roles[role]:
                    faults.append(f"{contract}.{name} is open to role {number}, not to {role}")
    return faults


def _signer_faults(deployment: Deployment, node: Node, block: int) -> list[str]:
    abi = load_abi("Approver")
    faults: list[str] = []
    for name, entry in deployment.approvers.items():
        organisations = set()
        for signer in entry.signers:
            data = abi.encode("organisationOf", signer)
            answer = node.call(ContractCall(to=entry.address, data=data), block)
            organisations.add(abi.decode("organisationOf", answer)[0])
        if len(organisations - {bytes(32)}) < 2:
            faults.append(f"the approver {name} has not two organisations any more")
    return faults


def _ask(
    deployment: Deployment, node: Node, block: int, function: str, *arguments: object
) -> tuple[int, ...]:
    abi = load_abi("AccessManager")
    data = abi.encode(function, *arguments)
    answer = node.call(ContractCall(to=deployment.contracts["AccessManager"], data=data), block)
    return tuple(decode(abi.functions[function].returns, answer))
