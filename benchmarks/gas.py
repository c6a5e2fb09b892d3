"""Gas of what the contracts do, from receipts on a fresh anvil: `python -m benchmarks.gas`.

Keys, nonces, salts and windows are fixed, so that every figure comes out the same each time. Every
call is a transaction of its own: 21,000 base and calldata included, slots cold, both sides hold
both assets already, the nonces' word is in use.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.gas_escrow import escrow_figures
from settle.chain.contracts import SettlementContract
from settle.chain.direct import DirectSender, Order
from settle.chain.eip712 import address_of, compact, sign
from settle.chain.profile import load_profile
from settle.domain.ids import Address, AssetId, lei_check_digits, to_hex
from settle.domain.instruction import (
    Instruction,
    Leg,
    accounts_of,
    cancellation_digest,
    instruction_id,
)
from settle.domain.keccak import keccak256
from settle.domain.ledger import AssetClass
from settle.local_chain import KEY_NAMES, LocalChain, open_local_chain

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).resolve().parents[1]
RESULT: Final = ROOT / "benchmarks" / "results" / "gas.json"
_PARTICIPANTS: Final = 10
_BATCH: Final = 100
_EVER: Final = 2**33
_SHARES, _BONDS, _EURO, _DOLLAR = (AssetId(number) for number in (1, 2, 3, 4))
_HELD: Final = 10**12
_GAS: Final = 1_000_000
_BATCH_GAS: Final = 12_000_000


@dataclass
class Bench:
    """A market of ten, and the next nonce of each."""

    chain: LocalChain
    direct: DirectSender
    keys: dict[Address, bytes]
    nonces: dict[Address, int] = field(default_factory=dict)

    @property
    def accounts(self) -> list[Address]:
        return list(self.keys)

    @property
    def contract(self) -> SettlementContract:
        return SettlementContract(self.chain.deployment.settlement)

    def instruction(self, *legs: tuple[AssetId, int, int, int]) -> Instruction:
        """Legs as asset, deliverer, receiver, quantity; the first deliverer initiates."""
        accounts = self.accounts
        initiator = accounts[legs[0][1]]
        nonce = self.nonces.get(initiator, 0)
        self.nonces[initiator] = nonce + 1
        salt = keccak256(initiator + nonce.to_bytes(8, "big"))
        return Instruction(
            initiator=initiator,
            nonce=nonce,
            settle_from=1,
            settle_by=_EVER,
            trade_ref=salt,
            terms=keccak256(salt),
            legs=tuple(
                Leg(asset=asset, deliverer=accounts[a], receiver=accounts[b], quantity=quantity)
                for asset, a, b, quantity in legs
            ),
        )

    def dvp(
        self, seller: int, buyer: int, shares: int = 500, cents: int = 2_810_000
    ) -> Instruction:
        """Shares against euro."""
        return self.instruction((_SHARES, seller, buyer, shares), (_EURO, buyer, seller, cents))

    def signatures(self, instruction: Instruction) -> list[bytes]:
        """Everybody's, 64 bytes each."""
        digest = instruction_id(instruction, self.chain.deployment.domain)
        return [compact(sign(digest, self.keys[one])) for one in accounts_of(instruction)]

    def signed(self, instruction: Instruction) -> tuple[Instruction, Sequence[bytes]]:
        """Terms and signatures."""
        return instruction, self.signatures(instruction)

    def used(self, data: bytes, gas: int = _GAS) -> int:
        """Send a call; the gas it used."""
        to = self.chain.deployment.settlement
        return self.direct.send(Order(to=to, data=data, gas=gas, what="a measured call")).gas_used


def measure(folder: Path) -> dict[str, int]:
    """Measure everything on a chain of its own in `folder`; the figures by name."""
    bench = _market(folder)
    try:
        return _figures(bench)
    finally:
        bench.chain.engine.stop()


def _market(folder: Path) -> Bench:
    profile = load_profile(ROOT / "chain.toml", "anvil")
    fixed = {name: keccak256(b"bench " + name.encode()) for name in KEY_NAMES}
    chain = open_local_chain(profile, folder, root=ROOT, keys=fixed)
    signing = [keccak256(b"account %d" % number) for number in range(_PARTICIPANTS)]
    keys = {address_of(key): key for key in signing}
    desk = chain.desk
    desk.perform([desk.admit(_lei(n), "BENCDEFF", [one]) for n, one in enumerate(keys)])
    issuer = next(iter(keys))
    desk.perform(
        [
            desk.create_asset(AssetClass.SECURITY, 0, "DE0007164600", issuer),
            desk.create_asset(AssetClass.SECURITY, 0, "DE0007236101", issuer),
            desk.create_asset(AssetClass.CENTRAL_BANK_MONEY, 2, "EUR", issuer),
            desk.create_asset(AssetClass.CENTRAL_BANK_MONEY, 2, "USD", issuer),
        ]
    )
    assets = (_SHARES, _BONDS, _EURO, _DOLLAR)
    desk.perform([desk.issue(a, one, _HELD, bytes(32)) for a in assets for one in keys])
    direct = DirectSender(node=chain.engine.node(), profile=profile, key=chain.keys["operator"])
    bench = Bench(chain=chain, direct=direct, keys=keys)
    # From here on every account's word of nonces is in use.
    first = [bench.signed(bench.dvp(n, (n + 1) % _PARTICIPANTS)) for n in range(_PARTICIPANTS)]
    bench.used(bench.contract.settle_many(first), _BATCH_GAS)
    return bench


def _within_days(bench: Bench) -> int:
    """Give an instant that `affirm` takes, with two bytes that are not zero at whatever time."""
    steps = bench.chain.engine.node().head().timestamp // 2**16 + 2
    return (steps + (steps % 256 == 0)) * 2**16


def _figures(bench: Bench) -> dict[str, int]:
    contract = bench.contract
    dvp = bench.used(contract.settle(*bench.signed(bench.dvp(0, 1))))
    pvp = bench.instruction((_EURO, 2, 3, 1_000_000), (_DOLLAR, 3, 2, 1_080_000))
    three = bench.instruction(
        (_SHARES, 4, 5, 300), (_EURO, 5, 6, 1_000_000), (_EURO, 6, 4, 1_000_000)
    )
    affirmed = replace(bench.dvp(7, 8), settle_by=_within_days(bench))
    cancelled = bench.dvp(9, 0)
    batch = [
        bench.signed(bench.dvp(n % 10, (n + 1 + n // 10 % 9) % 10, 100 + n, 1_000_000 + n))
        for n in range(_BATCH)
    ]
    return {
        "dvp_signed": dvp,
        "pvp_signed": bench.used(contract.settle(*bench.signed(pvp))),
        "three_party_signed": bench.used(contract.settle(*bench.signed(three))),
        "dvp_affirmed_total": bench.used(contract.affirm(*bench.signed(affirmed)))
        + bench.used(contract.settle(affirmed, [])),
        "settle_many_100_per_trade": bench.used(contract.settle_many(batch), _BATCH_GAS) // _BATCH,
        "cancel": bench.used(contract.cancel(cancelled, _EVER, [_cancellation(bench, cancelled)])),
        "deploy_total": _deployment(bench),
        **escrow_figures(bench, _EURO),
    }


def _cancellation(bench: Bench, instruction: Instruction) -> bytes:
    domain = bench.chain.deployment.domain
    account = instruction.initiator
    number = instruction_id(instruction, domain)
    digest = cancellation_digest(account, number, domain, valid_by=_EVER)
    return compact(sign(digest, bench.keys[account]))


def _deployment(bench: Bench) -> int:
    """All that the deployer's transactions used: contracts, approvers, roles."""
    rpc = bench.chain.engine.rpc()
    deployer = to_hex(bench.chain.deployment.deployer)
    total = 0
    for number in range(bench.chain.engine.node().head().number + 1):
        for transaction in rpc.call("eth_getBlockByNumber", hex(number), True)["transactions"]:
            if transaction["from"].lower() == deployer:
                receipt = rpc.call("eth_getTransactionReceipt", transaction["hash"])
                total += int(receipt["gasUsed"], 16)
    return total


def _lei(number: int) -> str:
    base = f"999900BENCH{number:07d}"
    return base + lei_check_digits(base)


def main() -> int:
    """Measure and write the file."""
    with tempfile.TemporaryDirectory(prefix="settle-gas-") as folder:
        figures = measure(Path(folder))
    document = {
        "command": "make gas",
        "engine": "anvil, hardfork cancun, a transaction each",
        "unit": "gas, all transactions that the figure's name needs",
        **figures,
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")
    sys.stdout.write(RESULT.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
