"""The auditor's own books: what the contracts' storage has to be after the events so far."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from settle.audit.escrow_terms import MAX_MILESTONES

UNKNOWN, ADMITTED, SUSPENDED = 0, 1, 2
OPEN, SETTLED, CANCELLED, LIVE = 0, 1, 2, 3
NONCES_A_WORD: Final = 128
NONCE_NAMES: Final = ("open", "settled", "cancelled", "live")

HoldingKey = tuple[bytes, int]
"""Account and asset."""
Amounts = tuple[int, int]
"""Available and held, in the asset's smallest unit."""
NOTHING: Final[Amounts] = (0, 0)


@dataclass(slots=True)
class Account:
    """What settlement asks of an account."""

    standing: int = UNKNOWN
    class_: int = 0
    frozen: bool = False
    withdrawals: int = 0

    def word(self) -> tuple[int, int, int, int]:
        """Give it in the order of `accountOf`."""
        return (self.standing, int(self.frozen), self.class_, self.withdrawals)


@dataclass(slots=True)
class Asset:
    """An asset. `code` has 12 bytes."""

    class_: int
    decimals: int
    code: bytes
    issuer: bytes
    frozen: bool = False
    supply: int = 0

    def word(self) -> tuple[int, int, int, bytes, bytes, int]:
        """Give it in the order of `assetOf`."""
        frozen = int(self.frozen)
        return (self.class_, self.decimals, frozen, self.code, self.issuer, self.supply)


class Hold(NamedTuple):
    """Value reserved until a deadline, in the order of the ABI's Hold.

    `position` is what the ABI calls index: the leg, or the module's own number.
    """

    module: bytes
    purpose: bytes
    position: int
    account: bytes
    asset: int
    quantity: int
    deadline: int

    def arguments(self) -> dict[str, int | bytes]:
        """Give it by the names of the ABI."""
        values = self._asdict()
        values["index"] = values.pop("position")
        return values


@dataclass(slots=True)
class LiveInstruction:
    """What is on chain about an instruction that is neither settled nor cancelled.

    `accounts` in the order of their bits; empty until a call told the terms. `reserved` and
    `committed` have a bit a leg, `consents` one an account.
    """

    initiator: bytes
    nonce: int
    count: int
    consents: int = 0
    reserved: int = 0
    committed: int = 0
    released: set[bytes] = field(default_factory=set)
    accounts: tuple[bytes, ...] = ()

    def word(self) -> tuple[int, int, int, int | None]:
        """Give it in the order of `liveState`; the last part is None where bits are unknown."""
        released: int | None = 0
        if self.released:
            released = None
            if self.accounts:
                released = sum(1 << self.accounts.index(account) for account in self.released)
        return (self.consents, self.reserved, self.committed, released)


@dataclass(slots=True)
class HeldLine:
    """A line of an escrow: whose value it holds, and how much of it is left.

    `due` is what an outcome that waits is to pay of it; `milestone` is -1 until a call told the
    terms.
    """

    depositor: bytes
    asset: int
    quantity: int
    left: int = -1
    due: int = 0
    milestone: int = -1

    def __post_init__(self) -> None:
        """All of it is left at first."""
        self.left = self.quantity


@dataclass(slots=True)
class EscrowEntry:
    """What is on chain about an escrow. `disputes`: when each milestone was disputed.

    `ends`: by what each milestone ended, what each of its lines then paid, and when.

    `outcomes` has three bits a milestone, as the contract keeps them; `waiting` the word that it
    keeps of payments that wait.
    """

    opened_at: int = 0
    milestones: int = 0
    outcomes: int = 0
    withdrawn: bool = False
    ends: dict[int, tuple[int, tuple[int, ...], int]] = field(default_factory=dict)
    disputes: dict[int, int] = field(default_factory=dict)
    waiting: dict[int, int] = field(default_factory=dict)
    lines: dict[int, HeldLine] = field(default_factory=dict)

    def outcome(self, milestone: int) -> int:
        """The milestone's outcome; 0: it has not ended."""
        return self.outcomes >> 3 * milestone & 3 if milestone >= 0 else 0

    def lines_of(self, milestone: int) -> list[HeldLine]:
        """The milestone's lines in their order."""
        return [line for _, line in sorted(self.lines.items()) if line.milestone == milestone]

    @property
    def ended(self) -> int:
        """How many milestones have an outcome."""
        return sum(self.outcome(milestone) > 0 for milestone in range(MAX_MILESTONES))

    def end(self, milestone: int, outcome: int, *, waits: bool) -> None:
        """Write an outcome."""
        self.outcomes |= (outcome | (4 if waits else 0)) << 3 * milestone

    def end_wait(self, milestone: int) -> None:
        """Let payments wait no more."""
        self.outcomes &= ~(4 << 3 * milestone)

    @property
    def disputed(self) -> int:
        """A bit a disputed milestone."""
        return sum(1 << milestone for milestone in self.disputes)

    def record(self) -> str:
        """Give it as the operator's database keeps it: JSON, amounts as text; empty: not open."""
        if not self.opened_at:
            return ""
        told = []
        for milestone in range(self.milestones):
            by, paid, at = self.ends.get(milestone, (None, (), None))
            told.append(
                [
                    self.outcome(milestone),
                    by,
                    [str(amount) for amount in paid],
                    bool(self.outcomes >> 3 * milestone & 4),
                    at,
                    self.disputes.get(milestone),
                ]
            )
        return json.dumps([self.opened_at, told], separators=(",", ":"))

    def word(self) -> tuple[int, int, int]:
        """Give it in the order of `escrowState`."""
        return (self.opened_at, self.outcomes, self.disputed)


@dataclass(slots=True)
class Participant:
    """A legal entity of the registry."""

    standing: int
    class_: int
    bic: bytes
    accounts: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class Books:
    """State by value. It grows with what stands on chain, not with what happened.

    `modules` has every contract that ever was one, and whether it is. `posted`, `touched_escrows`
    and `moved` speak of the current transaction only: ids with legs that moved, escrows that said
    something, and sums of postings. `recorded`: instructions whose settlement is kept by id.
    """

    settlement: bytes
    holdings: dict[HoldingKey, Amounts] = field(default_factory=dict)
    accounts: dict[bytes, Account] = field(default_factory=dict)
    assets: dict[int, Asset] = field(default_factory=dict)
    codes: dict[bytes, int] = field(default_factory=dict)
    modules: dict[bytes, bool] = field(default_factory=dict)
    holds: set[Hold] = field(default_factory=set)
    holds_of: dict[bytes, set[Hold]] = field(default_factory=dict)
    nonce_words: dict[tuple[bytes, int], int] = field(default_factory=dict)
    live: dict[bytes, LiveInstruction] = field(default_factory=dict)
    withdrawn: set[tuple[bytes, bytes]] = field(default_factory=set)
    participants: dict[bytes, Participant] = field(default_factory=dict)
    owners: dict[bytes, bytes] = field(default_factory=dict)
    escrows: dict[bytes, EscrowEntry] = field(default_factory=dict)
    recorded: set[bytes] = field(default_factory=set)
    posted: set[bytes] = field(default_factory=set)
    touched_escrows: set[bytes] = field(default_factory=set)
    moved: dict[tuple[bytes, int], int] = field(default_factory=dict)

    def holding(self, account: bytes, asset: int) -> Amounts:
        """What an account holds of an asset."""
        return self.holdings.get((account, asset), NOTHING)

    def account(self, account: bytes) -> Account:
        """The account's word, to be read or changed."""
        found = self.accounts.get(account)
        if found is None:
            found = self.accounts[account] = Account()
        return found

    def standing(self, account: bytes) -> int:
        """Whether it may enter into settlement."""
        found = self.accounts.get(account)
        return UNKNOWN if found is None else found.standing

    def is_open(self, asset: int) -> bool:
        """Whether an asset exists and is not frozen."""
        found = self.assets.get(asset)
        return found is not None and not found.frozen

    def nonce(self, account: bytes, nonce: int) -> int:
        """The two bits of a nonce."""
        index, place = divmod(nonce, NONCES_A_WORD)
        return self.nonce_words.get((account, index), 0) >> 2 * place & 3

    def set_nonce(self, account: bytes, nonce: int, state: int) -> None:
        """Write the two bits of a nonce."""
        index, place = divmod(nonce, NONCES_A_WORD)
        word = self.nonce_words.get((account, index), 0) & ~(3 << 2 * place)
        self.nonce_words[account, index] = word | state << 2 * place

    def place_hold(self, hold: Hold) -> None:
        """Add a hold that is live from now on."""
        self.holds.add(hold)
        self.holds_of.setdefault(hold.purpose, set()).add(hold)
        live = self.live.get(hold.purpose) if hold.module == self.settlement else None
        if live is not None:
            live.reserved |= 1 << hold.position

    def end_hold(self, hold: Hold) -> None:
        """Take a hold away."""
        self.holds.discard(hold)
        rest = self.holds_of.get(hold.purpose, set())
        rest.discard(hold)
        if not rest:
            self.holds_of.pop(hold.purpose, None)
        live = self.live.get(hold.purpose) if hold.module == self.settlement else None
        if live is not None:
            live.reserved &= ~(1 << hold.position)
            live.committed &= ~(1 << hold.position)

    def reservations(self, instruction: bytes) -> list[Hold]:
        """Live holds of an instruction by leg."""
        mine = (h for h in self.holds_of.get(instruction, ()) if h.module == self.settlement)
        return sorted(mine, key=lambda hold: hold.position)
