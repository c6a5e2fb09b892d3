"""Calls about escrows that the venue sends: which function, which terms, what else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from settle.domain.escrow.terms import EscrowId, EscrowTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowCall:
    """One act on an escrow, as the contract names it; `arguments` follow the terms."""

    escrow: EscrowId
    function: str
    terms: EscrowTerms
    arguments: tuple[object, ...] = ()
