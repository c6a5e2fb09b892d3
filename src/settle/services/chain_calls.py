"""What the services ask of the chain, as values."""

from __future__ import annotations

from dataclasses import dataclass

from settle.domain.instruction import Instruction


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedInstruction:
    """An instruction with a signature per account, in the order of `accounts_of`.

    An empty signature stands for a consent that is on chain already. `wallets` counts those that no
    key gives and a wallet is asked about.
    """

    instruction: Instruction
    signatures: tuple[bytes, ...]
    wallets: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLimits:
    """How large a settleMany may be, from the engine's data and from measured gas.

    `gas` is what a transaction may use; it takes `gas_base` and for each instruction
    `gas_instruction`, `gas_leg` a leg, `gas_signature` a signature and, where a wallet is asked
    about it, `gas_wallet` besides. `calldata` in bytes.
    """

    gas: int
    gas_base: int
    gas_instruction: int
    gas_leg: int
    gas_signature: int
    gas_wallet: int
    legs: int
    calldata: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalHead:
    """The newest final block: no block up to it can change, none after it has an earlier time."""

    number: int
    timestamp: int
