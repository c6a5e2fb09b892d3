"""`settle escrow dispute` and `settle escrow rule`: a panel is asked, and says what is paid."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from settle.cli.escrow_life import escrow
from settle.cli.escrow_looks import IdArgument
from settle.cli.escrow_own import (
    HoursOption,
    KeepOption,
    Known,
    MilestoneOption,
    Own,
    PaysOption,
    amounts_of,
    in_hours,
    send_words,
)
from settle.cli.output import JsonOption
from settle.cli.profile import ProfileOption
from settle.domain.errors import InvalidInput, Refused

if TYPE_CHECKING:
    from settle.client.escrows import EscrowMessage
    from settle.signer.escrow_words import EscrowWords

__all__ = ["escrow"]


@escrow.command("dispute")
def dispute(
    escrow_id: IdArgument,
    file: Annotated[
        Path, typer.Argument(help="your evidence: it stays with you, its hash is sent")
    ],
    profile: ProfileOption,
    milestone: MilestoneOption = 1,
    hours: HoursOption = 1,
    keep: KeepOption = False,
    as_json: JsonOption = False,
) -> None:
    """Ask the panel to rule. The hash of the evidence is its SHA-256, as sha256sum prints it."""

    def say(words: EscrowWords, _found: Known, _own: Own) -> EscrowMessage:
        try:
            digest = hashlib.sha256(file.read_bytes()).digest()
        except OSError as error:
            raise InvalidInput("file_read", f"{file}: {error.strerror}") from error
        return words.dispute(milestone - 1, digest, valid_by=in_hours(hours))

    send_words(escrow_id, profile, milestone, say, keep=keep, as_json=as_json)


@escrow.command("rule")
def rule(
    escrow_id: IdArgument,
    profile: ProfileOption,
    pays: PaysOption,
    reason: Annotated[str, typer.Option(help="four letters or digits")],
    milestone: MilestoneOption = 1,
    hours: HoursOption = 72,
    again: Annotated[
        bool, typer.Option("--again", help="beside a ruling of yours that still serves")
    ] = False,
    keep: KeepOption = False,
    as_json: JsonOption = False,
) -> None:
    """Rule, as an arbiter, what each line of a disputed milestone pays."""

    def say(words: EscrowWords, found: Known, own: Own) -> EscrowMessage:
        paid = amounts_of(found, milestone - 1, pays, own.register())
        said = words.ruling(milestone - 1, paid, reason=reason, valid_by=in_hours(hours))
        _require_disputed(found, milestone)
        if not again:
            _require_first(found, said, milestone)
        return said

    send_words(escrow_id, profile, milestone, say, keep=keep, as_json=as_json)


# ------------------------------------------------------------------------------ parts


def _require_disputed(found: Known, milestone: int) -> None:
    """Rule where there is a dispute only: signed before, it would serve in any that comes."""
    if found.milestones and found.milestones[milestone - 1].disputed_at is None:
        message = f"nobody has disputed milestone {milestone}: an arbiter rules in a dispute only"
        raise Refused((), message, code="not_disputed")


def _require_first(found: Known, said: EscrowMessage, milestone: int) -> None:
    """Ask that no ruling of this arbiter still serves: whoever has it could use it as well."""
    now = int(time.time())
    given = [
        one.valid_by
        for one in found.messages
        if (one.kind, one.milestone, one.author) == (said.kind, said.milestone, said.author)
        and one.valid_by > now
    ]
    if given:
        message = (
            f"you ruled over milestone {milestone} already, and that ruling serves until unix "
            f"second {max(given)}: a second one would serve beside it; if you mean it, --again"
        )
        raise Refused((), message, code="ruled_before")
