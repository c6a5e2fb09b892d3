"""What commands of `settle escrow` with a venue share: the key, what is known, how it is sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from settle.chain.contracts import SettlementContract
from settle.chain.deployment import check_deployment
from settle.cli.escrow_looks import summary
from settle.cli.output import show
from settle.cli.profile import Profile, connected, load_profile
from settle.client.signer import KeySigner
from settle.domain.errors import InvalidInput, Refused
from settle.domain.escrow.register import AssetEntry, Register
from settle.domain.escrow.terms import lines_of
from settle.domain.ids import parse_word
from settle.domain.ledger import code_text
from settle.domain.money import parse_quantity
from settle.signer.escrow_journal import EscrowJournal
from settle.signer.escrow_words import EscrowWords

if TYPE_CHECKING:
    from settle.client.client import Client
    from settle.client.escrows import EscrowMessage, EscrowMilestone
    from settle.domain.escrow.terms import EscrowTerms

MilestoneOption = Annotated[int, typer.Option(min=1, help="as the text counts them")]
PaysOption = Annotated[
    list[str], typer.Option(help="what a line of the milestone pays, in the order of the lines")
]
HoursOption = Annotated[int, typer.Option(min=1, help="for how long the message is good")]
KeepOption = Annotated[
    bool, typer.Option("--keep", help="the venue is gone: only add it to your own bundle")
]
_HOUR_S: Final = 3_600


class Known(NamedTuple):
    """What words are said about: the venue's copy, or the kept one, which tells no milestones."""

    id: bytes
    terms: EscrowTerms
    messages: tuple[EscrowMessage, ...]
    milestones: tuple[EscrowMilestone, ...] = ()


class Own:
    """A participant at work: the API, its key, and what it knows from the chain by itself."""

    def __init__(self, client: Client, profile: Profile) -> None:
        self.client, self.profile = client, profile
        self.signer = KeySigner(profile.key())
        self.deployment = profile.load_deployment()
        self._node = profile.node()
        check_deployment(self.deployment, self._node)
        self._contract = SettlementContract(self.deployment.settlement)

    def words(self, found: Known) -> EscrowWords:
        """Speak about an escrow. Raises: Refused if its id is not that of its terms."""
        words = EscrowWords(found.terms, self.deployment.domain, self.signer)
        if words.id != found.id:
            raise Refused((), "the venue's id is not that of the terms", code="another_id")
        return words

    def register(self) -> Register:
        """The assets, as the chain has them."""
        assets = self._contract.assets(self._node, self._node.head().number)
        return Register(
            AssetEntry(number=number, code=code_text(asset.code), decimals=asset.decimals)
            for number, asset in assets.items()
        )

    def is_withdrawn(self, identity: bytes) -> bool:
        """Whether these terms never open, as the chain has it."""
        block = self._node.head().number
        return self._contract.is_withdrawn_from_escrow(self._node, identity, block)


@contextmanager
def at_work(path: Path) -> Iterator[Own]:
    """Begin work with the profile of this path."""
    profile = load_profile(path)
    with connected(profile) as client:
        yield Own(client, profile)


def send_words(
    escrow_id: str,
    profile: Path,
    milestone: int,
    say: Callable[[EscrowWords, Known, Own], EscrowMessage],
    *,
    keep: bool = False,
    as_json: bool,
) -> None:
    """Say something to the venue, or, where it is gone, only to the own bundle."""
    identity = parse_word(escrow_id)
    with at_work(profile) as own, EscrowJournal(own.profile.journal) as journal:
        if keep:
            known = Known(identity, *journal.bundle(identity))
        else:
            found = own.client.escrow(identity)
            known = Known(identity, found.terms, found.messages, found.milestones)
        if milestone > len(known.terms.deadlines):
            message = f"the terms have {len(known.terms.deadlines)} milestones"
            raise InvalidInput("milestone", message)
        said = say(own.words(known), known, own)
        if keep:
            kept = journal.keep(identity, known.terms, [said])
            text = f"{len(kept)} messages are kept; settle escrow alone {escrow_id} acts on them"
            show({"id": identity, "messages": kept}, as_json=as_json, text=text)
            return
        found = own.client.send_escrow_message(identity, said)
        journal.keep(identity, found.terms, found.messages)
    show(found, as_json=as_json, text=summary(found))


def amounts_of(
    found: Known, milestone: int, pays: Sequence[str], register: Register
) -> tuple[int, ...]:
    """Read what each line of a milestone pays. Raises: InvalidInput."""
    lines = lines_of(found.terms, milestone)
    if len(lines) != len(pays):
        raise InvalidInput("pays", f"milestone {milestone + 1} has {len(lines)} lines")
    return tuple(
        parse_quantity(text, register.entry(line.asset).decimals)
        for line, text in zip(lines, pays, strict=True)
    )


def in_hours(hours: int) -> int:
    """Give the unix second in so many hours."""
    return int(time.time()) + hours * _HOUR_S
