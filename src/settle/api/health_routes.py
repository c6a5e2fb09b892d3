"""Whether the process lives, whether it is ready to take work, and what it measures."""

from __future__ import annotations

import hmac
import ipaddress
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse, Response

from settle.api import metrics
from settle.api.runtime import PREFIX, Runtime, RuntimeNeeded
from settle.api.strict_route import StrictRoute
from settle.api.venue_documents import CheckOut, HealthOut
from settle.domain.errors import NotFound, SettleError

router = APIRouter(prefix=PREFIX, route_class=StrictRoute, tags=["health"])


@router.get("/health/live")
async def get_live() -> HealthOut:
    """Answer while the process can answer at all."""
    return HealthOut(status="ok")


@router.get(
    "/health/ready",
    response_model=HealthOut,
    responses={HTTPStatus.SERVICE_UNAVAILABLE: {"model": HealthOut, "description": "Not ready"}},
)
def get_ready(run: RuntimeNeeded) -> Response:
    """Say whether work is taken: the database answers, and every background loop goes round."""
    checks = tuple(_checks(run))
    ready = all(one.ok for one in checks)
    shown = HealthOut(status="ok" if ready else "unavailable", checks=checks)
    status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse(shown.model_dump(mode="json"), status_code=status)


def _checks(run: Runtime) -> list[CheckOut]:
    context = run.context
    try:
        with context.database.reading() as conn:
            context.store.last_event(conn, viewer=None)
        database = CheckOut(name="database", ok=True, detail="")
    except SettleError as error:
        database = CheckOut(name="database", ok=False, detail=error.code)
    return [
        database,
        *(CheckOut(name=one.name, ok=one.ok, detail=one.detail) for one in context.checks()),
    ]


@router.get(
    "/metrics",
    response_class=Response,
    responses={HTTPStatus.OK: {"content": {metrics.MEDIA_TYPE: {"schema": {"type": "string"}}}}},
)
def get_metrics(
    run: RuntimeNeeded, request: Request, authorization: Annotated[str, Header()] = ""
) -> Response:
    """Give counts and times in Prometheus' text format: on this machine, or with the token."""
    if not _may_measure(run, request, authorization):
        raise NotFound("there is nothing here for you")
    return Response(run.context.metrics.text(), media_type=metrics.MEDIA_TYPE)


def _may_measure(run: Runtime, request: Request, authorization: str) -> bool:
    token = run.context.settings.metrics_token
    if token is not None:
        wanted = f"Bearer {token.get_secret_value()}"
        return hmac.compare_digest(authorization.encode(), wanted.encode())
    try:
        peer = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    return peer.is_loopback
