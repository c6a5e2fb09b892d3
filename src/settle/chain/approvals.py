"""Operations of the approvers: each under the signatures of two people of two organisations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from settle.chain.abi import load_abi
from settle.chain.eip712 import address_of, sign
from settle.domain.errors import InvalidInput
from settle.domain.instruction import SigningDomain
from settle.domain.keccak import keccak256

if TYPE_CHECKING:
    from settle.domain.ids import Address

OPERATION_TYPE: Final = (
    "Operation(address target,bytes data,bytes4 reason,bytes32 evidence,uint64 nonce,"
    "uint64 validBy)"
)
_OPERATION_HASH: Final = keccak256(OPERATION_TYPE.encode())
NO_EVIDENCE: Final = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A call that an approver is to make. Field for field the struct of IApprover.

    `reason` is four letters; `nonce` makes two equal operations two; `valid_by` is in unix seconds.
    """

    target: Address
    data: bytes
    reason: bytes
    nonce: int
    valid_by: int
    evidence: bytes = NO_EVIDENCE


def approver_domain(chain_id: int, approver: Address) -> SigningDomain:
    """Name the approver that a signature is for."""
    return SigningDomain(
        name="settle approver", version="1", chain_id=chain_id, verifying_contract=approver
    )


def operation_digest(operation: Operation, domain: SigningDomain) -> bytes:
    """Give what each of the two people signs."""
    hashed = keccak256(
        b"".join(
            (
                _OPERATION_HASH,
                bytes(12),
                operation.target,
                keccak256(operation.data),
                operation.reason.ljust(32, b"\0"),
                operation.evidence,
                operation.nonce.to_bytes(32, "big"),
                operation.valid_by.to_bytes(32, "big"),
            )
        )
    )
    return keccak256(b"\x19\x01" + domain.separator + hashed)


def sign_operation(operation: Operation, domain: SigningDomain, key: bytes) -> bytes:
    """Sign an operation as one of the two."""
    return sign(operation_digest(operation, domain), key)


def execute_call(operation: Operation, first: bytes, second: bytes) -> bytes:
    """Write the call that brings an operation and its two signatures to the approver."""
    fields = (
        operation.target,
        operation.data,
        operation.reason,
        operation.evidence,
        operation.nonce,
        operation.valid_by,
    )
    return load_abi("Approver").encode("execute", fields, first, second)


def check_two(keys: tuple[bytes, bytes]) -> None:
    """Refuse one key in both places. Raises InvalidInput."""
    if address_of(keys[0]) == address_of(keys[1]):
        raise InvalidInput("approver_keys", "an operation needs two people, this is one key twice")
