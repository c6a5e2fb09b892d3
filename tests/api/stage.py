"""A real chain, deployed, with two participants on it; and settings for an operator there."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from settle.chain.eip712 import address_of, sign
from settle.chain.profile import load_profile
from settle.client import Client, KeySigner
from settle.domain.ids import AssetId, CurrencyCode, Isin, Lei, lei_check_digits
from settle.domain.instruction import instruction_id
from settle.domain.ledger import AssetClass
from settle.domain.side import TradeSide
from settle.local_chain import LocalChain, open_local_chain
from settle.settings import ApiSettings, MarketSettings, Settings

ROOT = Path(__file__).resolve().parents[2]
SHARE, EURO = AssetId(1), AssetId(2)
ISIN, EUR = Isin("DE0007164600"), CurrencyCode("EUR")
OPERATOR_KEY = b"operator of the API".rjust(32, b"\1")


@dataclass
class Bank:
    """A participant with its key, in the place of its own program."""

    name: str
    key: bytes
    lei: Lei
    numbers: count[int] = field(default_factory=lambda: count(1))

    @property
    def account(self) -> bytes:
        return address_of(self.key)


def bank(name: str, letter: str) -> Bank:
    base = "529900" + letter * 12
    return Bank(name, name.encode().rjust(32, b"\1"), Lei(base + lei_check_digits(base)))


@dataclass
class Stage:
    """Where an operator can be started, any number of times."""

    chain: LocalChain
    settings: Settings
    seller: Bank
    buyer: Bank

    def environment(self) -> dict[str, str]:
        """The settings as a process of its own reads them."""
        told = self.settings
        return {
            **os.environ,
            "SETTLE_DATABASE_URL": told.database_url,
            "SETTLE_CHAIN_TOML": str(told.chain_toml),
            "SETTLE_ENGINE": told.engine,
            "SETTLE_RPC_URL": told.rpc_url,
            "SETTLE_DEPLOYMENT": str(told.deployment),
            "SETTLE_KEY_FILE": str(told.key_file),
            "SETTLE_PASSWORD_FILE": str(told.password_file),
            "SETTLE_OPERATOR_KEYS": '["0x' + address_of(OPERATOR_KEY).hex() + '"]',
        }

    def side(self, party: Bank, *, shares: int = 500, cents: int = 2_810_000) -> TradeSide:
        """What one of the two states about the sale."""
        number = next(party.numbers)
        today = datetime.now(UTC).date()
        day = today if today.weekday() < 5 else today - timedelta(days=today.weekday() - 4)
        return TradeSide(
            side_id="",
            reference=f"{party.name}-{number}",
            received_at=0,
            submitted_by=party.lei,
            movement="DELI" if party is self.seller else "RECE",
            payment="APMT",
            transaction_type="TRAD",
            isin=ISIN,
            quantity=shares,
            quantity_kind="Unit",
            currency=EUR,
            amount=cents,
            trade_date=day,
            settlement_date=day,
            delivering_party=self.seller.lei,
            receiving_party=self.buyer.lei,
            nonce=number,
            trade_ref=bytes(32),
            terms=bytes(32),
        )

    def enter(self, url: str) -> None:
        """Enter both in the operator's directory."""
        with Client(url, KeySigner(OPERATOR_KEY)) as operator:
            for party in (self.seller, self.buyer):
                operator.put_participant(lei=party.lei, name=party.name, accounts=[party.account])

    def sign_all(self, client: Client, party: Bank) -> int:
        """Sign whatever waits for this participant, after hashing it again."""
        domain = self.chain.deployment.domain
        signatures = {}
        for one in client.to_sign():
            assert instruction_id(one.instruction.value(), domain) == one.digest
            assert one.account == party.account
            signatures[one.digest] = sign(one.digest, party.key)
        return len(client.sign_many(signatures)) if signatures else 0


def set_stage(folder: Path, engine: str, interval_ms: int = 200) -> Stage:
    """Start the chain, deploy, admit, create and issue."""
    toml = (ROOT / "chain.toml").read_text()
    chain_toml = folder / "chain.toml"
    chain_toml.write_text(
        toml.replace("block_interval_ms = 1000", f"block_interval_ms = {interval_ms}")
    )
    chain = open_local_chain(load_profile(chain_toml, engine), folder / "chain", root=ROOT)
    seller, buyer = bank("seller", "S"), bank("buyer", "B")
    desk = chain.desk
    desk.perform(
        [
            desk.admit(seller.lei, "SELLDEFFXXX", [seller.account]),
            desk.admit(buyer.lei, "BUYRDEFFXXX", [buyer.account]),
            desk.create_asset(AssetClass.SECURITY, 0, ISIN, address_of(OPERATOR_KEY)),
            desk.create_asset(AssetClass.CENTRAL_BANK_MONEY, 2, EUR, address_of(OPERATOR_KEY)),
        ]
    )
    desk.perform(
        [
            desk.issue(SHARE, seller.account, 1_000_000, bytes(32)),
            desk.issue(EURO, buyer.account, 10**12, bytes(32)),
        ]
    )
    settings = Settings(
        database_url=f"sqlite:///{folder / 'settle.sqlite'}",
        chain_toml=chain_toml,
        engine=engine,
        rpc_url=chain.engine.url,
        deployment=chain.deployment_file,
        key_file=chain.operator_key_file,
        password_file=chain.password_file,
        market=MarketSettings(),
        api=ApiSettings(
            operator_keys=frozenset({"0x" + address_of(OPERATOR_KEY).hex()}),
        ),
    )
    return Stage(chain=chain, settings=settings, seller=seller, buyer=buyer)
