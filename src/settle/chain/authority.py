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
    from collections.abc import Iterator, Mapping, Sequence

    from settle.chain.deployment import Deployment
    from settle.chain.node import Log, Node

ADMIN: Final = "ADMIN"
REGISTRAR: Final = "REGISTRAR"
ISSUER: Final = "ISSUER"
COMPLIANCE: Final = "COMPLIANCE"
REGISTRY: Final = "REGISTRY"
REVOKER: Final = "REVOKER"
ROLES: Final[Mapping[str, int]] = {
    ADMIN: 0,  # AccessManager's own; it opens every restricted function that is not named below
    REGISTRAR: 1,
    ISSUER: 2,
    COMPLIANCE: 3,
    REGISTRY: 4,
    REVOKER: 5,
}
APPROVER_ROLES: Final = (ADMIN, REGISTRAR, ISSUER, COMPLIANCE, REVOKER)
REVOCABLE: Final = (REGISTRAR, ISSUER, COMPLIANCE, REGISTRY)
"""Roles that REVOKER takes away at once. AccessManager lets it grant them too, but not for now."""
ADMIN_DELAY_S: Final = 86_400
GRANT_DELAY_S: Final = 3 * ADMIN_DELAY_S
"""From a grant of a revocable role until it counts.

Against stolen keys of REVOKER the administration needs its delay twice: to end their role, which
they cannot stop, and then to take back what they gave, which they could.
"""
SETBACK_S: Final = 5 * 86_400
"""AccessManager.minSetback: until a changed grant delay counts."""
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
    """Who holds a role, and how long each of its calls has to wait, in seconds.

    `coming_s` is that delay once a change that is under way counts; else the same.
    """

    role: str
    address: bytes
    delay_s: int
    coming_s: int


def role_members(deployment: Deployment, node: Node, block: int) -> list[Member]:
    """List who holds which role after a block, of all who were ever granted one."""
    seen = {
        (int.from_bytes(log.topics[1], "big"), log.topics[2][12:])
        for log in _said(deployment, node, block, "RoleGranted")
    }
    names = {number: name for name, number in deployment.roles.items()}
    members: list[Member] = []
    for number, address in sorted(seen):
        has, delay_s = _ask(deployment, node, block, "hasRole", number, address)
        if has:
            access = _ask(deployment, node, block, "getAccess", number, address)
            coming_s = access[2] if access[3] else delay_s
            name = names.get(number, f"role {number}")
            members.append(Member(role=name, address=address, delay_s=delay_s, coming_s=coming_s))
    return members


def _said(deployment: Deployment, node: Node, block: int, event: str) -> Iterator[Log]:
    """Give what the manager said under this name, up to a block."""
    manager = deployment.contracts["AccessManager"]
    topic = load_abi("AccessManager").events[event].hash
    for first in range(deployment.block, block + 1, _LOG_RANGE):
        for log in node.logs(first, min(block, first + _LOG_RANGE - 1), [manager]):
            if log.topics[0] == topic:
                yield log


def authority_faults(deployment: Deployment, node: Node, block: int) -> list[str]:
    """Say in sentences where the roles on chain are not those of the deployment file.

    Empty where every role is held by exactly the contracts of the file, each function is opened by
    its role alone, each approver has signers of two organisations, and nobody gives a role within a
    day.
    """
    expected = {
        (entry.role, bytes(entry.address)): entry.delay_s for entry in deployment.approvers.values()
    }
    expected[REGISTRY, bytes(deployment.participants)] = 0
    for entry in deployment.approvers.values():
        if entry.role == ADMIN:
            expected[REVOKER, bytes(entry.address)] = entry.delay_s
    members = role_members(deployment, node, block)
    found = {(m.role, m.address): m.coming_s for m in members}
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
    return [
        *faults,
        *_function_faults(deployment, node, block),
        *_grant_faults(deployment, node, block, members),
        *_signer_faults(deployment, node, block),
    ]


def _grant_faults(
    deployment: Deployment, node: Node, block: int, members: Sequence[Member]
) -> list[str]:
    """Where a role could be given within a day, now or once all that was changed counts."""
    faults: list[str] = []
    coming = {
        int.from_bytes(log.topics[1], "big"): int.from_bytes(log.data[:32], "big")
        for log in _said(deployment, node, block, "RoleGrantDelayChanged")
    }
    for role in REVOCABLE:
        number = deployment.roles[role]
        [admin] = _ask(deployment, node, block, "getRoleAdmin", number)
        if admin != deployment.roles[REVOKER]:
            faults.append(f"{role} is administered by role {admin}, not by {REVOKER}")
        if coming.get(number, 0) != GRANT_DELAY_S:
            faults.append(f"a grant of {role} counts after {coming.get(number, 0)} s")
        [now_s] = _ask(deployment, node, block, "getRoleGrantDelay", number)
        faults += [
            f"0x{member.address.hex()} gives {role} within {member.delay_s + now_s} s"
            for member in members
            if member.role == REVOKER and member.delay_s + now_s < ADMIN_DELAY_S
        ]
    return faults


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
