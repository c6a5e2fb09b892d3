from __future__ import annotations

import json
from typing import Any

import pytest

from settle.domain.errors import InvalidInput
from settle.domain.ids import Address, AssetId
from settle.domain.instruction import Instruction, Leg
from settle.domain.instruction_json import from_json, to_json

A, B = Address(b"\xaa" * 20), Address(b"\xbb" * 20)
TERMS = Instruction(
    initiator=A,
    nonce=2**64 - 1,
    settle_from=10,
    settle_by=20,
    options=1,
    minimum_lot=5,
    terms=b"\x09" * 32,
    legs=(
        Leg(asset=AssetId(1), deliverer=A, receiver=B, quantity=2**128 - 1),
        Leg(asset=AssetId(2), deliverer=B, receiver=A, quantity=7),
    ),
)


def _changed(path: str, value: Any) -> Any:
    document: Any = to_json(TERMS)
    *parents, last = path.strip("/").split("/")
    at = document
    for step in parents:
        at = at[int(step)] if isinstance(at, list) else at[step]
    at[last] = value
    return document


def test_integers_are_strings_and_bytes_are_hexadecimal() -> None:
    document = to_json(TERMS)
    assert document["nonce"] == "18446744073709551615"
    assert document["initiator"] == "0x" + "aa" * 20
    assert document["cycle"] == "0x" + "00" * 32
    assert document["legs"][0] == {  # type: ignore[index]
        "asset": "1",
        "deliverer": "0x" + "aa" * 20,
        "receiver": "0x" + "bb" * 20,
        "quantity": str(2**128 - 1),
    }
    assert from_json(json.loads(json.dumps(document))) == TERMS


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("/nonce", 1, "units_form"),
        ("/nonce", 1.0, "units_form"),
        ("/nonce", "1.0", "units_form"),
        ("/nonce", "-1", "units_form"),
        ("/nonce", None, "units_form"),
        ("/nonce", str(2**64), "units_range"),
        ("/settle_from", str(2**64), "units_range"),
        ("/settle_by", "soon", "units_form"),
        ("/options", str(2**32), "units_range"),
        ("/minimum_lot", str(2**128), "units_range"),
        ("/initiator", "0x" + "aa" * 19, "address_form"),
        ("/initiator", 5, "string_expected"),
        ("/cycle", "0x" + "00" * 31, "word_form"),
        ("/predecessor", "", "word_form"),
        ("/trade_ref", None, "string_expected"),
        ("/terms", "00" * 32, "word_form"),
        ("/legs", {}, "legs_form"),
        ("/legs", "[]", "legs_form"),
        ("/legs/1", [], "object_expected"),
        ("/legs/0/asset", str(2**32), "units_range"),
        ("/legs/1/quantity", 7, "units_form"),
        ("/legs/1/quantity", 7.5, "units_form"),
        ("/legs/1/quantity", str(2**128), "units_range"),
        ("/legs/1/receiver", "0x" + "zz" * 20, "address_form"),
        ("/legs/0/deliverer", "0xAa" + "aa" * 19, "address_checksum"),
        ("/surprise", "1", "unknown_key"),
        ("/legs/0/fee", "1", "unknown_key"),
    ],
)
def test_what_is_wrong_is_refused_and_pointed_at(path: str, value: Any, code: str) -> None:
    document: Any = to_json(TERMS)
    if path == "/legs/1":
        document["legs"][1] = value
    else:
        document = _changed(path, value)
    with pytest.raises(InvalidInput) as refused:
        from_json(document, "/instruction")
    assert (refused.value.code, refused.value.pointer) == (code, "/instruction" + path)


@pytest.mark.parametrize("key", sorted(to_json(TERMS)))
def test_no_member_may_be_missing(key: str) -> None:
    document = to_json(TERMS)
    del document[key]
    with pytest.raises(InvalidInput) as refused:
        from_json(document)
    assert (refused.value.code, refused.value.pointer) == ("missing_key", "/" + key)


@pytest.mark.parametrize("key", ["asset", "deliverer", "receiver", "quantity"])
def test_no_member_of_a_leg_may_be_missing(key: str) -> None:
    document: Any = to_json(TERMS)
    del document["legs"][1][key]
    with pytest.raises(InvalidInput) as refused:
        from_json(document)
    assert (refused.value.code, refused.value.pointer) == ("missing_key", f"/legs/1/{key}")


def test_more_legs_than_the_bound_are_refused_at_the_start() -> None:
    document: Any = to_json(TERMS)
    document["legs"] = ["not even a leg"] * 9
    with pytest.raises(InvalidInput) as refused:
        from_json(document)
    assert (refused.value.code, refused.value.pointer) == ("too_many_legs", "/legs")


@pytest.mark.parametrize("document", [None, [], "text", 5, True])
def test_anything_but_an_object_is_refused(document: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        from_json(document)
    assert (refused.value.code, refused.value.pointer) == ("object_expected", "")


def test_the_pointer_of_a_strange_key_is_escaped() -> None:
    with pytest.raises(InvalidInput) as refused:
        from_json({"a/b~c": 1})
    assert refused.value.pointer == "/a~1b~0c"
