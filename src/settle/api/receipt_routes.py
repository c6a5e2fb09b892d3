"""Receipts: what the operator signed that it accepted, for the participant to keep."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from settle.api.paging import DEFAULT_LIMIT, LimitQuery
from settle.api.receipt_documents import ReceiptsPage, receipt_out
from settle.api.runtime import PREFIX, MemberNeeded, RuntimeNeeded
from settle.api.strict_route import StrictRoute

router = APIRouter(prefix=PREFIX, route_class=StrictRoute, tags=["receipts"])


@router.get("/receipts")
def list_receipts(
    run: RuntimeNeeded,
    member: MemberNeeded,
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: LimitQuery = DEFAULT_LIMIT,
) -> ReceiptsPage:
    """List your receipts behind a number, oldest first. Keep them: they are your proof."""
    with run.context.database.reading() as conn:
        found = run.context.receipts.store.receipts_behind(conn, member.lei, after, limit + 1)
    page = found[:limit]
    return ReceiptsPage(
        receipts=tuple(map(receipt_out, page)),
        next_after=page[-1].number if len(found) > limit else None,
    )
