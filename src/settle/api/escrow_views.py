"""Writes escrows as documents, and the contract's refusals as what is wrong in a request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from settle.api.escrow_documents import (
    EscrowMessageOut,
    EscrowMilestoneOut,
    EscrowNowOut,
    EscrowOut,
    EscrowTermsDocument,
    MilestoneNowOut,
    SignerOut,
    WaitingOut,
    WayOut,
)
from settle.domain.chain_errors import Reverted, describe
from settle.domain.errors import InvalidInput
from settle.domain.escrow.events import Outcome
from settle.domain.escrow.state import MilestoneRecord
from settle.domain.escrow.terms import signers_of
from settle.services.escrow_rows import MessageKind, MessageRow
from settle.services.show_escrows import BY_ITSELF, EscrowView, ways_of

if TYPE_CHECKING:
    from settle.domain.escrow.clock import MilestoneNow


def escrow_out(view: EscrowView) -> EscrowOut:
    """Write an escrow with all that was brought."""
    row = view.row
    signed = {one.author for one in view.messages if one.kind is MessageKind.CONSENT}
    return EscrowOut(
        id=row.escrow,
        status=row.status.value,
        reason=row.reason,
        proposed_by=row.proposed_by,
        terms=EscrowTermsDocument.of(row.terms),
        text=row.text,
        signers=tuple(
            SignerOut(account=account, signed=account in signed)
            for account in signers_of(row.terms)
        ),
        milestones=tuple(
            _milestone(number, now, view) for number, now in enumerate(view.milestones)
        ),
        messages=tuple(map(_message, view.messages)),
        waiting_on=tuple(
            WaitingOut(
                account=one.account, what=one.what.value, milestone=one.milestone, place=one.place
            )
            for one in view.waiting_on
        ),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _milestone(number: int, now: MilestoneNow, view: EscrowView) -> EscrowMilestoneOut:
    own = MilestoneRecord() if view.record is None else view.record.milestones[number]
    return EscrowMilestoneOut(
        number=number,
        state=now.state.name.lower(),
        outcome=_outcome(own.outcome),
        ended_by=None if own.ended_by is None else own.ended_by.name.lower(),
        ended_at=own.ended_at,
        disputed_at=own.disputed_at,
        paid=own.paid,
        waits=own.waits,
    )


def _outcome(outcome: Outcome) -> str | None:
    return None if outcome is Outcome.NONE else outcome.name.lower()


def _message(one: MessageRow) -> EscrowMessageOut:
    content = one.content
    signature = bytes.fromhex(cast("str", content["signature"])[2:])
    return EscrowMessageOut(
        kind=one.kind.value,
        author=one.author,
        milestone=one.milestone,
        place=one.place,
        paid=tuple(map(int, cast("list[str]", content["paid"]))),
        data=bytes.fromhex(cast("str", content["data"])[2:]),
        valid_by=int(cast("str", content["valid_by"])),
        signature=signature or None,
        created_at=one.created_at,
    )


def escrow_now_out(view: EscrowView, at: int) -> EscrowNowOut:
    """Write what can happen now."""
    return EscrowNowOut(
        id=view.row.escrow,
        status=view.row.status.value,
        asked_at=at,
        milestones=tuple(
            MilestoneNowOut(
                number=number,
                state=now.state.name.lower(),
                outcome=_outcome(now.outcome),
                until=now.until or None,
                deadline=now.deadline,
                ways=tuple(
                    WayOut(name=way.name, by=way.by, needed=way.needed, sentence=way.sentence)
                    for way in ways_of(view.row, number, now)
                ),
                by_itself=BY_ITSELF[now.state],
            )
            for number, now in enumerate(view.milestones)
        ),
    )


def as_invalid(error: Reverted, pointer: str) -> InvalidInput:
    """Say in plain words what the contract would refuse in the member at `pointer`.

    The code is the name of the contract's error, `DeadlinesInvalid` as `deadlines_invalid`.
    """
    name = type(error.error).__name__
    code = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    sentence = " ".join((type(error.error).__doc__ or name).split("\n\n")[0].split())
    return InvalidInput(code, f"{sentence} {describe(error.error)}", pointer)
