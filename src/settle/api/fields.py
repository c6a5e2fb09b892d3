"""Types of members of JSON documents: strictly parsed in, one form out.

Quantities, amounts, nonces and instants that a contract reads are strings of digits: JSON numbers
lose precision above 2^53, and a float is never money. Bytes are 0x and lower-case digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from settle.domain.errors import InvalidInput
from settle.domain.escrow.terms import MAX_PROGRAM
from settle.domain.ids import (
    account_address,
    parse_bic,
    parse_currency,
    parse_instruction_id,
    parse_isin,
    parse_lei,
    parse_word,
    to_hex,
)
from settle.domain.instruction import UINT32_MAX, UINT64_MAX
from settle.domain.money import UINT128_MAX, parse_units

PRINTABLE: Final = r"^[^\x00-\x1f\x7f]*$"
MAX_EVIDENCE: Final = 4_096
"""Bytes of one piece of evidence: the longest has an instruction of eight legs in it."""
_DAY_LENGTH: Final = len("2026-11-26")
_HEX: Final = re.compile(r"0x(?:[0-9a-f]{2})*\Z")


class Document(BaseModel):
    """A JSON object of the API: unknown members are refused, values are never converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _validator(parse: Callable[[str], Any]) -> BeforeValidator:
    def validate(value: object) -> object:
        if not isinstance(value, str):
            raise PydanticCustomError("string_expected", "expected a string")
        try:
            return parse(value)
        except InvalidInput as fault:
            # The message is an argument and not the template, whose braces have a meaning.
            raise PydanticCustomError(
                fault.code,
                "{message}",
                {"message": fault.message},
            ) from fault

    return BeforeValidator(validate)


def _units_validator(maximum: int) -> BeforeValidator:
    return _validator(lambda text: parse_units(text, maximum=maximum))


def _parse_date(text: str) -> date:
    if len(text) == _DAY_LENGTH:
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise InvalidInput("date_form", f"expected a date such as 2026-11-26, not {text[:20]!r}")


def _digits(maximum: int) -> WithJsonSchema:
    pattern = rf"^(0|[1-9][0-9]{{0,{len(str(maximum)) - 1}}})$"
    return WithJsonSchema({"type": "string", "pattern": pattern})


def _octets(least: int, most: int | None = None) -> WithJsonSchema:
    count = f"{2 * least}" if most is None else f"{2 * least},{2 * most}"
    return WithJsonSchema({"type": "string", "pattern": f"^0x[0-9a-fA-F]{{{count}}}$"})


def _text_schema(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern})


def _parse_signature(text: str) -> bytes:
    try:
        octets = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        octets = b""
    if not text.startswith("0x") or len(octets) not in {64, 65}:
        raise InvalidInput("signature_form", "a signature is 0x and 64 or 65 bytes in hex")
    return octets


def _parse_octets(text: str, most: int) -> bytes:
    if not _HEX.match(text) or len(text) > 2 + 2 * most:
        raise InvalidInput("octets_form", f"expected 0x and at most {most} bytes in lower-case hex")
    return bytes.fromhex(text[2:])


_DAY: Final = WithJsonSchema({"type": "string", "format": "date"})
_LEI: Final = _text_schema("^[A-Z0-9]{18}[0-9]{2}$")
_BIC: Final = _text_schema("^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$")
_ISIN: Final = _text_schema("^[A-Z]{2}[A-Z0-9]{9}[0-9]$")
_CURRENCY: Final = _text_schema("^[A-Z]{3}$")
_TRADE_ID: Final = _text_schema("^[0-7][0-9A-HJKMNP-TV-Z]{25}$")
_AS_TEXT: Final = PlainSerializer(str, return_type=str)
_AS_HEX: Final = PlainSerializer(to_hex, return_type=str)

# ------------------------------------------------------------------------------ in

Text35 = Annotated[str, Field(min_length=1, max_length=35, pattern=PRINTABLE)]
Text64 = Annotated[str, Field(min_length=1, max_length=64, pattern=PRINTABLE)]
Text140 = Annotated[str, Field(min_length=1, max_length=140, pattern=PRINTABLE)]
Uint128In = Annotated[int, _units_validator(UINT128_MAX), _digits(UINT128_MAX)]
Uint64In = Annotated[int, _units_validator(UINT64_MAX), _digits(UINT64_MAX)]
Uint32In = Annotated[int, _units_validator(UINT32_MAX), _digits(UINT32_MAX)]
AddressIn = Annotated[bytes, _validator(account_address), _octets(20)]
WordIn = Annotated[bytes, _validator(parse_word), _octets(32)]
DigestIn = Annotated[bytes, _validator(parse_instruction_id), _octets(32)]
SignatureIn = Annotated[bytes, _validator(_parse_signature), _octets(64, 65)]
ProgramIn = Annotated[
    bytes, _validator(lambda text: _parse_octets(text, MAX_PROGRAM)), _octets(0, MAX_PROGRAM)
]
EvidenceIn = Annotated[
    bytes, _validator(lambda text: _parse_octets(text, MAX_EVIDENCE)), _octets(0, MAX_EVIDENCE)
]
LeiIn = Annotated[str, _validator(parse_lei), _LEI]
BicIn = Annotated[str, _validator(parse_bic), _BIC]
IsinIn = Annotated[str, _validator(parse_isin), _ISIN]
CurrencyIn = Annotated[str, _validator(parse_currency), _CURRENCY]
DayIn = Annotated[date, _validator(_parse_date), _DAY]

# ------------------------------------------------------------------------------ out

Units = Annotated[int, _AS_TEXT, _digits(UINT128_MAX)]
Uint64 = Annotated[int, _AS_TEXT, _digits(UINT64_MAX)]
Uint32 = Annotated[int, _AS_TEXT, _digits(UINT32_MAX)]
AddressHex = Annotated[bytes, _AS_HEX, _octets(20)]
WordHex = Annotated[bytes, _AS_HEX, _octets(32)]
EvidenceHex = Annotated[bytes, _AS_HEX, _octets(0, MAX_EVIDENCE)]
SignatureHex = Annotated[bytes, _AS_HEX, _octets(64, 65)]
LeiText = Annotated[str, _LEI]
BicText = Annotated[str, _BIC]
TradeIdText = Annotated[str, _TRADE_ID]
Day = Annotated[date, _DAY]
Instant = Annotated[int, Field(ge=0, description="unix seconds")]
