"""Composes the API of one context."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from settle.api import (
    escrow_routes,
    event_routes,
    health_routes,
    instruction_routes,
    iso_routes,
    openapi,
    receipt_routes,
    trade_routes,
    venue_routes,
)
from settle.api.asset_names import AssetNames
from settle.api.authentication import Authenticator
from settle.api.context import ApiContext
from settle.api.idempotency import Underway
from settle.api.nonce_book import NonceBook
from settle.api.problems import (
    Problem,
    headers_of,
    invalid_request,
    problem,
    problem_of,
    problem_response,
    status_of,
)
from settle.api.reception import Reception
from settle.api.runtime import PREFIX, Runtime
from settle.api.trade_views import TradeViews
from settle.domain.errors import SettleError

ROUTERS: Final[tuple[APIRouter, ...]] = (
    venue_routes.router,
    trade_routes.router,
    instruction_routes.router,
    escrow_routes.router,
    event_routes.router,
    iso_routes.router,
    receipt_routes.router,
    health_routes.router,
)


def create_app(context: ApiContext) -> FastAPI:
    """Make the application. Nothing is started but what serves requests."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with context.watch.running():
            yield

    app = FastAPI(
        title="settle",
        version=version("settle"),
        summary="Settlement of matched trades: all legs move, or none does.",
        lifespan=lifespan,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_name_of,
    )
    names = AssetNames(context.store, context.clock)
    app.state.runtime = Runtime(
        context=context,
        names=names,
        views=TradeViews(context.venue, names),
        underway=Underway(),
    )
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(
        Reception,
        context=context,
        authenticator=Authenticator(
            database=context.database,
            store=context.store,
            nonces=NonceBook(context.database, context.store),
            settings=context.settings,
            clock=context.clock,
        ),
    )
    app.add_exception_handler(SettleError, _settle_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    openapi.describe(app)
    return app


def _name_of(route: APIRoute) -> str:
    return route.name


def _answer(request: Request, told: Problem, headers: dict[str, str]) -> Response:
    request.state.problem_code = told.code
    return problem_response(told, headers)


async def _settle_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, SettleError)
    request.state.crash = error if told_as_crash(error) else None
    return _answer(request, problem_of(error, request.state.trace_id), headers_of(error))


def told_as_crash(error: SettleError) -> bool:
    """Whether a person has to look: then the log gets where it came from."""
    return status_of(error) is HTTPStatus.INTERNAL_SERVER_ERROR


async def _invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults: list[dict[str, Any]] = list(error.errors())
    return _answer(request, invalid_request(faults, request.state.trace_id), {})


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    code = status.name.lower()
    told = problem(status, code, str(error.detail), request.state.trace_id)
    return _answer(request, told, dict(error.headers or {}))
