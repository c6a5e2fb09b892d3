"""Names of things as types of their own, and the only place that parses them from text.

Bytes inside, hex only at the edges. Every parser raises InvalidInput that says what is wrong.
Sources: ISO 6166 (ISIN), ISO 17442 and ISO 7064 mod 97-10 (LEI), ISO 9362 (BIC), ISO 4217
(currencies), EIP-55 (checksummed addresses).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NewType

from settle.domain.errors import InvalidInput
from settle.domain.keccak import keccak256

Address = NewType("Address", bytes)  # 20 bytes
AssetId = NewType("AssetId", int)  # number of the asset in the Ledger, uint32
InstructionId = NewType("InstructionId", bytes)  # 32 bytes, the EIP-712 digest of all terms
Lei = NewType("Lei", str)
Bic = NewType("Bic", str)
Isin = NewType("Isin", str)
CurrencyCode = NewType("CurrencyCode", str)
TradeId = NewType("TradeId", str)  # 26 characters, sorts by time

ADDRESS_BYTES: Final = 20
WORD_BYTES: Final = 32
_CODES_KEPT: Final = 4_096  # a market names the same few again and again
ZERO_ADDRESS: Final = Address(bytes(ADDRESS_BYTES))
ZERO_WORD: Final = bytes(WORD_BYTES)

_LEI = re.compile(r"[A-Z0-9]{18}[0-9]{2}\Z")
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?\Z")
_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]\Z")
_HEX_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}\Z")
_HEX_WORD = re.compile(r"0x[0-9a-fA-F]{64}\Z")
_TRADE_ID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}\Z")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

# ISO 4217: decimals of the minor unit. Fund codes and metals have none and are left out.
_ZERO = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_TWO = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF "
    "CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD "
    "HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA "
    "MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN "
    "QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP "
    "TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)
CURRENCY_DECIMALS: Final[dict[CurrencyCode, int]] = {
    CurrencyCode(code): decimals
    for decimals, codes in ((0, _ZERO), (2, _TWO), (3, _THREE))
    for code in codes.split()
}


def _letters_as_numbers(text: str) -> str:
    return "".join(str(int(character, 36)) for character in text)


@lru_cache(maxsize=_CODES_KEPT)
def lei_check_digits(base: str) -> str:
    """Give the two check digits of an LEI's first 18 characters (ISO 7064 mod 97-10)."""
    return f"{98 - int(_letters_as_numbers(base + '00')) % 97:02d}"


@lru_cache(maxsize=_CODES_KEPT)
def isin_check_digit(base: str) -> str:
    """Give the check digit of an ISIN's first 11 characters (Luhn, letters as two digits)."""
    digits = _letters_as_numbers(base)
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def parse_lei(text: str, pointer: str = "") -> Lei:
    """Check form and check digits of a Legal Entity Identifier."""
    if not _LEI.match(text):
        message = f"an LEI is 18 capital letters or digits and 2 check digits, not {text!r}"
        raise InvalidInput("lei_form", message, pointer)
    if lei_check_digits(text[:18]) != text[18:]:
        message = f"the check digits of the LEI {text} should be {lei_check_digits(text[:18])}"
        raise InvalidInput("lei_check_digits", message, pointer)
    return Lei(text)


def parse_bic(text: str, pointer: str = "") -> Bic:
    """Check the form of a Business Identifier Code, 8 or 11 characters."""
    if not _BIC.match(text):
        message = f"a BIC is 4 characters, a country, 2 characters and maybe 3 more, not {text!r}"
        raise InvalidInput("bic_form", message, pointer)
    return Bic(text)


def parse_isin(text: str, pointer: str = "") -> Isin:
    """Check form and check digit of an International Securities Identification Number."""
    if not _ISIN.match(text):
        message = f"an ISIN is 2 letters, 9 letters or digits and a check digit, not {text!r}"
        raise InvalidInput("isin_form", message, pointer)
    if isin_check_digit(text[:11]) != text[11]:
        message = f"the check digit of the ISIN {text} should be {isin_check_digit(text[:11])}"
        raise InvalidInput("isin_check_digit", message, pointer)
    return Isin(text)


def parse_currency(text: str, pointer: str = "") -> CurrencyCode:
    """Check that a currency is one of ISO 4217 with a minor unit (CURRENCY_DECIMALS)."""
    code = CurrencyCode(text)
    if code not in CURRENCY_DECIMALS:
        raise InvalidInput("currency_unknown", f"ISO 4217 has no currency {text!r}", pointer)
    return code


def parse_trade_id(text: str, pointer: str = "") -> TradeId:
    """Check the form of a trade's id: 26 characters of Crockford's base 32, at most 128 bits."""
    if not _TRADE_ID.match(text):
        message = f"a trade id is 26 characters of Crockford's base 32, not {text!r}"
        raise InvalidInput("trade_id_form", message, pointer)
    return TradeId(text)


def trade_id(milliseconds: int, randomness: bytes) -> TradeId:
    """Make a trade's id from an instant (48 bits) and 10 random bytes; ids sort by the instant."""
    if not 0 <= milliseconds < 1 << 48 or len(randomness) != 10:
        raise InvalidInput("trade_id_form", "a trade id takes 48 bits of time and 10 random bytes")
    number = milliseconds << 80 | int.from_bytes(randomness, "big")
    return TradeId("".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5)))


def account_address(text: str, pointer: str = "") -> Address:
    """Read an account's address: lower case, or with the capitals of its checksum (EIP-55)."""
    if not _HEX_ADDRESS.match(text):
        message = f"an address is 0x and 40 hexadecimal digits, not {text!r}"
        raise InvalidInput("address_form", message, pointer)
    address = Address(bytes.fromhex(text[2:]))
    if text != text.lower() and text != checksum_address(address):
        message = f"the capitals of the address {text} are not those of its checksum"
        raise InvalidInput("address_checksum", message, pointer)
    return address


def parse_word(text: str, pointer: str = "") -> bytes:
    """Read 32 bytes from 0x and 64 hexadecimal digits."""
    if not _HEX_WORD.match(text):
        message = f"expected 0x and 64 hexadecimal digits, not {text!r}"
        raise InvalidInput("word_form", message, pointer)
    return bytes.fromhex(text[2:])


def parse_instruction_id(text: str, pointer: str = "") -> InstructionId:
    """Read an instruction's id from 0x and 64 hexadecimal digits."""
    return InstructionId(parse_word(text, pointer))


def to_hex(data: bytes) -> str:
    """Write bytes as 0x and lower-case digits: the one form in JSON, logs and pages."""
    return "0x" + data.hex()


def checksum_address(address: Address) -> str:
    """Write an address with the capitals of EIP-55, for people and for tools that insist."""
    digits = address.hex()
    mask = keccak256(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if int(bit, 16) > 7 else digit
        for digit, bit in zip(digits, mask, strict=False)
    )
