from __future__ import annotations

import dataclasses

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from settle.chain.abi import Signature, load_abi
from settle.chain.events import EventDecoder
from settle.chain.log_rows import CONTRACTS
from settle.domain.chain_events import EVENT_TYPES, field_name
from settle.domain.errors import Broken
from settle.domain.ledger import Holding, holding_of_word

DECODER = EventDecoder(*CONTRACTS)
EVENTS = [e for name in CONTRACTS for e in load_abi(name).events.values() if e.name in EVENT_TYPES]


def value_of(kind: str, data: st.DataObject) -> object:
    if kind == "address":
        return "0x" + data.draw(st.binary(min_size=20, max_size=20)).hex()
    if kind == "bool":
        return data.draw(st.booleans())
    if kind == "int256":
        return data.draw(st.integers(-(2**255), 2**255 - 1))
    if kind.endswith("[]"):
        return tuple(value_of(kind[:-2], data) for _ in range(data.draw(st.integers(0, 4))))
    if kind.startswith("uint"):
        # Enums are small: every value of theirs is below this bound.
        return data.draw(st.integers(0, 2 if kind == "uint8" else 2 ** int(kind[4:]) - 1))
    if kind.startswith("("):
        return (data.draw(st.integers(0, 2**128 - 1)), data.draw(st.integers(0, 2**128 - 1)))
    size = int(kind.removeprefix("bytes"))
    return data.draw(st.binary(min_size=size, max_size=size))


def plain(value: object, field: object) -> object:
    """Write a decoded field the way that the general encoder takes it."""
    if isinstance(field, Holding) and isinstance(value, int):
        return holding_of_word(value)
    if isinstance(field, Holding):
        return Holding(available=value[0], held=value[1])  # type: ignore[index]
    if isinstance(value, str):
        return bytes.fromhex(value[2:])
    return value


def raw(event: Signature, values: list[object]) -> tuple[bytes, bytes]:
    inputs = event.entry["inputs"]
    pairs = list(zip(inputs, event.types, values, strict=True))
    topics = b"".join(encode([kind], [v]) for item, kind, v in pairs if item["indexed"])
    rest = [(kind, v) for item, kind, v in pairs if not item["indexed"]]
    return event.hash + topics, encode([k for k, _ in rest], [v for _, v in rest])


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: e.name)
@given(data=st.data())
def test_what_the_encoder_writes_is_read_back(event: Signature, data: st.DataObject) -> None:
    values = [value_of(kind, data) for kind in event.types]
    decoded = DECODER.decode(*raw(event, values))
    assert type(decoded).__name__ == event.name
    names = [field_name(argument) for argument in event.arguments]
    for name, value in zip(names, values, strict=True):
        field = getattr(decoded, name)
        assert field == plain(value, field)
    assert {f.name for f in dataclasses.fields(decoded)} == set(names)  # type: ignore[arg-type]


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: e.name)
def test_every_event_of_the_contracts_has_its_record(event: Signature) -> None:
    assert DECODER.name(event.hash) == event.name


def test_a_log_of_somebody_else_is_unknown() -> None:
    assert DECODER.name(bytes(32)) == "unknown"
    assert DECODER.decode(bytes(32), b"") is None
    assert DECODER.name(b"") == "unknown"


POSTED = load_abi("Settlement").events["Posted"]
GOOD_TOPICS, GOOD_DATA = raw(POSTED, [b"\x01" * 32, 7, "0x" + "aa" * 20, "0x" + "bb" * 20, 5, 6, 7])


@pytest.mark.parametrize(
    ("topics", "data"),
    [
        (GOOD_TOPICS[:-32], GOOD_DATA),
        (GOOD_TOPICS + bytes(32), GOOD_DATA),
        (GOOD_TOPICS, GOOD_DATA[:-1]),
        (GOOD_TOPICS, GOOD_DATA + bytes(32)),
        (GOOD_TOPICS, b"\x01" + GOOD_DATA[1:]),
        (GOOD_TOPICS[:64] + b"\xff" * 32, GOOD_DATA),
    ],
    ids=["topic less", "topic more", "data less", "data more", "address padded", "asset too big"],
)
def test_a_log_that_has_not_the_form_of_its_event_is_refused(topics: bytes, data: bytes) -> None:
    with pytest.raises(Broken):
        DECODER.decode(topics, data)


ENDED = load_abi("Settlement").events["MilestoneEnded"]
ENDED_TOPICS, ENDED_DATA = raw(ENDED, [b"\x01" * 32, 2, 1, 3, False, (5, 6)])


@pytest.mark.parametrize(
    "data",
    [
        ENDED_DATA[:-32],
        ENDED_DATA + bytes(32),
        ENDED_DATA[:-96],
        ENDED_DATA[:159] + b"\xc0" + ENDED_DATA[160:],
        ENDED_DATA[:-32] + b"\x01" + bytes(31),
    ],
    ids=["a number less", "a number more", "no list", "list elsewhere", "number too big"],
)
def test_a_list_that_has_not_its_form_is_refused(data: bytes) -> None:
    assert DECODER.decode(ENDED_TOPICS, ENDED_DATA) is not None
    with pytest.raises(Broken):
        DECODER.decode(ENDED_TOPICS, data)
