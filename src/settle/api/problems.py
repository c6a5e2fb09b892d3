"""What went wrong, as problem+json (RFC 9457): one table from our exceptions to HTTP.

A program reads `code` and `retryable`, a person reads `detail`. `errors` names each member at fault
by its JSON pointer, `reasons` says why the rules or the present state say no.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi.responses import Response
from pydantic import ConfigDict, Field

from settle.api.fields import AddressHex, Document, Units
from settle.domain.errors import (
    Broken,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    Refused,
    SettleError,
    Unavailable,
)
from settle.domain.ids import Address
from settle.domain.reasons import Reason, kind_of

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:settle:problem:"
INTERNAL: Final = "internal_error"
INTERNAL_DETAIL: Final = "Something here is wrong; the operator finds it in the log by trace_id."

BY_KIND: Final[Mapping[type[SettleError], HTTPStatus]] = {
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFound: HTTPStatus.NOT_FOUND,
    Forbidden: HTTPStatus.FORBIDDEN,
    Conflict: HTTPStatus.CONFLICT,
    Refused: HTTPStatus.CONFLICT,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    Broken: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""The nearest class of an exception's ancestry counts."""

BY_CODE: Final[Mapping[str, HTTPStatus]] = {
    "json_invalid": HTTPStatus.BAD_REQUEST,
    "unauthenticated": HTTPStatus.UNAUTHORIZED,
    "authorization_form": HTTPStatus.UNAUTHORIZED,
    "signature_invalid": HTTPStatus.UNAUTHORIZED,
    "signature_expired": HTTPStatus.UNAUTHORIZED,
    "signature_too_long": HTTPStatus.UNAUTHORIZED,
    "nonce_used": HTTPStatus.UNAUTHORIZED,
    "key_unknown": HTTPStatus.FORBIDDEN,
    "body_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "xml_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "media_type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "stale_version": HTTPStatus.PRECONDITION_FAILED,
    "if_match_missing": HTTPStatus.PRECONDITION_REQUIRED,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "queue_full": HTTPStatus.TOO_MANY_REQUESTS,
    "too_many_streams": HTTPStatus.TOO_MANY_REQUESTS,
}
"""Where the code says more than the class."""

_RETRYABLE_CODES: Final = frozenset({"request_in_progress"})


class FieldFault(Document):
    """One member at fault. `pointer` is a JSON pointer into the body, empty for the whole.

    Where the fault is not in the body, `parameter` names the header or the parameter.
    """

    code: str
    detail: str
    pointer: str = ""
    parameter: str | None = None


class ReasonOut(Document):
    """One reason of law L6: what is in the way, who can clear it, what is needed and what is there.

    `leg` is the index of the leg, or of the account for a consent. `measure` says what `needed` and
    `have` count. `have` is null where it would tell of another participant's account. `iso` is the
    code of sese.024 that says it to the caller.
    """

    code: str
    iso: str
    sentence: str
    clears: str
    clears_by: str
    permanent: bool
    leg: int
    account: AddressHex | None
    measure: str
    needed: Units
    have: Units | None


class Problem(Document):
    """A problem document (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:settle:problem:unknown_field",
                    "title": "Unprocessable Entity",
                    "status": 422,
                    "detail": "There is no member prize.",
                    "code": "unknown_field",
                    "retryable": False,
                    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
                    "errors": [
                        {
                            "code": "unknown_field",
                            "detail": "There is no member prize.",
                            "pointer": "/prize",
                            "parameter": None,
                        }
                    ],
                    "reasons": [],
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool = Field(description="whether the same request may succeed later, unchanged")
    trace_id: str
    errors: tuple[FieldFault, ...] = ()
    reasons: tuple[ReasonOut, ...] = ()


def reason_out(reason: Reason, own: Collection[Address] | None = ()) -> ReasonOut:
    """Write a reason with the sentences of its code, for the owner of the accounts `own`.

    None is for those who see everything.
    """
    kind = kind_of(reason.code)
    told_all = own is None or reason.who is None or reason.who in own
    return ReasonOut(
        code=reason.code,
        iso=kind.iso if told_all else kind.iso_other,
        sentence=kind.sentence,
        clears=kind.clears,
        clears_by=kind.clears_by,
        permanent=kind.permanent,
        leg=reason.leg,
        account=reason.who,
        measure=kind.measure,
        needed=reason.needed,
        have=reason.have if told_all else None,
    )


def status_of(error: SettleError) -> HTTPStatus:
    """Look an exception up: by its code, else by its class."""
    if error.code in BY_CODE:
        return BY_CODE[error.code]
    for kind in type(error).__mro__:
        if kind in BY_KIND:
            return BY_KIND[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def problem_of(error: SettleError, trace_id: str, prefix: str = "") -> Problem:
    """Write an exception as a problem; `prefix` is put before the pointer of a member at fault.

    What is broken here is told without particulars: those are in the log.
    """
    status = status_of(error)
    ours = isinstance(error, Broken) or status is HTTPStatus.INTERNAL_SERVER_ERROR
    errors: tuple[FieldFault, ...] = ()
    if isinstance(error, InvalidInput) and (error.pointer or prefix):
        pointer = prefix + error.pointer
        errors = (FieldFault(code=error.code, detail=error.message, pointer=pointer),)
    return problem(
        status,
        error.code,
        INTERNAL_DETAIL if ours else error.message,
        trace_id,
        retryable=isinstance(error, Unavailable) or error.code in _RETRYABLE_CODES,
        errors=errors,
        reasons=[reason_out(reason) for reason in getattr(error, "reasons", ())],
    )


def problem(
    status: HTTPStatus,
    code: str,
    detail: str,
    trace_id: str,
    *,
    retryable: bool = False,
    errors: Sequence[FieldFault] = (),
    reasons: Sequence[ReasonOut] = (),
) -> Problem:
    """Write a problem."""
    return Problem(
        type=TYPE_PREFIX + code,
        title=status.phrase,
        status=status.value,
        detail=detail,
        code=code,
        retryable=retryable,
        trace_id=trace_id,
        errors=tuple(errors),
        reasons=tuple(reasons),
    )


def invalid_request(faults: Sequence[Mapping[str, Any]], trace_id: str) -> Problem:
    """Write what validation found in a request, member by member."""
    errors = [_field_fault(fault) for fault in faults]
    code = errors[0].code if len(errors) == 1 else "invalid_request"
    status = BY_CODE.get(code, HTTPStatus.UNPROCESSABLE_ENTITY)
    detail = errors[0].detail if len(errors) == 1 else f"{len(errors)} members are wrong."
    return problem(status, code, detail, trace_id, errors=errors)


_CODES: Final = {"extra_forbidden": "unknown_field", "missing": "missing_field"}


def _field_fault(fault: Mapping[str, Any]) -> FieldFault:
    where, *path = fault["loc"]
    code = _CODES.get(fault["type"], fault["type"])
    detail = {
        "unknown_field": f"There is no member {path[-1] if path else ''}.",
        "missing_field": f"The member {path[-1] if path else 'body'} is missing.",
        "json_invalid": f"The body is not JSON: {fault.get('ctx', {}).get('error', '')}.",
    }.get(code, str(fault["msg"]))
    if where != "body":
        name = str(path[-1]) if path else ""
        return FieldFault(code=code, detail=detail, parameter=f"{where}:{name}")
    if code == "json_invalid":
        return FieldFault(code=code, detail=detail)
    return FieldFault(code=code, detail=detail, pointer=pointer_of(path))


def pointer_of(path: Sequence[str | int]) -> str:
    """Write a path as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def problem_response(told: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a problem."""
    return Response(
        told.model_dump_json(),
        status_code=told.status,
        media_type=MEDIA_TYPE,
        headers=dict(headers or {}),
    )


def headers_of(error: SettleError) -> dict[str, str]:
    """Give the headers that an answer to this exception carries."""
    headers: dict[str, str] = {}
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after_s or 1)
    if error.code in _RETRYABLE_CODES:
        headers["Retry-After"] = "1"
    if status_of(error) is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Settle"
    return headers
