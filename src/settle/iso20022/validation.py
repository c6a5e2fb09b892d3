"""Holds a parsed message against the table of its form, and lists every fault at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from lxml import etree

from settle.iso20022.findings import Findings
from settle.iso20022.grammar import ANY, REFUSED, Grammar, Group, Part
from settle.iso20022.plain_types import XML_SPACE, currency_fault, plain_type

_SCHEMA_INSTANCE: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
SCHEMA_HINTS: Final = frozenset(
    {f"{_SCHEMA_INSTANCE}schemaLocation", f"{_SCHEMA_INSTANCE}noNamespaceSchemaLocation"}
)
"""Attributes that say where a schema lies: never followed, allowed on a Document or around it."""


class Policy(Protocol):
    """What validation asks about an element beyond its form."""

    def code(self, path: str) -> str:
        """Give the code for a fault at this place."""

    def refusal(self, path: str) -> tuple[str, str]:
        """Give code and sentence for an element that the table marks as refused by name."""

    def value_refusal(self, path: str, value: str) -> tuple[str, str] | None:
        """Give code and sentence for a value that the schema knows and we do not serve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator:
    """One table with its policy, over elements of one namespace."""

    grammar: Grammar
    policy: Policy
    namespace: str
    findings: Findings

    def check(self, element: etree._Element, type_name: str, path: str) -> None:
        """Check one element and all within it against a type of the table."""
        if type_name == REFUSED:
            self.findings.add(path=path, **_named(self.policy.refusal(path)))
            return
        if type_name == ANY:
            self._check_foreign(element, path)
            return
        group = self.grammar.group(type_name)
        if group is None:
            self._check_plain(element, type_name, path)
        else:
            self._check_group(element, group, path)

    def _fault(self, path: str, sentence: str) -> None:
        self.findings.add(self.policy.code(path), path, sentence)

    def _check_plain(self, element: etree._Element, type_name: str, path: str) -> None:
        plain = plain_type(type_name)
        if len(element):
            self._fault(path, "holds other elements where a value is expected")
            return
        value = element.text or ""
        fault = plain.fault(value.strip(XML_SPACE) if plain.collapse else value)
        if fault:
            self._fault(path, fault)
        attributes = _attributes(element)
        if plain.currency != "none":
            currency = attributes.pop("Ccy", "")
            if wrong := currency_fault(plain.currency, currency):
                self.findings.add("NCRR", path, wrong)
        self._check_attributes(attributes, path)
        if not fault and (refusal := self.policy.value_refusal(path, value.strip(XML_SPACE))):
            self.findings.add(path=path, **_named(refusal))

    def _check_group(self, element: etree._Element, group: Group, path: str) -> None:
        attributes = _attributes(element)
        if "/" not in path:
            attributes = {name: attributes[name] for name in attributes.keys() - SCHEMA_HINTS}
        self._check_attributes(attributes, path)
        if any(text.strip(XML_SPACE) for text in _loose_text(element)):
            self._fault(path, "holds text where elements are expected")
        children = list(self._children(element, path))
        if group.kind == "choice":
            self._check_choice(children, group, path)
        else:
            self._check_sequence(children, group, path)

    def _children(self, element: etree._Element, path: str) -> Iterator[tuple[str, etree._Element]]:
        for child in element:
            name = etree.QName(child)
            if name.namespace != self.namespace:
                self._fault(path, f"holds {name.localname} of another namespace")
            else:
                yield name.localname, child

    def _check_choice(
        self, children: list[tuple[str, etree._Element]], group: Group, path: str
    ) -> None:
        if len(children) != 1:
            listed = ", ".join(part.name for part in group.parts)
            self._fault(path, f"must hold exactly one of {listed}")
        self._check_children(children, {part.name: part for part in group.parts}, path)

    def _check_sequence(
        self, children: list[tuple[str, etree._Element]], group: Group, path: str
    ) -> None:
        places = {part.name: place for place, part in enumerate(group.parts)}
        last = -1
        for name, _ in children:
            place = places.get(name, last)
            if place < last:
                self._fault(f"{path}/{name}", f"belongs before {group.parts[last].name}")
            last = max(place, last)
        names = [name for name, _ in children]
        for part in group.parts:
            count = names.count(part.name)
            if count < part.least:
                self._fault(f"{path}/{part.name}", "is missing")
            if part.most is not None and count > part.most:
                self._fault(f"{path}/{part.name}", f"stands {count} times, at most {part.most} may")
        self._check_children(children, {part.name: part for part in group.parts}, path)

    def _check_children(
        self,
        children: list[tuple[str, etree._Element]],
        parts: Mapping[str, Part],
        path: str,
    ) -> None:
        for name, child in children:
            if name in parts:
                self.check(child, parts[name].type, f"{path}/{name}")
            else:
                self._fault(f"{path}/{name}", "is no element of this message at this place")

    def _check_attributes(self, attributes: Mapping[str, str], path: str) -> None:
        for name in sorted(attributes):
            self._fault(path, f"has the attribute {etree.QName(name).localname}")

    def _check_foreign(self, element: etree._Element, path: str) -> None:
        """Check for exactly one element of anybody's, and none that poses as of this message."""
        self._check_attributes(_attributes(element), path)
        if len(element) != 1 or any(text.strip(XML_SPACE) for text in _loose_text(element)):
            self._fault(path, "must hold exactly one element")
        own = f"{{{self.namespace}}}*"
        if next(element.iterdescendants(own), None) is not None:
            self._fault(path, "holds elements of this message's own namespace")


def _named(refusal: tuple[str, str]) -> dict[str, str]:
    return {"code": refusal[0], "sentence": refusal[1]}


def _attributes(element: etree._Element) -> dict[str, str]:
    return {str(name): str(value) for name, value in element.attrib.items()}


def _loose_text(element: etree._Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        yield child.tail or ""
