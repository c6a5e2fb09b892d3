"""Changed copies of frozen records, fast: rows of trades have dozens of fields and change often."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")
_NAMES: Final[dict[type[object], tuple[str, ...]]] = {}
_set = object.__setattr__


def altered(record: Record, **changes: Any) -> Record:  # noqa: ANN401  values of the fields
    """Copy a frozen dataclass with some fields changed, as `dataclasses.replace` does slowly.

    Only for records without `__post_init__`. Raises AttributeError for a field that is not there.
    """
    kind = type(record)
    names = _NAMES.get(kind)
    if names is None:
        names = _NAMES[kind] = tuple(field.name for field in fields(record))
    made = object.__new__(kind)
    for name in names:
        _set(made, name, changes.pop(name) if name in changes else getattr(record, name))
    if changes:
        raise AttributeError(f"{kind.__name__} has no {', '.join(changes)}")
    return made
