"""What the books hold, and the exception that says where they and the chain part."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from settle.domain.chain_events import Place
from settle.domain.errors import Broken
from settle.domain.ids import Address, AssetId, InstructionId, to_hex
from settle.domain.ledger import (
    NO_HOLDING,
    UNKNOWN_ACCOUNT,
    Account,
    Asset,
    Hold,
    Holding,
    NonceState,
    Standing,
)

NONCES_PER_WORD: Final = 128
_NONCE_MASK: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveInstruction:
    """An instruction whose consents stand on chain, in part or all of them.

    `consents` has a bit per account, in order of first appearance; `accounts` counts them.
    `reserved` has each account whose deliveries are held, and whether it committed them; `released`
    has those that ended a reservation, whose signed messages serve no second time.
    """

    initiator: Address
    nonce: int
    accounts: int
    consents: int
    reserved: frozenset[tuple[Address, bool]] = frozenset()
    released: frozenset[Address] = frozenset()

    def without_reservation(self, account: Address) -> LiveInstruction:
        """Return the same instruction with nothing reserved by an account."""
        rest = frozenset(entry for entry in self.reserved if entry[0] != account)
        return replace(self, reserved=rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A legal entity of the registry and its accounts, in the order in which they were opened."""

    standing: Standing
    class_: int
    bic: bytes
    accounts: tuple[Address, ...] = ()


class BooksDiffer(Broken):
    """An event states what does not follow from the events before it."""

    def __init__(
        self,
        place: Place,
        fact: str,
        *,
        stated: object,
        computed: object,
        account: Address | None = None,
        asset: AssetId | None = None,
    ) -> None:
        """Name the place, the fact, and both values: what the chain states, what the fold gives."""
        whose = "" if account is None else f", account {to_hex(account)}"
        which = "" if asset is None else f", asset {asset}"
        super().__init__(
            f"{place}{whose}{which}: {fact} is {stated} on chain and {computed} in the books",
            code="books_differ",
        )
        self.place = place
        self.fact = fact
        self.stated = stated
        self.computed = computed
        self.account = account
        self.asset = asset


@dataclass(slots=True, kw_only=True)
class Books:
    """State of the ledger and of every instruction, by value.

    Amounts in the asset's smallest unit. `holdings` has no entry for what was never touched;
    `holds` has those that are live; `owners` has the LEI of each account's
    participant; `nonce_words` keeps two bits a nonce, 128 nonces to
    a word, as the chain does. `posted` and `moved` speak of the transaction at `last` only. All is
    changed in place by `advance` alone; whoever wants the state before takes a `copy`.
    """

    holdings: dict[tuple[Address, AssetId], Holding] = field(default_factory=dict)
    accounts: dict[Address, Account] = field(default_factory=dict)
    assets: dict[AssetId, Asset] = field(default_factory=dict)
    modules: set[Address] = field(default_factory=set)
    holds: set[Hold] = field(default_factory=set)
    nonce_words: dict[tuple[Address, int], int] = field(default_factory=dict)
    live: dict[InstructionId, LiveInstruction] = field(default_factory=dict)
    outcomes: dict[InstructionId, NonceState] = field(default_factory=dict)
    withdrawn: set[tuple[Address, InstructionId]] = field(default_factory=set)
    participants: dict[bytes, Participant] = field(default_factory=dict)
    owners: dict[Address, bytes] = field(default_factory=dict)
    last: Place | None = field(default=None, compare=False)
    posted: dict[InstructionId, Place] = field(default_factory=dict)
    moved: dict[tuple[bytes, AssetId], tuple[int, Place]] = field(default_factory=dict)

    def copy(self) -> Books:
        """Return books of their own with the same contents; the records in them are frozen."""
        return Books(
            holdings=self.holdings.copy(),
            accounts=self.accounts.copy(),
            assets=self.assets.copy(),
            modules=self.modules.copy(),
            holds=self.holds.copy(),
            nonce_words=self.nonce_words.copy(),
            live=self.live.copy(),
            outcomes=self.outcomes.copy(),
            withdrawn=self.withdrawn.copy(),
            participants=self.participants.copy(),
            owners=self.owners.copy(),
            last=self.last,
            posted=self.posted.copy(),
            moved=self.moved.copy(),
        )

    def holding(self, account: Address, asset: AssetId) -> Holding:
        """Return what an account holds of an asset; zeros where it was never touched."""
        return self.holdings.get((account, asset), NO_HOLDING)

    def account(self, account: Address) -> Account:
        """Return an account's word; that of an unknown account where nothing was said of it."""
        return self.accounts.get(account, UNKNOWN_ACCOUNT)

    def nonce_state(self, account: Address, nonce: int) -> NonceState:
        """Return the two bits of an account's nonce."""
        index, place = divmod(nonce, NONCES_PER_WORD)
        word = self.nonce_words.get((account, index), 0)
        return NonceState(word >> 2 * place & _NONCE_MASK)

    def set_nonce(self, account: Address, nonce: int, state: NonceState) -> None:
        """Write the two bits of an account's nonce."""
        index, place = divmod(nonce, NONCES_PER_WORD)
        word = self.nonce_words.get((account, index), 0) & ~(_NONCE_MASK << 2 * place)
        self.nonce_words[account, index] = word | state << 2 * place
