"""Reads JSON that others wrote: no NaN, no broken text, nesting and numbers bounded.

Python's own reader nests as deep as the recursion limit, and libraries for the chain raise that
limit so far that a body of brackets alone would end the process.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import from_json


def read_json(octets: bytes | str) -> Any:  # noqa: ANN401  any JSON
    """Read a document.

    Raises: json.JSONDecodeError, a ValueError, for what is no JSON, nests deeper than 200 levels or
    has a number of more than 4,300 digits.
    """
    try:
        return from_json(octets, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        raise json.JSONDecodeError(str(error), "", 0) from None
