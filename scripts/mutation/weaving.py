"""Many mutants in one program, of which a switch chooses one at run time.

Compiling takes longer than testing, so each compilation carries a bundle of mutants that do not
touch each other. The switch is `block.prevrandao`, which no contract of ours reads and which forge
sets for a whole run: 0 is the original, n the n-th mutant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .mutants import Form, Mutant, Span

SWITCH = b"""
function mutantIs(uint256 number) pure returns (bool) {
    function() internal view returns (uint256) reads = mutantChosen;
    function() internal pure returns (uint256) chosen;
    // The choice is constant for a whole run: what calls this may stay pure.
    assembly ("memory-safe") {
        chosen := reads
    }
    return chosen() == number;
}

function mutantChosen() view returns (uint256) {
    return block.prevrandao;
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Woven:
    """A source with mutants in it; where each lies now, to tell whom an error is about."""

    text: bytes
    places: tuple[tuple[Span, Mutant], ...]


def bundles(mutants: Sequence[Mutant], size: int) -> list[list[Mutant]]:
    """Sort mutants of one source into bundles whose members do not overlap, in order."""
    made: list[list[Mutant]] = []
    for mutant in mutants:
        for bundle in made:
            if len(bundle) < size and not any(mutant.carrier.meets(o.carrier) for o in bundle):
                bundle.append(mutant)
                break
        else:
            made.append([mutant])
    return made


def weave(source: bytes, numbered: dict[int, Mutant]) -> Woven:
    """Return the source with all of the mutants, each behind its number."""
    text = bytearray()
    places = []
    position = 0
    for number, mutant in sorted(numbered.items(), key=lambda item: item[1].carrier.start):
        text += source[position : mutant.carrier.start]
        start = len(text)
        text += both(source, mutant, number)
        places.append((Span(start=start, end=len(text)), mutant))
        position = mutant.carrier.end
    text += source[position:] + SWITCH
    return Woven(text=bytes(text), places=tuple(places))


def both(source: bytes, mutant: Mutant, number: int) -> bytes:
    """Return the original and the mutant, and the switch between them."""
    chosen = b"mutantIs(%d)" % number
    original = source[mutant.carrier.start : mutant.carrier.end]
    changed = (
        source[mutant.carrier.start : mutant.edit.start]
        + mutant.becomes.encode()
        + source[mutant.edit.end : mutant.carrier.end]
    )
    match mutant.form:
        case Form.INSERT if mutant.names is not None or is_declaration(mutant):
            return b"if (%s) revert(); %s" % (chosen, original)
        case Form.INSERT:
            return b"{ if (%s) revert(); %s }" % (chosen, original)
        case Form.SKIP:
            return b"{ if (!%s) { %s } }" % (chosen, original)
        case Form.STATEMENT:
            return b"{ if (%s) { %s } else { %s } }" % (chosen, changed, original)
        case Form.EXPRESSION:
            return b"(%s ? (%s) : (%s))" % (chosen, changed, original)
        case Form.DECLARATION:
            return declared(source, mutant, chosen)


def is_declaration(mutant: Mutant) -> bool:
    """Tell whether a statement without a value declares something: braces would hide it."""
    first = mutant.was.partition(" ")[0]
    return mutant.was.endswith(";") and first.rstrip("0123456789") in {"uint", "bytes", "bool"}


def declared(source: bytes, mutant: Mutant, chosen: bytes) -> bytes:
    """Declare first, then give one of the two values."""
    assert mutant.names is not None
    parts, value = mutant.names
    names = ", ".join(name for _, name in parts)
    left = f"({names})" if len(parts) > 1 else names
    declares = " ".join(f"{kind} {name};" for kind, name in parts if name)
    original = source[value.start : value.end]
    changed = (
        source[value.start : mutant.edit.start]
        + mutant.becomes.encode()
        + source[mutant.edit.end : value.end]
    )
    gives = f"{left} = ".encode()
    other = gives + changed + b"; " if changed else b""
    return b"%s if (%s) { %s} else { %s%s; }" % (
        declares.encode(),
        chosen,
        other,
        gives,
        original,
    )
