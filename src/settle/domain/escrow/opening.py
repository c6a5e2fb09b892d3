"""The twin's acts before an escrow is open: opening it, and taking a signature back."""

from __future__ import annotations

from collections.abc import Sequence

from settle.domain.chain_errors import Reverted
from settle.domain.escrow.case import require_signed
from settle.domain.escrow.ends import hold_line
from settle.domain.escrow.errors import (
    ConsentWasWithdrawn,
    EscrowAlreadyOpened,
    NotAParty,
    SignaturesMissing,
)
from settle.domain.escrow.events import EscrowConsentWithdrawn, EscrowOpened
from settle.domain.escrow.evidence import Facts
from settle.domain.escrow.state import EscrowState, EscrowStep, close
from settle.domain.escrow.terms import (
    EscrowId,
    EscrowTerms,
    escrow_id,
    escrow_withdrawal_digest,
    signers_of,
)
from settle.domain.escrow.well_formed import check_terms
from settle.domain.ids import Address
from settle.domain.ledger_errors import SignatureInvalid
from settle.domain.twin_ledger import (
    require_admitted,
    require_available,
    require_not_frozen,
    require_open,
)
from settle.domain.twin_state import Draft


def open_escrow(
    state: EscrowState,
    terms: EscrowTerms,
    signatures: Sequence[bytes],
    *,
    facts: Facts,
    now: int,
) -> EscrowStep:
    """Open and fund: every line's quantity becomes held, or nothing does. Raises: Reverted."""
    check_terms(terms, now=now)
    escrow = escrow_id(terms, state.chain.domain)
    _require_consents(state, terms, escrow, signatures, facts)
    draft = Draft(state.chain)
    draft.tell(
        EscrowOpened(
            id=escrow,
            milestones=len(terms.deadlines),
            lines=len(terms.lines),
            text=terms.text,
        )
    )
    for k, line in enumerate(terms.lines):
        require_admitted(draft.state, line.depositor)
        require_admitted(draft.state, line.beneficiary)
        require_not_frozen(draft.state, line.depositor)
        require_open(draft.state, line.asset)
        require_available(draft.state, line.depositor, line.asset, line.quantity)
        hold_line(draft, escrow, k, line)
    return close(state, draft, now=now)


def withdraw_from_escrow(
    state: EscrowState,
    terms: EscrowTerms,
    account: Address,
    signature: bytes,
    *,
    caller: Address,
    facts: Facts,
    now: int,
) -> EscrowStep:
    """Take a signature under terms that are not open back: they never open. Raises: Reverted."""
    escrow = escrow_id(terms, state.chain.domain)
    _require_unopened(state, escrow)
    if account not in signers_of(terms):
        raise Reverted(NotAParty(account=account))
    digest = escrow_withdrawal_digest(account, escrow, state.chain.domain)
    require_signed(account, digest, signature, caller, facts)
    draft = Draft(state.chain)
    draft.tell(EscrowConsentWithdrawn(id=escrow, account=account))
    return close(state, draft, now=now)


def _require_unopened(state: EscrowState, escrow: EscrowId) -> None:
    if escrow in state.records:
        raise Reverted(EscrowAlreadyOpened(id=escrow))
    if escrow in state.withdrawn:
        raise Reverted(ConsentWasWithdrawn(id=escrow))


def _require_consents(
    state: EscrowState,
    terms: EscrowTerms,
    escrow: EscrowId,
    signatures: Sequence[bytes],
    facts: Facts,
) -> None:
    _require_unopened(state, escrow)
    signers = signers_of(terms)
    if len(signatures) != len(signers):
        raise Reverted(SignaturesMissing(given=len(signatures), needed=len(signers)))
    for account, signature in zip(signers, signatures, strict=True):
        if not facts.binds(account, escrow, signature):
            raise Reverted(SignatureInvalid(account=account))
