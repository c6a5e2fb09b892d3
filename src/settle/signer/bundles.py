"""Checks a bundle before it is kept: with a wrong one nothing could be settled later."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from settle.chain.eip712 import recover
from settle.domain.errors import InvalidInput, Refused
from settle.domain.ids import Address, to_hex
from settle.domain.instruction import accounts_of, instruction_id

if TYPE_CHECKING:
    from settle.client.documents import Bundle
    from settle.domain.ids import InstructionId
    from settle.domain.instruction import SigningDomain

Accepts: TypeAlias = Callable[[Address, bytes, bytes], bool]
"""Whether a wallet takes a signature over a digest for its own (ERC-1271)."""


def complete_signatures(
    bundle: Bundle, digest: InstructionId, domain: SigningDomain, accepts: Accepts | None
) -> list[bytes]:
    """Give the signatures of all accounts over terms that were signed here, in order.

    Raises: Refused `bundle_wrong` for other terms, or for a signature that is not its account's.
    """
    terms = bundle.instruction.value()
    signatures = [one.signature for one in bundle.signatures]
    accounts = accounts_of(terms)
    if instruction_id(terms, domain) != digest or len(accounts) != len(signatures):
        message = f"the bundle of {bundle.trade_id} holds other terms than we signed"
        raise Refused((), message, code="bundle_wrong")
    for account, signature in zip(accounts, signatures, strict=True):
        if not _is_of(account, digest, signature, accepts):
            message = f"the bundle of {bundle.trade_id} has no good signature of {to_hex(account)}"
            raise Refused((), message, code="bundle_wrong")
    return signatures


def _is_of(account: Address, digest: bytes, signature: bytes, accepts: Accepts | None) -> bool:
    try:
        by_key = recover(digest, signature) == account
    except InvalidInput:
        by_key = False  # a wallet's signature may have any form
    return by_key or (accepts is not None and accepts(account, digest, signature))
