"""What one running API has beside its context, and how an operation gets at it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.openapi.models import HTTPBase as HTTPBaseModel
from fastapi.security.base import SecurityBase

from settle.api.asset_names import AssetNames
from settle.api.context import ApiContext, Caller
from settle.api.idempotency import KeyHeader, Operation, Underway
from settle.api.trade_views import TradeViews
from settle.domain.errors import Forbidden
from settle.domain.ids import Lei
from settle.services.trade_rows import Role

PREFIX: Final = "/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The context and what is kept in memory beside it."""

    context: ApiContext
    names: AssetNames
    views: TradeViews
    underway: Underway


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A participant that asks on its own account."""

    caller: Caller
    lei: Lei


class _SignedRequest(SecurityBase):
    """Who signed was found out at the reception; this gives it on, and tells OpenAPI."""

    def __init__(self) -> None:
        self.model = HTTPBaseModel(
            scheme="Settle",
            description="A signature over the request: see settle.signed_request for its form.",
        )
        self.scheme_name = "SignedRequest"

    async def __call__(self, request: Request) -> Caller:
        caller: Caller = request.state.caller
        return caller


_signed = _SignedRequest()


async def runtime(request: Request) -> Runtime:
    """Give what the application runs on."""
    found: Runtime = request.app.state.runtime
    return found


RuntimeNeeded = Annotated[Runtime, Depends(runtime)]
CallerNeeded = Annotated[Caller, Security(_signed)]


async def member(caller: CallerNeeded) -> Member:
    """Let only participants through: what the operator may see it still may not do for them."""
    if caller.role is not Role.PARTICIPANT or caller.lei is None:
        raise Forbidden(f"this is for participants, not for the {caller.role.value}")
    return Member(caller=caller, lei=caller.lei)


async def operator(caller: CallerNeeded) -> Caller:
    """Let only the operator through."""
    if caller.role is not Role.OPERATOR:
        raise Forbidden(f"this is for the operator, not for the {caller.role.value}")
    return caller


MemberNeeded = Annotated[Member, Depends(member)]
OperatorNeeded = Annotated[Caller, Depends(operator)]


async def operation(
    request: Request, run: RuntimeNeeded, caller: CallerNeeded, idempotency_key: KeyHeader
) -> Operation:
    """Make the operation of a POST."""
    target = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return Operation(
        context=run.context,
        underway=run.underway,
        caller=caller,
        key=idempotency_key,
        digest=hashlib.sha256(target + request.state.body_digest).digest(),
        what=f"{request.method} {request.url.path}",
        trace_id=request.state.trace_id,
    )


OperationNeeded = Annotated[Operation, Depends(operation)]
