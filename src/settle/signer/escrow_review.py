"""Compares an escrow that a venue asks to sign with the written terms that the participant has."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from settle.domain.errors import Refused
from settle.domain.escrow.check import check
from settle.domain.escrow.reading import WrittenTerms, read_terms
from settle.domain.escrow.terms import escrow_id

if TYPE_CHECKING:
    from settle.client.escrows import Escrow
    from settle.domain.escrow.register import Register
    from settle.domain.instruction import SigningDomain


def review_escrow(
    asked: Escrow, written: str, *, is_json: bool, register: Register, domain: SigningDomain
) -> WrittenTerms:
    """Pass terms that are what the participant's own document says, to the last field.

    The document is compiled with the participant's register, so that an asset is what its code
    says; salt and `open_by` are the draft's. What was compiled is given back, to be printed.
    Raises: InvalidInput where the document is wrong; Refused `not_as_written` naming the first
    field that differs, `another_id`, `escrow_refused` with what the check found.
    """
    mine = read_terms(
        written,
        is_json=is_json,
        open_by=asked.terms.open_by,
        salt=asked.terms.salt,
        register=register,
    )
    for field in fields(mine.terms):
        ours, theirs = getattr(mine.terms, field.name), getattr(asked.terms, field.name)
        if ours != theirs:
            message = f"{field.name}: your document says {ours!r}, the draft {theirs!r}"
            raise Refused((), message, code="not_as_written")
    if escrow_id(mine.terms, domain) != asked.id:
        raise Refused((), "the draft's number is not that of its terms", code="another_id")
    refuse_bad(mine, domain)
    return mine


def refuse_bad(written: WrittenTerms, domain: SigningDomain) -> None:
    """Let through only terms whose every branch ends, and that name no instruction unseen.

    Raises: Refused `escrow_refused`.
    """
    report = check(written.terms, written.locks, written.instructions, domain)
    if report.is_refused:
        findings = "\n".join(map(str, report.findings))
        raise Refused((), f"the terms are refused:\n{findings}", code="escrow_refused")
