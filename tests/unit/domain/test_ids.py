from __future__ import annotations

import pytest

from settle.domain.errors import InvalidInput
from settle.domain.ids import (
    CURRENCY_DECIMALS,
    Address,
    account_address,
    checksum_address,
    isin_check_digit,
    lei_check_digits,
    parse_bic,
    parse_currency,
    parse_isin,
    parse_lei,
    parse_trade_id,
    parse_word,
    to_hex,
    trade_id,
)

# Identifiers that are in use, so that the rules are tested against the world and not themselves.
LEIS = ("529900D6BF99LW9R2E68", "7LTWFZYICNSX8D621K86", "HWUPKR0MPOU8FGXBT394")
ISINS = ("DE0007164600", "US0378331005", "AU0000XVGZA3", "GB0002634946", "FR0000120271")


@pytest.mark.parametrize("lei", LEIS)
def test_an_lei_in_use_is_accepted(lei: str) -> None:
    assert parse_lei(lei) == lei
    assert lei_check_digits(lei[:18]) == lei[18:]


@pytest.mark.parametrize("isin", ISINS)
def test_an_isin_in_use_is_accepted(isin: str) -> None:
    assert parse_isin(isin) == isin
    assert isin_check_digit(isin[:11]) == isin[11]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("529900D6BF99LW9R2E69", "lei_check_digits"),
        ("529900D6BF99LW9R2E86", "lei_check_digits"),  # the two check digits exchanged
        ("529900d6bf99lw9r2e68", "lei_form"),
        ("529900D6BF99LW9R2E6", "lei_form"),
        ("529900D6BF99LW9R2E68\n", "lei_form"),
        ("529900D6BF99LW9R2E6\u0668", "lei_form"),
        ("", "lei_form"),
    ],
)
def test_a_wrong_lei_is_refused_by_what_is_wrong(text: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_lei(text, "/delivering_party")
    assert (refused.value.code, refused.value.pointer) == (code, "/delivering_party")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DE0007164601", "isin_check_digit"),
        ("DE0007146600", "isin_check_digit"),  # two digits exchanged
        ("D00007164600", "isin_form"),
        ("DE000716460", "isin_form"),
        ("DE0007164600 ", "isin_form"),
    ],
)
def test_a_wrong_isin_is_refused_by_what_is_wrong(text: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_isin(text)
    assert refused.value.code == code


@pytest.mark.parametrize("bic", ["DAKVDEFF", "DEUTDEFFXXX", "MGTCBEBEECL"])
def test_a_bic_has_8_or_11_characters(bic: str) -> None:
    assert parse_bic(bic) == bic


@pytest.mark.parametrize("bic", ["DAKVDEF", "DAKVDEFFXX", "dakvdeff", "DAKV1EFF", "DAKVDEFF\n"])
def test_a_wrong_bic_is_refused(bic: str) -> None:
    with pytest.raises(InvalidInput):
        parse_bic(bic)


def test_currencies_have_the_decimals_of_their_minor_unit() -> None:
    assert CURRENCY_DECIMALS[parse_currency("EUR")] == 2
    assert CURRENCY_DECIMALS[parse_currency("JPY")] == 0
    assert CURRENCY_DECIMALS[parse_currency("KWD")] == 3
    assert len(CURRENCY_DECIMALS) > 150
    for unknown in ("EUX", "eur", "XXX", ""):
        with pytest.raises(InvalidInput):
            parse_currency(unknown)


def test_an_address_is_read_in_lower_case_or_with_its_checksum() -> None:
    # The example of EIP-55.
    text = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
    address = account_address(text)
    assert checksum_address(address) == text
    assert account_address(text.lower()) == address
    assert to_hex(address) == text.lower()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "address_checksum"),
        ("0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED", "address_checksum"),
        ("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "address_form"),
        ("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae", "address_form"),
        ("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaeg", "address_form"),
        ("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed\n", "address_form"),
    ],
)
def test_a_wrong_address_is_refused_by_what_is_wrong(text: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        account_address(text)
    assert refused.value.code == code


def test_a_word_is_32_bytes_of_hexadecimal() -> None:
    assert parse_word("0x" + "0f" * 32) == b"\x0f" * 32
    for wrong in ("0f" * 32, "0x" + "0f" * 31, "0x" + "0f" * 33, "0x" + "zz" * 32):
        with pytest.raises(InvalidInput):
            parse_word(wrong)


def test_trade_ids_sort_by_time_and_are_of_26_characters() -> None:
    # The example of the ULID specification: 1469918176385 ms is 01ARYZ6S41.
    ident = trade_id(1_469_918_176_385, bytes(10))
    assert ident == "01ARYZ6S41" + "0" * 16
    later = [trade_id(ms, b"\xff" * 10) for ms in (0, 1, 1_700_000_000_000, 2**48 - 1)]
    assert later == sorted(later)
    assert [parse_trade_id(text) for text in later] == later


def test_a_wrong_trade_id_is_refused() -> None:
    for wrong in ("0" * 25, "8" + "0" * 25, "0" * 25 + "U", "0" * 25 + "a", "0" * 27):
        with pytest.raises(InvalidInput):
            parse_trade_id(wrong)
    for instant, randomness in ((-1, bytes(10)), (2**48, bytes(10)), (0, bytes(9))):
        with pytest.raises(InvalidInput):
            trade_id(instant, randomness)


def test_an_address_is_only_bytes() -> None:
    assert checksum_address(Address(bytes(20))) == "0x" + "0" * 40
