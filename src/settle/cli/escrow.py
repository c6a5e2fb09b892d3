"""`settle escrow`: check written terms, print them in English, compile them for signing."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from settle.cli.exits import REFUSED
from settle.cli.output import JsonOption, show, table, tell
from settle.domain.errors import InvalidInput
from settle.domain.escrow.check import Report, check
from settle.domain.escrow.encoding import encode_terms
from settle.domain.escrow.explore import Ends, Exploration
from settle.domain.escrow.findings import Finding
from settle.domain.escrow.graph import draw
from settle.domain.escrow.named_instructions import print_instructions
from settle.domain.escrow.payouts import BY_WORDS, name_of, payments_at, totals_at
from settle.domain.escrow.reading import WrittenTerms, read_terms
from settle.domain.escrow.register import Register
from settle.domain.escrow.terms import escrow_id, signers_of
from settle.domain.escrow.terms_json import terms_to_json
from settle.domain.escrow.wording import print_terms
from settle.domain.ids import WORD_BYTES, account_address
from settle.domain.instruction import SigningDomain
from settle.domain.money import format_quantity

escrow = typer.Typer(help="Written terms that execute themselves.", no_args_is_help=True)
FileArgument = Annotated[Path, typer.Argument(help="terms as people write them, TOML or JSON")]
OpenByOption = Annotated[
    int | None, typer.Option(help="unix second, in the place of the file's open_by")
]
_LISTED: Final = 60
"""Combinations of ends that are listed one by one; of more, those of each milestone are."""


@escrow.command("check")
def check_file(
    file: FileArgument,
    svg: Annotated[Path | None, typer.Option(help="draw the states and ends to this file")] = None,
    open_by: OpenByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explore every end that the terms can come to. Exit code 1: the terms are refused."""
    written = read_file(file, open_by)
    report = check(written.terms, written.locks, written.instructions)
    if svg is not None and report.exploration is not None:
        drawing = draw(
            written.terms,
            report.exploration,
            register=written.register,
            labels=written.labels,
            names=written.milestones,
        )
        svg.write_text(drawing, encoding="utf-8")
    show(_report(written, report), as_json=as_json, text=_report_text(written, report))
    if report.is_refused:
        raise typer.Exit(REFUSED)


@escrow.command("print")
def print_file(file: FileArgument, open_by: OpenByOption = None) -> None:
    """Print the terms in English, as their hash stands in what is signed."""
    written = read_file(file, open_by)
    typer.echo(print_terms(written.terms, written.register), nl=False)
    if written.instructions:
        tell(_instructions(written))  # beside the text whose hash is signed, not in it


@escrow.command("compile")
def compile_file(
    file: FileArgument,
    deployment: Annotated[
        Path | None, typer.Option(help="the signed deployment file of the venue")
    ] = None,
    chain_id: Annotated[int | None, typer.Option(help="in the place of a deployment file")] = None,
    contract: Annotated[str | None, typer.Option(help="address of the books, with it")] = None,
    open_by: OpenByOption = None,
    new_salt: Annotated[bool, typer.Option(help="draw a salt, for an escrow of its own")] = False,
) -> None:
    """Write what is signed: the terms as JSON, their encoding, who signs, and the id."""
    domain = _domain(deployment, chain_id, contract)
    written = read_file(file, open_by, salt=secrets.token_bytes(WORD_BYTES) if new_salt else None)
    report = check(written.terms, written.locks, written.instructions, domain)
    if report.is_refused:
        lines = "\n".join(map(str, report.findings))
        raise InvalidInput("escrow_refused", f"{file} is refused:\n{lines}")
    terms = written.terms
    compiled = {
        "id": escrow_id(terms, domain),
        "chain_id": domain.chain_id,
        "contract": domain.verifying_contract,
        "signers": signers_of(terms),
        "terms": terms_to_json(terms),
        "encoded": encode_terms(terms),
    }
    show(compiled, as_json=True, text="")


# ------------------------------------------------------------------------------ reading


def read_file(
    file: Path,
    open_by: int | None = None,
    salt: bytes | None = None,
    register: Register | None = None,
) -> WrittenTerms:
    """Read written terms; what is given takes the place of what the file says.

    With a `register` of the chain, the file's assets must be those of it. Raises: InvalidInput.
    """
    text = read_text(file)
    try:
        return read_terms(
            text, is_json=file.suffix == ".json", open_by=open_by, salt=salt, register=register
        )
    except InvalidInput as error:
        raise InvalidInput(error.code, f"{file}: {error.message}", error.pointer) from error


def read_text(file: Path) -> str:
    """Read a file of text. Raises: InvalidInput."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("file_read", f"{file}: {error}") from error


def _domain(deployment: Path | None, chain_id: int | None, contract: str | None) -> SigningDomain:
    if deployment is not None:
        from settle.chain.deployment import load_deployment

        return load_deployment(deployment).domain
    if chain_id is None or contract is None:
        raise InvalidInput("domain_missing", "state --deployment, or --chain-id and --contract")
    return SigningDomain(chain_id=chain_id, verifying_contract=account_address(contract))


# ------------------------------------------------------------------------------ reporting


def _report(written: WrittenTerms, report: Report) -> dict[str, Any]:
    found = report.exploration
    return {
        "refused": report.is_refused,
        "findings": [_finding(one) for one in report.findings],
        "states": 0 if found is None else found.states,
        "stuck": 0 if found is None else found.stuck,
        "milestones": [] if found is None else _milestones(written, found),
        "ends": [] if found is None else [_whole(written, ends) for ends in sorted(found.whole)],
    }


def _instructions(written: WrittenTerms) -> str:
    return print_instructions(
        written.terms, written.instructions, register=written.register, labels=written.labels
    )


def _finding(one: Finding) -> dict[str, Any]:
    milestone = None if one.milestone is None else one.milestone + 1
    return {
        "severity": one.severity,
        "code": one.code,
        "milestone": milestone,
        "text": one.text,
    }


def _milestones(written: WrittenTerms, found: Exploration) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "ends": [
                {
                    "by": BY_WORDS[by],
                    "outcome": outcome.name.lower(),
                    "payments": payments_at(
                        written.terms,
                        milestone,
                        by,
                        outcome,
                        register=written.register,
                        labels=written.labels,
                    ),
                }
                for by, outcome in sorted(found.ends[milestone])
            ],
        }
        for milestone, name in enumerate(written.milestones)
    ]


def _whole(written: WrittenTerms, ends: Ends) -> dict[str, Any]:
    totals = totals_at(written.terms, ends)
    return {
        "milestones": [f"{BY_WORDS[by]}: {outcome.name.lower()}" for by, outcome in ends],
        "gains": None
        if totals is None
        else [
            {
                "account": name_of(account, written.labels),
                "asset": written.register.entry(asset).code,
                "quantity": format_quantity(total, written.register.entry(asset).decimals),
            }
            for (account, asset), total in totals.items()
        ],
    }


def _report_text(written: WrittenTerms, report: Report) -> str:
    told = _report(written, report)
    lines = [str(one) for one in report.findings]
    verdict = "refused" if report.is_refused else "every branch ends"
    lines.append(f"{told['states']} states, {len(told['ends'])} ends: {verdict}")
    for number, milestone in enumerate(told["milestones"], start=1):
        rows: list[tuple[object, ...]] = [
            (one["by"], one["outcome"], "; ".join(one["payments"])) for one in milestone["ends"]
        ]
        lines += ["", f"Milestone {number}: {milestone['name']}"]
        lines.append(table(rows, "ended by", "outcome", "payments"))
    if 0 < len(told["ends"]) <= _LISTED:
        rows = [(" / ".join(end["milestones"]), _gains(end)) for end in told["ends"]]
        lines += ["", "All ends", table(rows, "milestones", "gains")]
    if written.instructions:
        lines += ["", _instructions(written)]
    return "\n".join(lines)


def _gains(end: dict[str, Any]) -> str:
    if end["gains"] is None:
        return "as ruled"
    return (
        "; ".join(f"{one['account']} {one['quantity']} {one['asset']}" for one in end["gains"])
        or "nothing moves"
    )
