"""`settle demo escrow`: the worked examples lived through, from files to the audited books."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from settle.chain.eip712 import address_of
from settle.chain.profile import load_profile
from settle.client.escrows import EscrowMessage
from settle.client.signer import KeySigner
from settle.demo.audits import audit
from settle.demo.plan import Member
from settle.demo.stage import Stage, hours
from settle.domain.errors import Broken
from settle.domain.escrow.reading import read_terms
from settle.domain.escrow.register import AssetEntry, Register
from settle.domain.escrow.terms import signers_of
from settle.domain.ids import AssetId, Bic, Lei, lei_check_digits, to_hex
from settle.domain.ledger import AssetClass
from settle.domain.money import format_quantity
from settle.local_chain import open_local_chain
from settle.signer.escrow_review import review_escrow
from settle.signer.escrow_words import EscrowWords

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from settle.client.client import Client
    from settle.client.escrows import Escrow
    from settle.demo.bank import Bank
    from settle.domain.escrow.reading import WrittenTerms
    from settle.domain.ids import Address

EXAMPLES: Final = ("purchase", "receivable", "cross-chain", "subscription", "deposit")
_PEOPLE: Final = 8
_KEYS: Final = tuple(number.to_bytes(32, "big") for number in range(1, _PEOPLE + 1))
"""The accounts of the examples are of keys that everybody knows."""
_ASSETS: Final = (
    ("EUR", AssetClass.CENTRAL_BANK_MONEY, 2),
    ("DE0007164600", AssetClass.SECURITY, 0),
)
_REGISTER: Final = Register(
    AssetEntry(number=AssetId(number), code=code, decimals=decimals)
    for number, (code, _, decimals) in enumerate(_ASSETS, start=1)
)
_GRANT: Final = 100_000_000
_SECRET: Final = b"the seller of trade 2026-880".ljust(32, b".")
_LOCK_OF_THE_FILE: Final = "0xc0339c8c968b75bc317b7b8bcf3cfd987c2473f2e3cef6d23a5b4e9ca97ced21"
_DAY_S: Final = 86_400
_PATIENCE_S: Final = 90


@dataclass(slots=True)
class Example:
    """One example as it is lived through."""

    name: str
    text: str
    written: WrittenTerms
    escrow: Escrow

    def account(self, label: str) -> Address:
        """Whose name it is in the document."""
        return next(account for account, one in self.written.labels.items() if one == label)


class _Play:
    def __init__(self, stage: Stage, tell: Callable[[str], None]) -> None:
        self._stage, self._tell = stage, tell
        self._banks: dict[Address, Bank] = {bank.account: bank for bank in stage.banks}
        self._domain = stage.chain.deployment.domain
        self._node = stage.chain.engine.node()

    def open(self, name: str, folder: Path) -> Example:
        """Propose an example's terms; everybody named compares them with the document and signs."""
        # Nobody knows the secret behind the file's hash lock: a lock of our own in its place.
        lock = "0x" + hashlib.sha256(_SECRET).hexdigest()
        text = (
            (folder / f"{name}.toml").read_text(encoding="utf-8").replace(_LOCK_OF_THE_FILE, lock)
        )
        written = read_terms(
            text,
            open_by=self.now() + _DAY_S // 24,
            salt=secrets.token_bytes(32),
            register=_REGISTER,
        )
        proposer = self.client(written.terms.lines[0].depositor)
        made = proposer.propose_escrow(written.terms)
        example = Example(name, text, written, made)
        for account in signers_of(written.terms):
            review_escrow(made, text, is_json=False, register=_REGISTER, domain=self._domain)
            self.client(account).send_escrow_message(
                made.id, self.words(example, account).consent()
            )
        self.say(example, f"{to_hex(made.id)[:12]} proposed, and signed by {self.people(example)}")
        return example

    def people(self, example: Example) -> str:
        return ", ".join(
            example.written.labels[account] for account in signers_of(example.written.terms)
        )

    def say(self, example: Example, line: str) -> None:
        self._tell(f"{example.name}: {line}")

    def now(self) -> int:
        return max(int(time.time()), self._node.head().timestamp)

    def travel(self, days: int) -> None:
        """Move the chain's clock on: its people would wait, the demo cannot."""
        self._tell(f"the chain's clock is moved on by {days} days")
        self._stage.chain.engine.rpc().call("evm_increaseTime", days * _DAY_S)

    def client(self, account: Address) -> Client:
        return self._banks[account].desk.client

    def words(self, example: Example, account: Address) -> EscrowWords:
        signer = KeySigner(self._banks[account].key)
        return EscrowWords(example.written.terms, self._domain, signer)

    def state(self, example: Example) -> Escrow:
        return self.client(example.written.terms.lines[0].depositor).escrow(example.escrow.id)

    def until(self, example: Example, is_so: Callable[[Escrow], bool]) -> Escrow:
        end = time.monotonic() + _PATIENCE_S
        while True:
            found = self.state(example)
            if is_so(found):
                return found
            if time.monotonic() > end:
                raise Broken(f"{example.name} stands at {found.status}: {found.reason}")
            time.sleep(0.2)

    def opened(self, example: Example) -> None:
        """Wait until the deposits are held."""
        self.until(example, lambda found: found.status == "Open")
        self.say(example, "open: every deposit is held with its owner")

    def state_fact(self, example: Example, who: str, milestone: int) -> None:
        """Have somebody attest what a condition asks of them."""
        account = example.account(who)
        message = self.words(example, account).statement(milestone, observed_at=self.chain_now())
        self.send(example, who, message, f"{who} attests for milestone {milestone + 1}")

    def chain_now(self) -> int:
        """An instant that has been on chain: nothing is observed in the future."""
        return self._node.head().timestamp

    def send(self, example: Example, who: str, message: EscrowMessage, line: str) -> None:
        """Bring a message, and say so."""
        self.client(example.account(who)).send_escrow_message(example.escrow.id, message)
        self.say(example, line)

    def ends(self, example: Example, milestone: int) -> None:
        """Wait until a milestone has its outcome."""
        found = self.until(example, lambda one: one.milestones[milestone].outcome is not None)
        one = found.milestones[milestone]
        name = example.written.milestones[milestone]
        self.say(example, f"milestone {milestone + 1}, {name}: {one.outcome} by {one.ended_by}")

    def holdings(self) -> dict[tuple[Address, int], int]:
        """What everybody has, held or not."""
        return {
            (account, one.asset_id): one.available + one.held
            for account, bank in self._banks.items()
            for one in bank.desk.client.positions()
        }

    def compare(
        self, before: Mapping[tuple[Address, int], int], examples: Sequence[Example]
    ) -> None:
        """Find in the books exactly what the milestones paid. Raises: Broken."""
        expected = dict(before)
        for example in examples:
            ended = self.state(example)
            for one in ended.milestones:
                lines = (line for line in ended.terms.lines if line.milestone == one.number)
                for line, amount in zip(lines, one.paid, strict=True):
                    expected[line.depositor, line.asset] -= amount
                    expected[line.beneficiary, line.asset] += amount
        if self.holdings() != expected:
            raise Broken("the books are not what the milestones paid")

    def result(self, example: Example) -> dict[str, Any]:
        """What became of it, in the amounts that its milestones paid."""
        ended = self.until(example, lambda found: found.status == "Ended")
        paid = [
            (line, amount)
            for one in ended.milestones
            for line, amount in zip(
                (x for x in ended.terms.lines if x.milestone == one.number), one.paid, strict=True
            )
        ]
        labels = example.written.labels
        return {
            "example": example.name,
            "escrow": to_hex(ended.id),
            "milestones": [
                {
                    "name": example.written.milestones[one.number],
                    "outcome": one.outcome,
                    "ended_by": one.ended_by,
                }
                for one in ended.milestones
            ],
            "paid": [
                {
                    "from": labels[line.depositor],
                    "to": labels[line.beneficiary],
                    "amount": format_quantity(amount, _REGISTER.entry(line.asset).decimals),
                    "asset": _REGISTER.entry(line.asset).code,
                }
                for line, amount in paid
                if amount
            ],
        }


def run_escrow_demo(root: Path, engine: str, tell: Callable[[str], None]) -> dict[str, Any]:
    """Live through the examples in a folder of its own; `tell` is told how it goes.

    Raises: Unavailable and Broken for what fails on the way.
    """
    began = time.monotonic()
    profile = load_profile(root / "chain.toml", engine)
    folder = Path(tempfile.mkdtemp(prefix="settle-demo-"))
    chain = open_local_chain(profile, folder, root=root)
    stage = Stage(
        chain, profile, root, _members(), hours(int(time.time()), _DAY_S // 24), tell, _KEYS
    )
    try:
        tell(f"chain {profile.chain_id} ({profile.name}) runs, contracts are deployed; {folder}")
        _set(stage)
        results = _live(_Play(stage, tell), root / "examples" / "escrow")
        tell("the auditor replays the chain")
        report = audit(stage, folder / "operator.db")
    finally:
        stage.close()
    return {
        "engine": profile.name,
        "escrows": results,
        "audit": {
            "verdict": report["verdict"],
            "escrows": report["escrows"],
            "milestones": report["milestones"],
        },
        "elapsed_s": round(time.monotonic() - began, 1),
    }


def _members() -> list[Member]:
    found = []
    for number in range(_PEOPLE):
        letter = "ABCDEFGH"[number]
        base = "999900" + "DEMO" + letter * 8
        found.append(
            Member(
                lei=Lei(base + lei_check_digits(base)),
                bic=Bic(f"DEM{letter}DEFFXXX"),
                name=f"Account {number + 1} of the examples",
            )
        )
    return found


def _set(stage: Stage) -> None:
    desk, people = stage.chain.desk, [address_of(key) for key in _KEYS]
    stage.admit()
    orders = [
        desk.create_asset(kind, decimals, code, people[0]) for code, kind, decimals in _ASSETS
    ]
    stage.perform("assets", orders)
    stage.assets = {code: AssetId(n) for n, (code, _, _) in enumerate(_ASSETS, start=1)}
    stage.issue({place: dict.fromkeys(stage.assets, _GRANT) for place in range(_PEOPLE)})
    stage.start_operator()
    stage.introduce()


def _live(play: _Play, folder: Path) -> list[dict[str, Any]]:
    """Live through all of them side by side: what takes days is waited for once."""
    before = play.holdings()
    found = {name: play.open(name, folder) for name in EXAMPLES}
    for example in found.values():
        play.opened(example)
    purchase, receivable, deposit = (found[one] for one in ("purchase", "receivable", "deposit"))

    secret = play.words(found["cross-chain"], found["cross-chain"].account("buyer"))
    play.send(
        found["cross-chain"],
        "buyer",
        secret.preimage(0, _SECRET),
        "the seller took its payment on the other chain; buyer shows the secret that it used there",
    )
    play.state_fact(found["subscription"], "registrar", 0)
    play.state_fact(receivable, "warehouse", 0)
    play.state_fact(receivable, "buyer", 0)
    play.state_fact(purchase, "carrier", 0)
    play.ends(purchase, 0)
    play.state_fact(purchase, "carrier", 1)
    play.ends(purchase, 1)
    play.state_fact(purchase, "buyer", 2)
    play.ends(purchase, 2)
    play.ends(found["cross-chain"], 0)
    play.ends(found["subscription"], 0)
    play.ends(receivable, 0)

    landlord = play.words(deposit, deposit.account("landlord"))
    file = hashlib.sha256(b"photographs of the floor").digest()
    play.send(
        deposit,
        "landlord",
        landlord.dispute(0, file, valid_by=play.now() + _DAY_S),
        "landlord disputes; the photographs stay with it, their hash goes on chain",
    )
    play.until(deposit, lambda one: one.milestones[0].disputed_at is not None)
    play.travel(91)
    play.ends(receivable, 1)
    play.say(deposit, "no arbiter of three answers, and the fallback is silent as well")
    play.travel(360)
    play.ends(deposit, 0)
    results = [play.result(one) for one in found.values()]
    play.compare(before, list(found.values()))
    return results
