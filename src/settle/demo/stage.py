"""Sets the stage: a chain, a market on it, the operator as a process that can be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import TYPE_CHECKING, Final

from settle.chain.eip712 import address_of
from settle.chain.keystore import new_key
from settle.client.client import Client
from settle.client.signer import KeySigner
from settle.demo.bank import Bank
from settle.domain.errors import Unavailable
from settle.domain.ids import CURRENCY_DECIMALS, AssetId, CurrencyCode, Isin, to_hex
from settle.domain.ledger import AssetClass
from settle.domain.window import Calendar
from settle.progress import Progress
from settle.services.market_rules import MarketRules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from settle.chain.direct import Order
    from settle.chain.profile import EngineProfile
    from settle.demo.plan import Member
    from settle.demo.tape import Tape
    from settle.local_chain import LocalChain

_START_S: Final = 30
_RECYCLING_DAYS: Final = 5
_NOON: Final = 12
_REF: Final = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When the demo's market is open: every day, in a zone where it is about noon now.

    `closes` is some seconds ahead, so that a trade whose last day is today lapses while one looks.
    """

    zone: str
    today: date
    closes: clock_time

    @property
    def rules(self) -> MarketRules:
        """As the domain has them."""
        return MarketRules(
            zone=self.zone,
            opens=clock_time(0, 0),
            closes=self.closes,
            recycling_days=_RECYCLING_DAYS,
            calendars=(Calendar(name="every day", version="1", weekend=frozenset()),),
        )

    @property
    def last_day_is_today(self) -> date:
        """The settlement date of a trade that lapses at today's close."""
        return self.today - timedelta(days=_RECYCLING_DAYS)

    def environment(self) -> dict[str, str]:
        """As the operator's process reads them."""
        return {
            "SETTLE_MARKET_ZONE": self.zone,
            "SETTLE_MARKET_OPENS": "00:00:00",
            "SETTLE_MARKET_CLOSES": self.closes.isoformat(),
            "SETTLE_MARKET_RECYCLING_DAYS": str(_RECYCLING_DAYS),
            "SETTLE_MARKET_CALENDAR": "every day",
            "SETTLE_MARKET_WEEKEND": "[]",
        }


def hours(now: int, closes_in_s: int) -> Hours:
    """Find the zone where it is noon, and close there in so many seconds."""
    utc = datetime.fromtimestamp(now, UTC)
    ahead = _NOON - utc.hour
    # The names of these zones count westward: Etc/GMT-5 is five hours ahead of Greenwich.
    zone = f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"
    local = utc + timedelta(hours=ahead, seconds=closes_in_s)
    return Hours(zone=zone, today=local.date(), closes=local.time().replace(microsecond=0))


class Stage:
    """The running demo. `close` ends every process that it began."""

    def __init__(
        self,
        chain: LocalChain,
        profile: EngineProfile,
        root: Path,
        members: Sequence[Member],
        open_hours: Hours,
        tell: Callable[[str], None],
        keys: Sequence[bytes] | None = None,
    ) -> None:
        """Take a chain that runs; without `keys` members draw their own.

        `tell` is told, a line at a time, how far long work is.
        """
        self._tell = tell
        self.chain = chain
        self.profile = profile
        self.hours = open_hours
        self.operator_key = new_key()
        self.auditor_key = new_key()
        self.url = ""
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None
        self.assets: dict[str, AssetId] = {}
        self.banks = [
            Bank(member, key, chain.folder, chain.deployment.domain)
            for member, key in zip(members, keys or [new_key() for _ in members], strict=True)
        ]

    @property
    def database_url(self) -> str:
        """The operator's database."""
        return f"sqlite:///{self.chain.folder / 'operator.db'}"

    @property
    def operator_pid(self) -> int:
        """The process of the operator."""
        assert self._process is not None, "it runs"
        return self._process.pid

    # ---------------------------------------------------------------------- the market

    def admit(self) -> None:
        """Admit everybody, on chain."""
        desk = self.chain.desk
        orders = [
            desk.admit(bank.member.lei, bank.member.bic, [bank.account]) for bank in self.banks
        ]
        self.perform("participants", orders)

    def create_assets(self, tape: Tape, more: Sequence[str] = ()) -> None:
        """Create the tape's securities and currencies, in order of their codes."""
        desk = self.chain.desk
        issuer = self.banks[0].account
        securities = sorted({*tape.decimals, *more})
        currencies = sorted({trade.currency for trade in tape.trades})
        orders = [
            desk.create_asset(AssetClass.SECURITY, tape.decimals.get(Isin(code), 0), code, issuer)
            for code in securities
        ] + [
            desk.create_asset(
                AssetClass.CENTRAL_BANK_MONEY, CURRENCY_DECIMALS[CurrencyCode(code)], code, issuer
            )
            for code in currencies
        ]
        self.perform("assets", orders)
        codes = [*securities, *currencies]
        self.assets = {code: AssetId(number) for number, code in enumerate(codes, start=1)}

    def issue(self, holdings: Mapping[int, Mapping[str, int]]) -> int:
        """Issue to members by their place; gives how many holdings that made."""
        desk = self.chain.desk
        orders = [
            desk.issue(self.assets[code], self.banks[place].account, units, _REF)
            for place, of in sorted(holdings.items())
            for code, units in sorted(of.items())
            if units
        ]
        self.perform("holdings", orders)
        return len(orders)

    def perform(self, what: str, orders: Sequence[Order]) -> None:
        """Send as many as the engine takes at once, and tell how far it is."""
        progress = Progress(what, len(orders), self._tell)
        step = self.profile.in_flight
        for start in range(0, len(orders), step):
            part = orders[start : start + step]
            self.chain.desk.perform(part)
            progress.add(len(part))

    def gas_used(self) -> int:
        """Sum the gas of all transactions of the operator's key."""
        node = self.chain.engine.node()
        sender = to_hex(address_of(self.chain.keys["operator"]))
        rpc = self.chain.engine.rpc()
        numbers = range(self.chain.deployment.block, node.head().number + 1)
        hashes = [
            transaction["hash"]
            for number in numbers
            for transaction in rpc.call("eth_getBlockByNumber", hex(number), True)["transactions"]
            if transaction["from"].lower() == sender
        ]
        receipts = [rpc.call("eth_getTransactionReceipt", hash_) for hash_ in hashes]
        return sum(int(receipt["gasUsed"], 16) for receipt in receipts)

    # -------------------------------------------------------------------- the operator

    def start_operator(self) -> None:
        """Start the operator's process; it listens at `url`, and again after a restart."""
        environment = {
            **os.environ,
            **self.hours.environment(),
            "SETTLE_DATABASE_URL": self.database_url,
            "SETTLE_CHAIN_TOML": str(self._root / "chain.toml"),
            "SETTLE_ENGINE": self.profile.name,
            "SETTLE_RPC_URL": self.chain.engine.url,
            "SETTLE_DEPLOYMENT": str(self.chain.deployment_file),
            "SETTLE_KEY_FILE": str(self.chain.operator_key_file),
            "SETTLE_PASSWORD_FILE": str(self.chain.password_file),
            "SETTLE_LOG_LEVEL": "warning",
            "SETTLE_OPERATOR_KEYS": json.dumps([to_hex(address_of(self.operator_key))]),
            "SETTLE_AUDITOR_KEYS": json.dumps([to_hex(address_of(self.auditor_key))]),
        }
        log = (self.chain.folder / "operator.log").open("ab")
        port = self.url.rpartition(":")[2] or "0"
        self._process = subprocess.Popen(  # noqa: S603  our own module
            [sys.executable, "-m", "settle.serve", port],
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment,
        )
        assert self._process.stdout is not None, "it was asked for"
        self.url = self._process.stdout.readline().decode().strip()
        if not self.url:
            tail = (self.chain.folder / "operator.log").read_text()[-2_000:]
            message = f"the operator's process did not start: {tail}"
            raise Unavailable(message, code="operator_start")

    def introduce(self) -> None:
        """Enter the participants in the operator's directory, and let them join."""
        with self.operator() as api:
            for bank in self.banks:
                member = bank.member
                api.put_participant(
                    lei=member.lei, bic=member.bic, name=member.name, accounts=[bank.account]
                )
        for bank in self.banks:
            bank.join(self.url, self.assets, self.banks, self.hours.rules)

    def operator(self) -> Client:
        """Give the operator's own way to the API."""
        return Client(
            self.url, KeySigner(self.operator_key), patience_s=_START_S, timeout_s=_START_S
        )

    def kill_operator(self) -> None:
        """Kill the operator's process as a power cut would."""
        assert self._process is not None, "it runs"
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """End the processes that were begun here."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self.chain.engine.stop()
