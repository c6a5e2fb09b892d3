"""Hostile and broken XML: refused before anything of it is followed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settle.domain.errors import InvalidInput
from settle.iso20022.sese023 import Rejection, Sese023, read
from settle.iso20022.xml_source import MAX_BYTES, MAX_DEPTH, read_xml
from tests.iso20022.messages import Assets, Directory, accepted, changed, example

DVP = "dvp_delivering.xml"


def problem(xml: bytes) -> InvalidInput:
    with pytest.raises(InvalidInput) as refusal:
        read(xml, Directory(), Assets())
    return refusal.value


def with_doctype(doctype: str) -> bytes:
    return changed(example(DVP), "<Document", f"{doctype}<Document")


def test_an_entity_that_reads_a_file_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("KEY")
    doctype = f'<!DOCTYPE Document [<!ENTITY e SYSTEM "{secret.as_uri()}">]>'
    refusal = problem(changed(with_doctype(doctype), "ALFA-DVP-0001", "&e;"))
    assert refusal.code == "xml_doctype"
    assert "KEY" not in refusal.message


def test_entities_that_multiply_are_refused() -> None:
    laughs = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
    doctype = f'<!DOCTYPE Document [<!ENTITY l0 "ha">{laughs}]>'
    assert problem(changed(with_doctype(doctype), "ALFA-DVP-0001", "&l9;")).code == "xml_doctype"


def test_a_document_type_from_outside_is_refused() -> None:
    doctype = '<!DOCTYPE Document SYSTEM "http://192.0.2.1/evil.dtd">'
    assert problem(with_doctype(doctype)).code == "xml_doctype"


def test_an_entity_that_nobody_declared_is_refused() -> None:
    assert problem(changed(example(DVP), "ALFA-DVP-0001", "&e;")).code == "xml_malformed"


def test_a_message_above_the_size_bound_is_refused() -> None:
    padded = example(DVP) + b" " * MAX_BYTES
    assert problem(padded).code == "xml_too_large"
    small = len(example(DVP))
    assert isinstance(read(example(DVP), Directory(), Assets(), max_bytes=small), Sese023)
    with pytest.raises(InvalidInput):
        read(example(DVP), Directory(), Assets(), max_bytes=small - 1)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 200, 30_000])
def test_elements_too_deep_in_one_another_are_refused(depth: int) -> None:
    assert problem(b"<a>" * depth + b"</a>" * depth).code in ("xml_too_deep", "xml_malformed")


def test_the_depth_bound_itself_is_allowed() -> None:
    assert read_xml(b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH).tag == "a"


@pytest.mark.parametrize("xml", [b"", b"   ", b"sese.023", b"<Document>", b"\x00", b"{}"])
def test_what_is_no_xml_is_refused(xml: bytes) -> None:
    assert problem(xml).code == "xml_malformed"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-7", "iso-8859-1"])
def test_other_encodings_than_utf_8_are_refused(encoding: str) -> None:
    declared = example(DVP).decode().replace("UTF-8", encoding.upper())
    assert problem(declared.encode(encoding)).code in ("xml_encoding", "xml_malformed")


def test_utf_8_may_have_a_byte_order_mark() -> None:
    accepted(b"\xef\xbb\xbf" + example(DVP))


def test_a_comment_inside_a_value_does_not_shorten_it() -> None:
    split = changed(example(DVP), "<Unit>500</Unit>", "<Unit>5<!-- 0 -->00<?x y?></Unit>")
    assert accepted(split).stated.quantity == 500


def test_a_prefix_changes_nothing() -> None:
    text = example(DVP).decode().replace("<!-- ", "<!--").replace('xmlns="', 'xmlns:s="')
    prefixed = text.replace("</", "\0").replace("<", "<s:").replace("\0", "</s:")
    prefixed = prefixed.replace("<s:?xml", "<?xml").replace("<s:!--", "<!--")
    assert accepted(prefixed.encode()).stated == accepted(example(DVP)).stated


def test_a_hint_where_a_schema_lies_is_allowed_and_not_followed() -> None:
    hint = (
        '<Document xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:schemaLocation="urn:x http://192.0.2.1/x.xsd"'
    )
    accepted(changed(example(DVP), "<Document", hint))


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_and_never_break(noise: bytes) -> None:
    with pytest.raises(InvalidInput):
        read(noise, Directory(), Assets())


@given(st.integers(0, 3000), st.binary(max_size=4))
def test_a_damaged_message_is_read_or_refused_and_never_breaks(place: int, noise: bytes) -> None:
    whole = example(DVP)
    damaged = whole[:place] + noise + whole[place + len(noise) :]
    try:
        result = read(damaged, Directory(), Assets())
    except InvalidInput:
        return
    assert isinstance(result, Sese023 | Rejection)
