"""`settle escrow` with a venue: draft, sign, prove, agree, dispute, rule, withdraw."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from settle.chain.contracts import SettlementContract
from settle.chain.deployment import check_deployment
from settle.cli.escrow import FileArgument, OpenByOption, read_file, read_text
from settle.cli.escrow_alone import escrow
from settle.cli.escrow_looks import IdArgument, summary
from settle.cli.output import JsonOption, show, tell
from settle.cli.profile import Profile, ProfileOption, connected, load_profile
from settle.client.signer import KeySigner
from settle.domain.errors import InvalidInput, NotFound, Refused
from settle.domain.escrow.register import AssetEntry, Register
from settle.domain.escrow.terms import lines_of
from settle.domain.escrow.wording import print_terms
from settle.domain.ids import WORD_BYTES, parse_word
from settle.domain.ledger import code_text
from settle.domain.money import parse_quantity
from settle.signer.escrow_journal import EscrowJournal
from settle.signer.escrow_review import refuse_bad, review_escrow
from settle.signer.escrow_words import EscrowWords

if TYPE_CHECKING:
    from settle.client.client import Client
    from settle.client.escrows import EscrowMessage
    from settle.domain.escrow.terms import EscrowTerms

__all__ = ["escrow"]

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
    """What words are said about: the venue's copy, or the kept one."""

    id: bytes
    terms: EscrowTerms
    messages: tuple[EscrowMessage, ...]


class _Own:
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
def _at_work(path: Path) -> Iterator[_Own]:
    profile = load_profile(path)
    with connected(profile) as client:
        yield _Own(client, profile)


@escrow.command("draft")
def draft(
    file: FileArgument,
    profile: ProfileOption,
    open_by: OpenByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a document, compile it under a salt of its own, propose it to all whom it names."""
    with _at_work(profile) as own:
        salt = secrets.token_bytes(WORD_BYTES)
        written = read_file(file, open_by, salt=salt, register=own.register())
        refuse_bad(written)
        made = own.client.propose_escrow(written.terms)
        own.words(Known(made.id, made.terms, made.messages))
        if made.terms != written.terms:
            raise Refused((), "the venue stored other terms than were sent", code="another_id")
    show(made, as_json=as_json, text=summary(made))


@escrow.command("sign")
def sign(
    escrow_id: IdArgument,
    file: FileArgument,
    profile: ProfileOption,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    as_json: JsonOption = False,
) -> None:
    """Sign a draft that is what your own document says; its English is printed here first."""
    with _at_work(profile) as own:
        asked = own.client.escrow(parse_word(escrow_id))
        words = own.words(Known(asked.id, asked.terms, asked.messages))
        text = read_text(file)
        written = review_escrow(
            asked,
            text,
            is_json=file.suffix == ".json",
            register=own.register(),
            domain=own.deployment.domain,
        )
        tell(print_terms(written.terms, written.register))
        if not yes:
            typer.confirm("Sign this?", abort=True, err=True)
        message = words.consent()
        with EscrowJournal(own.profile.journal) as journal:
            journal.begin(
                asked.id,
                written.reference,
                open_by=asked.terms.open_by,
                written=text,
                now=int(time.time()),
                is_withdrawn=own.is_withdrawn,
            )
            found = own.client.send_escrow_message(asked.id, message)
            journal.keep(asked.id, found.terms, found.messages)
    show(found, as_json=as_json, text=summary(found))


@escrow.command("evidence")
def evidence(
    escrow_id: IdArgument,
    profile: ProfileOption,
    milestone: MilestoneOption = 1,
    value: Annotated[int | None, typer.Option(help="of the feed you are asked for")] = None,
    secret: Annotated[str | None, typer.Option(help="of a hash lock: 0x and 32 bytes")] = None,
    keep: KeepOption = False,
    as_json: JsonOption = False,
) -> None:
    """State what the condition asks you to state, or show the secret of its hash lock."""

    def say(words: EscrowWords, _found: Known, _own: _Own) -> EscrowMessage:
        now = int(time.time())
        if secret is not None:
            return words.preimage(milestone - 1, parse_word(secret, "--secret"))
        if value is not None:
            return words.reading(milestone - 1, value, observed_at=now)
        return words.statement(milestone - 1, observed_at=now)

    _send(escrow_id, profile, milestone, say, keep=keep, as_json=as_json)


@escrow.command("propose")
def propose(
    escrow_id: IdArgument,
    profile: ProfileOption,
    pays: PaysOption,
    milestone: MilestoneOption = 1,
    hours: HoursOption = 72,
    keep: KeepOption = False,
    as_json: JsonOption = False,
) -> None:
    """Propose what a milestone pays, to all whose money hangs on it; signed by you already."""

    def say(words: EscrowWords, found: Known, own: _Own) -> EscrowMessage:
        paid = _amounts(found, milestone - 1, pays, own.register())
        return words.split(milestone - 1, paid, valid_by=_later(hours))

    _send(escrow_id, profile, milestone, say, keep=keep, as_json=as_json)


@escrow.command("accept")
def accept(
    escrow_id: IdArgument,
    profile: ProfileOption,
    pays: PaysOption,
    milestone: MilestoneOption = 1,
    keep: KeepOption = False,
    as_json: JsonOption = False,
) -> None:
    """Sign the split that was proposed with exactly these amounts."""

    def say(words: EscrowWords, found: Known, own: _Own) -> EscrowMessage:
        paid = tuple(_amounts(found, milestone - 1, pays, own.register()))
        now = int(time.time())
        proposed = [
            one.valid_by
            for one in found.messages
            if (one.kind, one.milestone, one.paid) == ("agreement", milestone - 1, paid)
            and one.valid_by > now
            and one.author != own.signer.address
        ]
        if not proposed:
            raise NotFound(f"nobody proposes that milestone {milestone} pays {', '.join(pays)}")
        return words.split(milestone - 1, paid, valid_by=max(proposed))

    _send(escrow_id, profile, milestone, say, keep=keep, as_json=as_json)


@escrow.command("dispute")
def dispute(
    escrow_id: IdArgument,
    profile: ProfileOption,
    file: Annotated[Path, typer.Option(help="your evidence: it stays with you, its hash is sent")],
    milestone: MilestoneOption = 1,
    hours: HoursOption = 1,
    keep: KeepOption = False,
    as_json: JsonOption = False,
) -> None:
    """Ask the panel to rule. The hash of the evidence is its SHA-256, as sha256sum prints it."""

    def say(words: EscrowWords, _found: Known, _own: _Own) -> EscrowMessage:
        try:
            digest = hashlib.sha256(file.read_bytes()).digest()
        except OSError as error:
            raise InvalidInput("file_read", f"{file}: {error.strerror}") from error
        return words.dispute(milestone - 1, digest, valid_by=_later(hours))

    _send(escrow_id, profile, milestone, say, keep=keep, as_json=as_json)


@escrow.command("rule")
def rule(
    escrow_id: IdArgument,
    profile: ProfileOption,
    pays: PaysOption,
    reason: Annotated[str, typer.Option(help="four letters or digits")],
    milestone: MilestoneOption = 1,
    hours: HoursOption = 72,
    keep: KeepOption = False,
    as_json: JsonOption = False,
) -> None:
    """Rule, as an arbiter, what each line of a disputed milestone pays."""

    def say(words: EscrowWords, found: Known, own: _Own) -> EscrowMessage:
        paid = _amounts(found, milestone - 1, pays, own.register())
        return words.ruling(milestone - 1, paid, reason=reason, valid_by=_later(hours))

    _send(escrow_id, profile, milestone, say, keep=keep, as_json=as_json)


@escrow.command("withdraw")
def withdraw(escrow_id: IdArgument, profile: ProfileOption, as_json: JsonOption = False) -> None:
    """Take your signature back before the opening: these terms never open."""
    _send(escrow_id, profile, 1, lambda words, _found, _own: words.withdrawal(), as_json=as_json)


# ------------------------------------------------------------------------------ parts


def _send(
    escrow_id: str,
    profile: Path,
    milestone: int,
    say: Callable[[EscrowWords, Known, _Own], EscrowMessage],
    *,
    keep: bool = False,
    as_json: bool,
) -> None:
    """Say something to the venue, or, where it is gone, only to the own bundle."""
    identity = parse_word(escrow_id)
    with _at_work(profile) as own, EscrowJournal(own.profile.journal) as journal:
        if keep:
            known = Known(identity, *journal.bundle(identity))
        else:
            found = own.client.escrow(identity)
            known = Known(identity, found.terms, found.messages)
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


def _amounts(
    found: Known, milestone: int, pays: Sequence[str], register: Register
) -> tuple[int, ...]:
    lines = lines_of(found.terms, milestone)
    if len(lines) != len(pays):
        raise InvalidInput("pays", f"milestone {milestone + 1} has {len(lines)} lines")
    return tuple(
        parse_quantity(text, register.entry(line.asset).decimals)
        for line, text in zip(lines, pays, strict=True)
    )


def _later(hours: int) -> int:
    return int(time.time()) + hours * _HOUR_S
