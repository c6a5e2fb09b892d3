"""Deploys the contracts, gives every role to a contract, and leaves the deployer with nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from settle.chain.abi import load_abi
from settle.chain.authority import (
    ADMIN,
    APPROVER_ROLES,
    FUNCTIONS,
    GRANT_DELAY_S,
    REGISTRY,
    REVOCABLE,
    REVOKER,
    ROLES,
    SETBACK_S,
    authority_faults,
)
from settle.chain.deployment import ApproverEntry, Deployment
from settle.chain.direct import DirectSender, Order
from settle.chain.signing import created_address
from settle.domain.errors import Broken, InvalidInput
from settle.domain.ids import Address
from settle.domain.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from settle.chain.node import Node
    from settle.chain.profile import EngineProfile

_CREATION_GAS: Final = 500_000
_CREATION_GAS_BYTE: Final = 300  # 200 for a byte of code, 16 for a byte of the call, and room
_CALL_GAS: Final = 400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproverPlan:
    """An approver to be: its role, and the organisation by signer (two or more of them)."""

    role: str
    signers: Mapping[Address, str]
    delay_s: int = 0


def deploy(
    *,
    node: Node,
    profile: EngineProfile,
    key: bytes,
    approvers: Mapping[str, ApproverPlan],
    pause: Callable[[], None] | None = None,
) -> Deployment:
    """Deploy everything with the key of a deployer who has funds and keeps no right.

    All transactions go out together: addresses of new contracts follow from the deployer's nonce.
    Gives the signed deployment. Raises InvalidInput for approvers that are not four eyes, Broken if
    the roles on chain are not as planned afterwards.
    """
    check_plans(approvers)
    direct = DirectSender(node=node, profile=profile, key=key, pause=pause)
    head = node.head()
    nonce = node.nonce(direct.address, head.number)
    creations = _Creations(direct.address, nonce)
    manager = creations.add("AccessManager", load_abi("AccessManager").creation(direct.address))
    affirmation = creations.add("Affirmation", load_abi("Affirmation").creation(manager))
    escrow = creations.add("Escrow", load_abi("Escrow").creation(manager))
    settlement = creations.add(
        "Settlement", load_abi("Settlement").creation(manager, affirmation, escrow)
    )
    participants = creations.add(
        "Participants", load_abi("Participants").creation(manager, settlement)
    )
    contracts = {
        "AccessManager": manager,
        "Affirmation": affirmation,
        "Escrow": escrow,
        "Settlement": settlement,
        "Participants": participants,
    }
    entries = {
        name: ApproverEntry(
            address=creations.add(name, _approver_creation(plan)),
            role=plan.role,
            delay_s=plan.delay_s,
            signers=plan.signers,
        )
        for name, plan in approvers.items()
    }
    receipts = direct.send_all(
        [*creations.orders, *_role_orders(contracts, entries, direct.address)]
    )
    block = node.head().number
    addresses = {**contracts, **{name: entry.address for name, entry in entries.items()}}
    deployment = Deployment(
        chain_id=node.chain_id(),
        genesis_hash=_genesis_hash(node),
        block=min(receipt.block_number for receipt in receipts),
        contracts=contracts,
        approvers=entries,
        roles=ROLES,
        code_hashes={name: keccak256(node.code(a, block)) for name, a in addresses.items()},
        deployer=direct.address,
    ).signed(key)
    faults = authority_faults(deployment, node, block)
    if faults:
        raise Broken("the roles are not as planned: " + "; ".join(faults), code="authority")
    return deployment


def check_plans(approvers: Mapping[str, ApproverPlan]) -> None:
    """Refuse approvers that one organisation, or one lost key, could misuse or end.

    Each role has an approver, each approver signers of two organisations, and the administration
    has two approvers without a common key: an approver whose signers are gone cannot be replaced
    by itself. Raises InvalidInput.
    """
    for name, plan in approvers.items():
        if plan.role not in APPROVER_ROLES:
            raise InvalidInput("role", f"the approver {name} has the unknown role {plan.role}")
        if len(set(plan.signers.values())) < 2:
            raise InvalidInput("organisations", f"the approver {name} needs two organisations")
        for organisation in plan.signers.values():
            _organisation(organisation)
    for role in APPROVER_ROLES:
        holders = [plan for plan in approvers.values() if plan.role == role]
        if len(holders) < (2 if role == ADMIN else 1):
            raise InvalidInput("role", f"{len(holders)} approvers hold {role}: too few")
    administrators = [plan for plan in approvers.values() if plan.role == ADMIN]
    keys = [signer for plan in administrators for signer in plan.signers]
    if len(keys) != len(set(keys)):
        raise InvalidInput("admin_keys", "the approvers of ADMIN must have no signer in common")


class _Creations:
    """Contracts to be created one after the other by one account."""

    def __init__(self, deployer: bytes, nonce: int) -> None:
        self._deployer = deployer
        self._nonce = nonce
        self.orders: list[Order] = []

    def add(self, name: str, data: bytes) -> Address:
        address = created_address(self._deployer, self._nonce + len(self.orders))
        gas = _CREATION_GAS + _CREATION_GAS_BYTE * len(data)
        self.orders.append(Order(to=b"", data=data, gas=gas, what=f"creation of {name}"))
        return Address(address)


def _approver_creation(plan: ApproverPlan) -> bytes:
    signers = list(plan.signers)
    organisations = [_organisation(plan.signers[signer]) for signer in signers]
    return load_abi("Approver").creation(signers, organisations)


def _organisation(name: str) -> bytes:
    """Write an organisation's name (its LEI, for instance) as the approver keeps it."""
    octets = name.encode()
    if not 0 < len(octets) <= 32 or b"\0" in octets:
        raise InvalidInput("organisation", f"{name!r} does not fit into 1 to 32 bytes")
    return octets.ljust(32, b"\0")


def _role_orders(
    contracts: Mapping[str, Address], approvers: Mapping[str, ApproverEntry], deployer: Address
) -> Sequence[Order]:
    """Open the functions to their roles, give the roles, and let the deployer's own right end."""
    manager = load_abi("AccessManager")
    orders: list[Order] = []

    def call(what: str, function: str, *arguments: object) -> None:
        data = manager.encode(function, *arguments)
        to = contracts["AccessManager"]
        orders.append(Order(to=to, data=data, gas=_CALL_GAS, what=what))

    for contract, roles in FUNCTIONS.items():
        for role, names in roles.items():
            functions = load_abi(contract).functions
            selectors = [functions[name].selector for name in names]
            what = f"opening of {contract} to {role}"
            call(what, "setTargetFunctionRole", contracts[contract], selectors, ROLES[role])
    call("role of the registry", "grantRole", ROLES[REGISTRY], contracts["Participants"], 0)
    for name, entry in approvers.items():
        if entry.role != REVOKER:
            call(f"role of {name}", "grantRole", ROLES[entry.role], entry.address, entry.delay_s)
    _revocation(call, approvers.values())
    call("end of the deployer's right", "renounceRole", ROLES[ADMIN], deployer)
    return orders


def _revocation(call: Callable[..., None], approvers: Iterable[ApproverEntry]) -> None:
    """Let REVOKER take roles away at once, without being able to give one at once.

    Who administers a role does both, and a grant delay counts only after AccessManager's setback.
    Until then the approver of REVOKER waits as long itself: its delay is set and taken back, which
    counts after as many seconds. The administration may do the same under its own delay.
    """
    for role in REVOCABLE:
        call(f"grant delay of {role}", "setGrantDelay", ROLES[role], GRANT_DELAY_S)
        call(f"administration of {role}", "setRoleAdmin", ROLES[role], ROLES[REVOKER])
    for entry in approvers:
        delays = {ADMIN: (entry.delay_s,), REVOKER: (SETBACK_S, entry.delay_s)}
        for delay_s in delays.get(entry.role, ()):
            call("role of revoking", "grantRole", ROLES[REVOKER], entry.address, delay_s)


def _genesis_hash(node: Node) -> bytes:
    genesis = node.header(0)
    if genesis is None:
        raise Broken("the chain has no first block", code="genesis")
    return genesis.hash
