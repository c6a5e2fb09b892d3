"""How the worked examples of escrow are lived through: who signs and waits, and what came of it."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from settle.client.escrows import EscrowMessage
from settle.client.signer import KeySigner
from settle.domain.errors import Broken
from settle.domain.escrow.reading import read_terms
from settle.domain.escrow.register import AssetEntry, Register
from settle.domain.escrow.terms import signers_of
from settle.domain.ids import AssetId, to_hex
from settle.domain.ledger import AssetClass
from settle.domain.money import format_quantity
from settle.signer.escrow_review import review_escrow
from settle.signer.escrow_words import EscrowWords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from settle.client.client import Client
    from settle.client.escrows import Escrow
    from settle.demo.bank import Bank
    from settle.demo.stage import Stage
    from settle.domain.escrow.reading import WrittenTerms
    from settle.domain.escrow.terms import EscrowLine
    from settle.domain.ids import Address

ASSETS: Final = (
    ("EUR", AssetClass.CENTRAL_BANK_MONEY, 2),
    ("DE0007164600", AssetClass.SECURITY, 0),
)
REGISTER: Final = Register(
    AssetEntry(number=AssetId(number), code=code, decimals=decimals)
    for number, (code, _, decimals) in enumerate(ASSETS, start=1)
)
SECRET: Final = b"the seller of trade 2026-880".ljust(32, b".")
DAY_S: Final = 86_400
_LOCK_OF_THE_FILE: Final = "0xc0339c8c968b75bc317b7b8bcf3cfd987c2473f2e3cef6d23a5b4e9ca97ced21"
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


class Play:
    """Escrows lived through on a stage, each person with its own key."""

    def __init__(self, stage: Stage, tell: Callable[[str], None]) -> None:
        """Take a stage whose operator runs and whose people have joined."""
        self._stage, self._tell = stage, tell
        self._banks: dict[Address, Bank] = {bank.account: bank for bank in stage.banks}
        self._domain = stage.chain.deployment.domain
        self._node = stage.chain.engine.node()

    def open(self, name: str, file: Path) -> Example:
        """Propose an example's terms; everybody named compares them with the document and signs."""
        # Nobody knows the secret behind the file's hash lock: a lock of our own in its place.
        lock = "0x" + hashlib.sha256(SECRET).hexdigest()
        text = file.read_text(encoding="utf-8").replace(_LOCK_OF_THE_FILE, lock)
        written = read_terms(
            text,
            open_by=self.now() + DAY_S // 24,
            salt=secrets.token_bytes(32),
            register=REGISTER,
        )
        proposer = self.client(written.terms.lines[0].depositor)
        made = proposer.propose_escrow(written.terms)
        example = Example(name, text, written, made)
        for account in signers_of(written.terms):
            review_escrow(made, text, is_json=False, register=REGISTER, domain=self._domain)
            self.client(account).send_escrow_message(
                made.id, self.words(example, account).consent()
            )
        self.say(example, f"{to_hex(made.id)[:12]} proposed, and signed by {self.people(example)}")
        return example

    def people(self, example: Example) -> str:
        """Name those who sign."""
        return ", ".join(
            example.written.labels[account] for account in signers_of(example.written.terms)
        )

    def say(self, example: Example, line: str) -> None:
        """Tell a line of an example."""
        self._tell(f"{example.name}: {line}")

    def now(self) -> int:
        """Our clock, or the chain's where it was moved on."""
        return max(int(time.time()), self._node.head().timestamp)

    def travel(self, days: int) -> None:
        """Move the chain's clock on: its people would wait, the demo cannot."""
        self._tell(f"the chain's clock is moved on by {days} days")
        self._stage.chain.engine.rpc().call("evm_increaseTime", days * DAY_S)

    def client(self, account: Address) -> Client:
        """Give the API to the person with this account."""
        return self._banks[account].desk.client

    def words(self, example: Example, account: Address) -> EscrowWords:
        """Speak about an example, as this account."""
        signer = KeySigner(self._banks[account].key)
        return EscrowWords(example.written.terms, self._domain, signer)

    def state(self, example: Example) -> Escrow:
        """Ask how an example stands."""
        return self.client(example.written.terms.lines[0].depositor).escrow(example.escrow.id)

    def until(self, example: Example, is_so: Callable[[Escrow], bool]) -> Escrow:
        """Wait until it is so. Raises: Broken."""
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

    def holdings(self) -> dict[tuple[Address, int], tuple[int, int]]:
        """What everybody has at its disposal, and what is held."""
        return {
            (account, one.asset_id): (one.available, one.held)
            for account, bank in self._banks.items()
            for one in bank.desk.client.positions()
        }

    def compare(
        self,
        before: Mapping[tuple[Address, int], tuple[int, int]],
        examples: Sequence[Example],
    ) -> None:
        """Find in the books exactly what the milestones paid, and nothing held. Raises: Broken."""
        expected = {key: available for key, (available, _) in before.items()}
        for example in examples:
            for line, amount in _paid(self.state(example)):
                expected[line.depositor, line.asset] -= amount
                expected[line.beneficiary, line.asset] += amount
        if self.holdings() != {key: (available, 0) for key, available in expected.items()}:
            raise Broken("the books are not what the milestones paid")

    def result(self, example: Example) -> dict[str, Any]:
        """What became of it, in the amounts that its milestones paid and returned."""
        ended = self.until(example, lambda found: found.status == "Ended")
        labels = example.written.labels

        def shown(line: EscrowLine, amount: int) -> dict[str, str]:
            asset = REGISTER.entry(line.asset)
            return {"amount": format_quantity(amount, asset.decimals), "asset": asset.code}

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
                {"from": labels[line.depositor], "to": labels[line.beneficiary]}
                | shown(line, amount)
                for line, amount in _paid(ended)
                if amount
            ],
            "returned": [
                {"to": labels[line.depositor]} | shown(line, line.quantity - amount)
                for line, amount in _paid(ended)
                if amount < line.quantity
            ],
        }


def _paid(ended: Escrow) -> Iterator[tuple[EscrowLine, int]]:
    """Each payment and what was made of it, of milestones that have ended."""
    for one in ended.milestones:
        lines = (line for line in ended.terms.lines if line.milestone == one.number)
        yield from zip(lines, one.paid, strict=True)
