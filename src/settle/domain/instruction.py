"""The signed terms, their id, and the digests of the messages that accounts sign about them.

Twin of contracts/src/interfaces/Types.sol and of the EIP-712 code of the contract; kept equal by
tests/parity. Written by hand over plain packing: an executor hashes every instruction it touches.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from settle.domain.ids import ADDRESS_BYTES, ZERO_WORD, Address, AssetId, InstructionId
from settle.domain.keccak import keccak256

MAX_LEGS: Final = 8
MAX_BATCH_LEGS: Final = 400
MAX_MOVES: Final = 400
MAX_WINDOW: Final = 120 * 86_400  # seconds
OPTION_PARTIAL: Final = 1
OPTION_RECORD: Final = 2
OPTIONS_KNOWN: Final = OPTION_PARTIAL | OPTION_RECORD

UINT32_MAX: Final = 2**32 - 1
UINT64_MAX: Final = 2**64 - 1

LEG_TYPE: Final = "Leg(uint32 asset,address deliverer,address receiver,uint128 quantity)"
INSTRUCTION_TYPE: Final = (
    "Instruction(address initiator,uint64 nonce,uint64 settleFrom,uint64 settleBy,bytes32 cycle,"
    "uint32 options,uint128 minimumLot,bytes32 predecessor,bytes32 tradeRef,bytes32 terms,"
    "Leg[] legs)"
) + LEG_TYPE
DOMAIN_TYPE: Final = (
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
RESERVATION_TYPE: Final = "Reservation(address account,bytes32 instruction,bool committed)"
RELEASE_TYPE: Final = "Release(address account,bytes32 instruction)"
WITHDRAWAL_TYPE: Final = "Withdrawal(address account,bytes32 instruction)"
CANCELLATION_TYPE: Final = "Cancellation(address account,bytes32 instruction,uint64 validBy)"
REDEMPTION_TYPE: Final = (
    "Redemption(address account,uint32 asset,uint128 quantity,bytes32 ref,uint64 nonce,"
    "uint64 validBy)"
)

_LEG_HASH = keccak256(LEG_TYPE.encode())
_INSTRUCTION_HASH = keccak256(INSTRUCTION_TYPE.encode())
_DOMAIN_HASH = keccak256(DOMAIN_TYPE.encode())
_RESERVATION_HASH = keccak256(RESERVATION_TYPE.encode())
_RELEASE_HASH = keccak256(RELEASE_TYPE.encode())
_WITHDRAWAL_HASH = keccak256(WITHDRAWAL_TYPE.encode())
_CANCELLATION_HASH = keccak256(CANCELLATION_TYPE.encode())
_REDEMPTION_HASH = keccak256(REDEMPTION_TYPE.encode())
_LEFT_OF_ADDRESS = bytes(32 - ADDRESS_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One movement of one asset, deliverer to receiver. `quantity` in the asset's smallest unit."""

    asset: AssetId
    deliverer: Address
    receiver: Address
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """The order to settle a set of legs together. Field for field the Solidity struct."""

    initiator: Address
    nonce: int
    settle_from: int
    settle_by: int
    cycle: bytes = ZERO_WORD
    options: int = 0
    minimum_lot: int = 0
    predecessor: bytes = ZERO_WORD
    trade_ref: bytes = ZERO_WORD
    terms: bytes = ZERO_WORD
    legs: tuple[Leg, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningDomain:
    """Which contract on which chain a signature is for (EIP-712)."""

    chain_id: int
    verifying_contract: Address
    name: str = "settle"
    version: str = "1"
    separator: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Hash the domain once: every id needs it."""
        packed = b"".join(
            (
                _DOMAIN_HASH,
                keccak256(self.name.encode()),
                keccak256(self.version.encode()),
                self.chain_id.to_bytes(32, "big"),
                _LEFT_OF_ADDRESS,
                self.verifying_contract,
            )
        )
        object.__setattr__(self, "separator", keccak256(packed))


def leg_hash(leg: Leg) -> bytes:
    """Hash one leg as EIP-712 does a struct."""
    return keccak256(
        b"".join(
            (
                _LEG_HASH,
                leg.asset.to_bytes(32, "big"),
                _LEFT_OF_ADDRESS,
                leg.deliverer,
                _LEFT_OF_ADDRESS,
                leg.receiver,
                leg.quantity.to_bytes(32, "big"),
            )
        )
    )


def struct_hash(instruction: Instruction) -> bytes:
    """Hash all terms as EIP-712 does a struct, without the domain."""
    return keccak256(
        b"".join(
            (
                _INSTRUCTION_HASH,
                _LEFT_OF_ADDRESS,
                instruction.initiator,
                instruction.nonce.to_bytes(32, "big"),
                instruction.settle_from.to_bytes(32, "big"),
                instruction.settle_by.to_bytes(32, "big"),
                instruction.cycle,
                instruction.options.to_bytes(32, "big"),
                instruction.minimum_lot.to_bytes(32, "big"),
                instruction.predecessor,
                instruction.trade_ref,
                instruction.terms,
                keccak256(b"".join(map(leg_hash, instruction.legs))),
            )
        )
    )


def instruction_id(instruction: Instruction, domain: SigningDomain) -> InstructionId:
    """Give the EIP-712 digest of all the terms: the id, and what every account signs."""
    return InstructionId(_digest(struct_hash(instruction), domain))


def _digest(hashed: bytes, domain: SigningDomain) -> bytes:
    return keccak256(b"\x19\x01" + domain.separator + hashed)


def reservation_digest(
    account: Address, instruction: InstructionId, domain: SigningDomain, *, committed: bool
) -> bytes:
    """Give what an account signs to have its deliveries held, withdrawable or committed."""
    flag = int(committed).to_bytes(32, "big")
    return _about(_RESERVATION_HASH, account, instruction, flag, domain)


def release_digest(account: Address, instruction: InstructionId, domain: SigningDomain) -> bytes:
    """Give what an account signs to end its own reservation."""
    return _about(_RELEASE_HASH, account, instruction, b"", domain)


def withdrawal_digest(account: Address, instruction: InstructionId, domain: SigningDomain) -> bytes:
    """Give what an account signs to take its consent back."""
    return _about(_WITHDRAWAL_HASH, account, instruction, b"", domain)


def cancellation_digest(
    account: Address, instruction: InstructionId, domain: SigningDomain, *, valid_by: int
) -> bytes:
    """Give what an account signs to end the instruction.

    Units: `valid_by` in unix seconds; from it on the signature serves no more, so that who
    signs first gives no option to who signs last.
    """
    return _about(_CANCELLATION_HASH, account, instruction, valid_by.to_bytes(32, "big"), domain)


def _about(
    kind: bytes, account: Address, instruction: InstructionId, rest: bytes, domain: SigningDomain
) -> bytes:
    return _digest(keccak256(kind + _LEFT_OF_ADDRESS + account + instruction + rest), domain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """A holder's order to take value out of the books, valid until `valid_by` (unix seconds)."""

    account: Address
    asset: AssetId
    quantity: int
    ref: bytes
    nonce: int
    valid_by: int


def redemption_digest(redemption: Redemption, domain: SigningDomain) -> bytes:
    """Give what a holder signs to redeem."""
    packed = b"".join(
        (
            _REDEMPTION_HASH,
            _LEFT_OF_ADDRESS,
            redemption.account,
            redemption.asset.to_bytes(32, "big"),
            redemption.quantity.to_bytes(32, "big"),
            redemption.ref,
            redemption.nonce.to_bytes(32, "big"),
            redemption.valid_by.to_bytes(32, "big"),
        )
    )
    return _digest(keccak256(packed), domain)


def accounts_of(instruction: Instruction) -> tuple[Address, ...]:
    """List the accounts that must consent, in order of first appearance in the legs.

    In each leg the deliverer comes before the receiver. Signatures stand in this order.
    """
    ordered: dict[Address, None] = {}
    for leg in instruction.legs:
        ordered[leg.deliverer] = None
        ordered[leg.receiver] = None
    return tuple(ordered)
