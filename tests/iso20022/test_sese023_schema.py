"""Our table of the form against the schemas of ISO: nothing forgotten, nothing let through."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from copy import deepcopy

import pytest
from lxml import etree

from settle.domain.errors import InvalidInput
from settle.iso20022.envelope import ISO_NAMESPACE
from settle.iso20022.findings import Finding, Findings
from settle.iso20022.grammar import ANY, REFUSED, Part, walk
from settle.iso20022.sese023 import VERSIONS, check_form, read
from settle.iso20022.sese023_policy import CODES, HARMLESS, READ, VALUES, lookup, rejection_code
from settle.iso20022.sese023_policy import REFUSED as REFUSED_NAMES
from settle.iso20022.sese024_codes import CODES as STATUS_CODES
from tests.iso20022.messages import (
    PUBLISHED,
    PUBLISHED_ASSETS,
    Assets,
    Directory,
    document,
    elements,
    example,
    published,
    schema,
)
from tests.iso20022.rich_message import rich_message

SCHEMA_NAMESPACE = {"xs": "http://www.w3.org/2001/XMLSchema"}


def paths_of_table(version: str) -> Iterator[tuple[str, Part]]:
    found: list[tuple[str, Part]] = []
    walk(VERSIONS[version], "document", lambda path, part: found.append((path, part)))
    return iter(found)


def harmless(path: str) -> bool:
    """Whether an element or one that it stands in is listed as harmless."""
    names = path.split("/")
    return any(lookup(HARMLESS, "/".join(names[:end])) for end in range(1, len(names) + 1))


# The patterns of the schemas, as the plain types that stand for them.
PATTERNS = {
    "[A-Z]{2,2}[A-Z0-9]{9,9}[0-9]{1,1}": "isin",
    "[A-Z0-9]{18,18}[0-9]{2,2}": "lei",
    "[A-Z0-9]{4,4}[A-Z]{2,2}[A-Z0-9]{2,2}([A-Z0-9]{3,3}){0,1}": "bic",
    "[A-Z0-9]{4,4}": "mic",
    "[A-Z]{2,2}": "country",
    "[a-zA-Z0-9]{4}": "four",
    r"[a-z]{4}\.[0-9]{3}\.[0-9]{3}\.[0-9]{2}": "message",
    "[0-9]{3}": "digits(3,3)",
    "[0-9]{4}": "digits(4,4)",
    "[0-9]{1,6}": "digits(1,6)",
}
NARROWER = "SttlmTxCond/Cd"  # of its codes only NOMC is served


def listed_in(rule: str) -> list[str]:
    return rule.removeprefix("one(").removesuffix(")").split(",")


def ours_as_theirs(rule: str) -> str:
    """A plain type without what it checks beyond the schema: currencies by the list of ISO 4217."""
    if rule.startswith("one("):
        return f"one({','.join(sorted(listed_in(rule)))})"
    return rule.removeprefix("old_")


def described(tree: etree._Element, name: str) -> str:
    """Write a simple type of a schema in the words of our plain types."""
    node = tree.find(f"xs:simpleType[@name='{name}']", SCHEMA_NAMESPACE)
    if node is None:  # an amount: simple content with the attribute Ccy
        return described(tree, f"{name}_SimpleType").replace("quantity", "amount")
    base = node.find("xs:restriction", SCHEMA_NAMESPACE)
    assert base is not None
    facets = [(local(facet), facet.get("value") or "") for facet in base]
    by_name = dict(facets)
    values = sorted(value for kind, value in facets if kind == "enumeration")
    match base.get("base"):
        case "xs:decimal":
            kind = "quantity" if by_name.get("minInclusive") == "0" else "decimal"
            return f"{kind}({by_name['totalDigits']},{by_name['fractionDigits']})"
        case "xs:boolean":
            return "boolean"
        case "xs:date":
            return "date"
        case "xs:dateTime":
            return "instant"
        case _ if values:
            return f"one({','.join(values)})"
        case _ if "pattern" in by_name:
            return PATTERNS[by_name["pattern"]]
        case _:
            assert by_name["minLength"] == "1"
            return f"text({by_name['maxLength']})"


# --- completeness: the table and the schema have the same elements


@pytest.mark.parametrize("version", VERSIONS)
def test_the_table_has_every_element_of_the_schema_in_its_order_and_number(version: str) -> None:
    tree = etree.fromstring(published(f"xsd/{version}.xsd"))
    types = {node.get("name"): node for node in tree.findall("xs:complexType", SCHEMA_NAMESPACE)}
    grammar = VERSIONS[version]
    seen = set()

    def compare(type_name: str, ours: str, path: str) -> None:
        group = types[type_name].find("xs:sequence", SCHEMA_NAMESPACE)
        choice = types[type_name].find("xs:choice", SCHEMA_NAMESPACE)
        node = group if group is not None else choice
        assert node is not None
        if ours == ANY:
            assert node.find("xs:any", SCHEMA_NAMESPACE) is not None
            return
        parts = grammar.group(ours)
        assert parts is not None, f"{path} holds elements in the schema and text in the table"
        assert parts.kind == ("choice" if choice is not None else "sequence"), path
        theirs = node.findall("xs:element", SCHEMA_NAMESPACE)
        names = [element.get("name") for element in theirs]
        listed = [part.name for part in parts.parts]
        assert listed == names, path
        for element, part in zip(theirs, parts.parts, strict=True):
            most = element.get("maxOccurs", "1")
            number = None if most == "unbounded" else int(most)
            expected = (int(element.get("minOccurs", "1")), number)
            if parts.kind == "sequence":
                assert (part.least, part.most) == expected, f"{path}/{part.name}"
            inner = element.get("type") or ""
            if part.type == REFUSED:
                continue
            if inner in types and types[inner].find("xs:simpleContent", SCHEMA_NAMESPACE) is None:
                compare(inner, part.type, f"{path}/{part.name}")
            else:
                assert grammar.group(part.type) is None, f"{path}/{part.name}"
                rule = described(tree, inner)
                if f"{path}/{part.name}".endswith(NARROWER):
                    assert set(listed_in(part.type)) < set(listed_in(rule)), path
                else:
                    assert ours_as_theirs(part.type) == rule, f"{path}/{part.name}"
            seen.add(f"{path}/{part.name}")

    compare("Document", "document", "")
    assert len(seen) > 250


@pytest.mark.parametrize("version", VERSIONS)
def test_every_element_is_read_or_harmless_or_refused_by_name(version: str) -> None:
    undecided = []
    grammar = VERSIONS[version]
    for path, part in paths_of_table(version):
        if part.type == REFUSED:
            assert lookup(REFUSED_NAMES, path), f"{path} is refused without a sentence"
            continue
        if grammar.group(part.type) is not None or harmless(path):
            continue
        read_here = any(path.endswith(f"/{known}") for known in READ)
        generic = path.endswith(("Prtry/Id", "Prtry/Issr"))  # of a code that is harmless or refused
        if not read_here and not generic:
            undecided.append(path)
    assert undecided == []


def test_no_policy_speaks_of_an_element_that_does_not_exist() -> None:
    every = {f"{path}/" for version in VERSIONS for path, _ in paths_of_table(version)}
    for name in (*READ, *HARMLESS, *VALUES, *REFUSED_NAMES, *CODES):
        assert any(f"/{name}/" in path for path in every), f"{name} is in a policy for nothing"


def test_every_rejection_code_stands_in_the_rejection_list() -> None:
    given = {refusal.code for refusal in REFUSED_NAMES.values()}
    given |= {allowed.refusal.code for allowed in VALUES.values()} | set(CODES.values())
    given |= {rejection_code("Document"), "NCRR"}
    for lists in STATUS_CODES.values():
        assert given <= lists["rejected"]


# --- strictness: what the schema refuses is never accepted

BASES = {
    "our delivery against payment": lambda: example("dvp_delivering.xml"),
    "our receipt free of payment": lambda: example("fop_receiving.xml"),
    "our delivery in version 10": lambda: example("fop_delivering.xml"),
    "a published receipt": lambda: published("valid/dbg_sese.023.001.10_rece_apmt.xml"),
    "a published delivery": lambda: published("valid/dse_sese.023.001.11_deli_free.xml"),
    "a rich message": rich_message,
}

WITH_VALUES = ("a rich message",)
VERSION_11 = "sese.023.001.11"

# Texts that stand near the edges of the plain types.
VALUES_TO_TRY = (
    *("", " ", "x", "X" * 16, "é", "x" * 36, "x" * 53, "x" * 141, "x" * 351, "A\nB"),
    *("0", "-0", "+1", "-1", "1.", ".5", "1e3", "007", "1" * 18, "1" * 19, "0.12345", "0.123456"),
    *("1.0000000000", "12345678901234.12345", "NaN", "1,5", " 12 "),
    *("true", "false", "TRUE", "1 0", "DELI", "deli", "FREE", "TRAD", "ABCD", "ABC", "AB1", "0005"),
    *("2026-02-30", "2026-02-28", "2026-2-3", "2026-02-28Z", "02026-02-28", "2026-02-28T24:00:00"),
    *("2026-02-28T12:00:00", "2026-02-28T12:00:00Z", "2026-02-28T12:00", "2026-02-28T12:00:60"),
    *("DE0007164600", "DE0007164601", "de0007164600", "ALFADEF0", "ALFADEF0XXX", "ALFADEF0XX"),
    *("999900DEMOBANKALFA73", "999900DEMOBANKALFA74", "999900DEMOBANKALFA7", "sese.023.001.11"),
)


Mutation = Callable[[etree._Element], object]


def structural_mutations(element: etree._Element) -> Iterator[tuple[str, Mutation]]:
    parent = element.getparent()
    if parent is not None:
        yield "deleted", lambda found: found.getparent().remove(found)
        yield "twice", lambda found: found.addnext(deepcopy(found))
        yield "moved to the end", lambda found: found.getparent().append(found)
        yield "text behind", lambda found: setattr(found, "tail", "text")
        yield "moved to the front", lambda found: found.getparent().insert(0, found)
    yield "renamed", lambda found: setattr(found, "tag", f"{{{ns(found)}}}Dt")
    yield "unknown name", lambda found: setattr(found, "tag", f"{{{ns(found)}}}Nonsense")
    yield "other namespace", lambda found: setattr(found, "tag", f"{{urn:other}}{local(found)}")
    yield "no namespace", lambda found: setattr(found, "tag", local(found))
    yield "an attribute", lambda found: found.set("Ccy", "EUR")
    yield "an unknown attribute", lambda found: found.set("extra", "1")
    yield "nil", lambda found: found.set("{http://www.w3.org/2001/XMLSchema-instance}nil", "true")
    yield "no attributes", lambda found: found.attrib.clear()
    yield "an unknown child", lambda found: etree.SubElement(found, f"{{{ns(found)}}}Nonsense")
    yield "a known child", lambda found: etree.SubElement(found, f"{{{ns(found)}}}Cd")
    yield "text", lambda found: setattr(found, "text", (found.text or "") + "text")
    yield "emptied", lambda found: found.clear()


def ns(element: etree._Element) -> str:
    return etree.QName(element).namespace or ""


def local(element: etree._Element) -> str:
    return etree.QName(element).localname


def plain_type_at(element: etree._Element) -> str | None:
    """The plain type of an element in the table, None for one that holds others."""
    names = [local(found) for found in (*reversed([*element.iterancestors()]), element)][1:]
    path = "/" + "/".join(names)
    found = next((part for known, part in paths_of_table(VERSION_11) if known == path), None)
    return found.type if found and VERSIONS[VERSION_11].group(found.type) is None else None


def mutants(base: etree._Element, *, values: bool) -> Iterator[tuple[str, etree._Element]]:
    seen: set[object] = set()
    for number, element in enumerate(elements(base)):
        place = tuple(found.tag for found in (element, *element.iterancestors()))[:2]
        if place in seen:  # the second party is built like the first
            continue
        seen.add(place)
        changes = list(structural_mutations(element))
        rule = plain_type_at(element)
        if values and rule not in seen:
            seen.add(rule)
            changes += [
                (f"value {value!r}", lambda found, value=value: setattr(found, "text", value))
                for value in VALUES_TO_TRY
            ]
        if "Ccy" in element.attrib:
            changes += [
                (f"currency {code!r}", lambda found, code=code: found.set("Ccy", code))
                for code in ("", "eur", "EURO", "USD", "QQQ")
            ]
        for name, change in changes:
            mutant = deepcopy(base)
            change(list(elements(mutant))[number])
            yield f"{base.getroottree().getpath(element)}: {name}", mutant


def faults(element: etree._Element) -> tuple[Finding, ...]:
    """What is wrong with the form of a message, before anybody asks what it means."""
    findings = Findings()
    version = ns(element).removeprefix(ISO_NAMESPACE)
    if local(element) != "Document" or version not in VERSIONS:
        return (Finding(code="VALR", path="", sentence="is no element of this message"),)
    check_form(element, version, findings)
    return findings.all()


# What the schema accepts and we do not: said in the form of the findings.
STRICTER = (
    "must not be negative: -0",
    "is not valid: ISO 4217 has no currency",
    "is not valid: the check digit",
    "must be a date like 2026-03-31 without a zone",
    "holds elements of this message's own namespace",
    *(refusal.sentence for refusal in REFUSED_NAMES.values()),
    *(allowed.refusal.sentence for allowed in VALUES.values()),
)


@pytest.mark.parametrize("base", BASES)
def test_nothing_that_the_schema_refuses_is_accepted(base: str) -> None:
    original = document(BASES[base]())
    validator = schema(ns(original).rpartition(":")[2])
    assert validator.validate(original), validator.error_log
    assert faults(original) == ()
    tried, both, let_through, too_strict = 0, 0, [], []
    directory, assets = (
        (PUBLISHED, PUBLISHED_ASSETS) if "published" in base else (Directory(), Assets())
    )
    for name, changed in mutants(original, values=base in WITH_VALUES):
        tried += 1
        xml = etree.tostring(changed)
        mutant = etree.fromstring(xml)
        found = faults(mutant)
        valid = validator.validate(mutant)
        both += valid and not found
        if not found:
            with contextlib.suppress(InvalidInput):  # a reference that cannot be repeated
                read(xml, directory, assets)
        if not found and not valid:
            let_through.append(name)
        if valid and not any(known in fault.text for fault in found for known in STRICTER):
            too_strict += [name] if found else []
    assert let_through == []
    assert too_strict == []
    assert tried > 300
    assert 0 < both < tried / 2
