"""Reads records from JSON by their annotations, and writes values as the API reads them."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from settle.domain.errors import Broken
from settle.domain.ids import to_hex

Record = TypeVar("Record")


def read(kind: type[Record], document: object) -> Record:
    """Read a record from JSON. Raises Broken if the API says something else than it promised."""
    try:
        value: Record = _record(kind, document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"the API's answer is no {kind.__name__}: {type(error).__name__} {error}"
        raise Broken(message, code="answer") from error
    return value


def _record(kind: type[Any], document: Any) -> Any:  # noqa: ANN401  JSON in, a record out
    return kind(
        **{name: _value(hint, document[name]) for name, hint in _hints(kind) if name in document}
    )


_KNOWN: dict[type[Any], tuple[tuple[str, Any], ...]] = {}


def _hints(kind: type[Any]) -> tuple[tuple[str, Any], ...]:
    if kind not in _KNOWN:
        told = get_type_hints(kind)
        _KNOWN[kind] = tuple((one.name, told[one.name]) for one in dataclasses.fields(kind))
    return _KNOWN[kind]


def _value(hint: Any, found: Any) -> Any:  # noqa: ANN401  any kind of value
    origin = get_origin(hint)
    if origin in {types.UnionType, typing.Union}:
        if found is None:
            return None
        [hint] = [one for one in get_args(hint) if one is not type(None)]
        return _value(hint, found)
    if origin is tuple:
        return tuple(_value(get_args(hint)[0], one) for one in found)
    if origin is not None:
        return found
    if hint is int:
        return int(found)
    if hint is bytes:
        return bytes.fromhex(found.removeprefix("0x"))
    if hint is date:
        return date.fromisoformat(found)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _record(hint, found)
    return found


def write(values: Mapping[str, object]) -> dict[str, Any]:
    """Write members as the API reads them: integers as strings, bytes as hex; None is left out."""
    return {name: _written(value) for name, value in values.items() if value is not None}


def _written(value: object) -> Any:  # noqa: ANN401  JSON
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
        return to_hex(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return write(value)
    if isinstance(value, Sequence):
        return [_written(one) for one in value]
    raise TypeError(f"{type(value).__name__} is no value of the API")
