"""Reads the books out of the contract's storage, word by word, where the compiler laid them out."""

from __future__ import annotations

from collections.abc import Iterable

from settle.domain.ids import Address, AssetId, InstructionId
from settle.domain.keccak import keccak256
from settle.domain.ledger import Account, Asset, AssetClass, Hold, Holding, Standing, hold_id
from tests.parity.evm import Evm, artifact

Live = tuple[int, int, int, int]
"""Consents by account, reserved and committed by leg, released by account."""


class Storage:
    """The storage of a Settlement."""

    def __init__(self, evm: Evm, settlement: Address) -> None:
        self._evm = evm
        self._settlement = settlement
        layout = artifact("Settlement")["storageLayout"]["storage"]
        self._slots = {entry["label"]: int(entry["slot"]) for entry in layout}

    def _word(self, slot: int) -> int:
        return self._evm.storage(self._settlement, slot)

    def _place(self, label: str, *keys: bytes) -> int:
        slot = self._slots[label]
        for key in keys:
            slot = int.from_bytes(keccak256(key + slot.to_bytes(32, "big")), "big")
        return slot

    def holding(self, account: Address, asset: AssetId) -> Holding:
        key = bytes(8) + account + asset.to_bytes(4, "big")
        word = self._word(self._place("_holdings", key))
        return Holding(available=word & (1 << 128) - 1, held=word >> 128)

    def account(self, account: Address) -> Account:
        word = self._word(self._place("_accounts", _left(account)))
        return Account(
            standing=Standing(word & 0xFF),
            frozen=bool(word >> 8 & 0xFF),
            class_=word >> 16 & 0xFF,
            withdrawals=word >> 24 & (1 << 64) - 1,
        )

    def asset(self, asset: AssetId) -> Asset | None:
        place = self._place("_assets", asset.to_bytes(32, "big"))
        first, second, third = (self._word(place + k) for k in range(3))
        if not first:
            return None
        return Asset(
            class_=AssetClass(first & 0xFF),
            decimals=first >> 8 & 0xFF,
            frozen=bool(first >> 16 & 0xFF),
            code=(first >> 24 & (1 << 96) - 1).to_bytes(12, "big"),
            issuer=Address(second.to_bytes(32, "big")[12:]),
            total_supply=third,
        )

    def asset_count(self) -> int:
        return self._word(self._slots["_assetCount"])

    def is_open(self, asset: AssetId) -> bool:
        word = self._word(self._place("_openAssets", (asset >> 8).to_bytes(32, "big")))
        return bool(word >> (asset & 255) & 1)

    def nonce_word(self, account: Address, index: int) -> int:
        return self._word(self._place("_nonces", _left(account), index.to_bytes(32, "big")))

    def live(self, instruction: InstructionId) -> Live:
        word = self._word(self._place("_live", instruction))
        return word & 0xFFFF, word >> 16 & 0xFF, word >> 24 & 0xFF, word >> 32 & 0xFFFF

    def is_withdrawn(self, account: Address, instruction: InstructionId) -> bool:
        return bool(self._word(self._place("_withdrawn", _left(account), instruction)))

    def is_live(self, hold: Hold) -> bool:
        return bool(self._word(self._place("_liveHolds", hold_id(hold))))

    def modules(self, accounts: Iterable[Address]) -> set[Address]:
        return {a for a in accounts if self._word(self._place("_modules", _left(a)))}


def _left(account: Address) -> bytes:
    return bytes(12) + account
