"""Turns an answer that is no success back into the exception that it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from settle.domain.errors import (
    Broken,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    SettleError,
    Unavailable,
)
from settle.domain.ids import account_address
from settle.domain.reasons import Reason
from settle.strict_json import read_json

_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_STATE: Final = frozenset((409, 412, 428))
_TEMPORARY: Final = frozenset((408, 425, 429, 502, 503, 504))
_SERVER: Final = 500


def exception_of(status: int, headers: Mapping[str, str], content: bytes) -> SettleError:
    """Read a problem document; whatever else an address answers is told by its status."""
    document = _document(content)
    code = str(document.get("code", f"http_{status}"))
    detail = str(document.get("detail") or f"the API answered HTTP {status}")
    retry_after = headers.get("retry-after", "")
    if status in _TEMPORARY or document.get("retryable") is True:
        seconds = int(retry_after) if retry_after.isdecimal() else None
        return Unavailable(detail, retry_after_s=seconds, code=code)
    if status >= _SERVER:
        trace = document.get("trace_id", "unknown")
        return Broken(f"the API failed: {detail} (trace id {trace})", code=code)
    if status in {_UNAUTHORIZED, _FORBIDDEN}:
        return Forbidden(detail, code=code)
    if status == _NOT_FOUND:
        return NotFound(detail, code=code)
    if status in _STATE:
        return Conflict(code, detail, reasons_of(document.get("reasons", ())))
    errors = document.get("errors") or [{}]
    return InvalidInput(code, _all_of(detail, errors), str(errors[0].get("pointer", "")))


def reasons_of(documents: object) -> tuple[Reason, ...]:
    """Read reasons as the API writes them; `have` is 0 where it is another's and not told."""
    if not isinstance(documents, list | tuple):
        return ()
    return tuple(
        Reason(
            code=told["code"],
            leg=told["leg"],
            who=None if told["account"] is None else account_address(told["account"]),
            needed=int(told["needed"]),
            have=int(told["have"] or 0),
        )
        for told in documents
    )


def _all_of(detail: str, errors: list[Mapping[str, Any]]) -> str:
    if len(errors) < 2:
        return detail
    return "; ".join(
        f"{fault.get('pointer') or fault.get('parameter')}: {fault.get('detail')}"
        for fault in errors
    )


def _document(content: bytes) -> Mapping[str, Any]:
    try:
        found = read_json(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
