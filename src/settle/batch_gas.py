"""How many trades fit into one transaction of an engine, so that its gas always suffices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from settle.domain.instruction import MAX_BATCH_LEGS
from settle.services.chain_calls import BatchLimits

if TYPE_CHECKING:
    from settle.chain.profile import EngineProfile

ENVELOPE_BYTES: Final = 512
"""What a transaction has beside its call data, with room."""

# At most: every slot cold, and written for the first time. What is not used costs nothing.
GAS_BASE: Final = 80_000
GAS_INSTRUCTION: Final = 30_000
GAS_LEG: Final = 32_000
GAS_SIGNATURE: Final = 7_000
# Before it asks a wallet, Signatures.sol must have WALLET_GAS * 64 / 63 + 6000 left; asking takes
# some too. With less, one wallet that uses up its share reverts the whole batch.
GAS_WALLET: Final = 112_000


def batch_limits(profile: EngineProfile) -> BatchLimits:
    """Give the limits of one transaction on this engine."""
    return BatchLimits(
        gas=profile.transaction_gas_limit,
        gas_base=GAS_BASE,
        gas_instruction=GAS_INSTRUCTION,
        gas_leg=GAS_LEG,
        gas_signature=GAS_SIGNATURE,
        gas_wallet=GAS_WALLET,
        legs=MAX_BATCH_LEGS,
        calldata=profile.transaction_bytes_limit - ENVELOPE_BYTES,
    )
