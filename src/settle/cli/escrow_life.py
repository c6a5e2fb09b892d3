"""`settle escrow` with a venue: draft, sign, prove, agree, withdraw."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from settle.cli.escrow import FileArgument, OpenByOption, read_file, read_text
from settle.cli.escrow_alone import escrow
from settle.cli.escrow_looks import IdArgument, summary
from settle.cli.escrow_own import (
    HoursOption,
    KeepOption,
    Known,
    MilestoneOption,
    Own,
    PaysOption,
    amounts_of,
    at_work,
    in_hours,
    send_words,
)
from settle.cli.output import JsonOption, show, tell
from settle.cli.profile import ProfileOption
from settle.domain.errors import NotFound, Refused
from settle.domain.escrow.named_instructions import print_instructions
from settle.domain.escrow.wording import print_terms
from settle.domain.ids import WORD_BYTES, parse_word
from settle.signer.escrow_journal import EscrowJournal
from settle.signer.escrow_review import refuse_bad, review_escrow
from settle.signer.escrow_words import EscrowWords

if TYPE_CHECKING:
    from settle.client.escrows import EscrowMessage

__all__ = ["escrow"]


@escrow.command("draft")
def draft(
    file: FileArgument,
    profile: ProfileOption,
    open_by: OpenByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a document, compile it under a salt of its own, propose it to all whom it names."""
    with at_work(profile) as own:
        salt = secrets.token_bytes(WORD_BYTES)
        written = read_file(file, open_by, salt=salt, register=own.register())
        refuse_bad(written, own.deployment.domain)
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
    with at_work(profile) as own:
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
        named = print_instructions(
            written.terms, written.instructions, register=own.register(), labels=written.labels
        )
        if named:
            tell(named)
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
    number: Annotated[
        int | None, typer.Option("--round", min=0, help="of the feed in a contract")
    ] = None,
    unsettled: Annotated[
        Path | None, typer.Option(help="your document: it has the instruction that did not settle")
    ] = None,
    keep: KeepOption = False,
    as_json: JsonOption = False,
) -> None:
    """State what the condition asks you to state, or show what anybody can show.

    That is the secret of a hash lock, the round of a contract's feed, an instruction that did not
    settle.
    """

    def say(words: EscrowWords, _found: Known, _own: Own) -> EscrowMessage:
        now = int(time.time())
        if secret is not None:
            return words.preimage(milestone - 1, parse_word(secret, "--secret"))
        if number is not None:
            return words.round(milestone - 1, number)
        if unsettled is not None:
            named = read_file(unsettled).instructions
            return words.unsettled(milestone - 1, [one.instruction for one in named])
        if value is not None:
            return words.reading(milestone - 1, value, observed_at=now)
        return words.statement(milestone - 1, observed_at=now)

    send_words(escrow_id, profile, milestone, say, keep=keep, as_json=as_json)


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

    def say(words: EscrowWords, found: Known, own: Own) -> EscrowMessage:
        paid = amounts_of(found, milestone - 1, pays, own.register())
        return words.split(milestone - 1, paid, valid_by=in_hours(hours))

    send_words(escrow_id, profile, milestone, say, keep=keep, as_json=as_json)


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

    def say(words: EscrowWords, found: Known, own: Own) -> EscrowMessage:
        paid = tuple(amounts_of(found, milestone - 1, pays, own.register()))
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

    send_words(escrow_id, profile, milestone, say, keep=keep, as_json=as_json)


@escrow.command("withdraw")
def withdraw(escrow_id: IdArgument, profile: ProfileOption, as_json: JsonOption = False) -> None:
    """Take your signature back before the opening: these terms never open."""
    send_words(
        escrow_id, profile, 1, lambda words, _found, _own: words.withdrawal(), as_json=as_json
    )
