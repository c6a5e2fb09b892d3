"""`settle doctor`: what this machine has, what is missing, and how to get it."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from settle.chain.abi import load_abi
from settle.chain.engine import anvil_binary, find_engine
from settle.chain.profile import load_profiles
from settle.cli.exits import INFRASTRUCTURE
from settle.cli.output import JsonOption, show
from settle.cli.state import ROOT, STATE, State, StateOption
from settle.domain.errors import SettleError

if TYPE_CHECKING:
    from collections.abc import Callable

_LEAST_PYTHON: Final = (3, 11)
_LEAST_FREE_BYTES: Final = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. `needed`: nothing goes without it."""

    name: str
    ok: bool
    needed: bool
    detail: str


def doctor(state: StateOption = STATE, as_json: JsonOption = False) -> None:
    """Look at everything that running needs. Exit code 3: something needed is missing."""
    found = [
        _look("python", _python),
        _look("contracts", _contracts),
        _look("chain.toml", lambda: ", ".join(load_profiles(ROOT / "chain.toml"))),
        _look("engine tester", lambda: _module("eth", "make setup")),
        _look("engine anvil", lambda: str(anvil_binary(ROOT)), needed=False),
        _look("database sqlite", _sqlite),
        _look("database postgresql", lambda: _module("psycopg", "make setup"), needed=False),
        _look("time zones", _zones),
        _look("examples", _examples, needed=False),
        _look("free disk", lambda: _disk(state)),
        _look("venue", lambda: _venue(state), needed=False),
    ]
    lines = [f"{_mark(one)}  {one.name:<20} {one.detail}" for one in found]
    show(found, as_json=as_json, text="\n".join(lines))
    if any(one.needed and not one.ok for one in found):
        raise typer.Exit(INFRASTRUCTURE)


def _mark(one: Finding) -> str:
    if one.ok:
        return "ok     "
    return "MISSING" if one.needed else "absent "


def _look(name: str, check: Callable[[], str], *, needed: bool = True) -> Finding:
    try:
        return Finding(name=name, ok=True, needed=needed, detail=check())
    except SettleError as fault:
        return Finding(name=name, ok=False, needed=needed, detail=fault.message)
    except (_Missing, OSError) as fault:
        return Finding(name=name, ok=False, needed=needed, detail=str(fault))


class _Missing(Exception):
    """Says what is missing and how to get it."""


def _python() -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _LEAST_PYTHON:
        raise _Missing(f"{version}; 3.11 or newer is needed: make PYTHON=python3.11 setup")
    return version


def _contracts() -> str:
    names = ("AccessManager", "Affirmation", "Escrow", "Settlement", "Participants", "Approver")
    return f"{sum(len(load_abi(name).creation_code) for name in names)} bytes of compiled code"


def _module(name: str, remedy: str) -> str:
    if find_spec(name) is None:
        raise _Missing(f"the package {name} is not installed: {remedy}")
    return f"the package {name}"


def _sqlite() -> str:
    if sqlite3.sqlite_version_info < (3, 35):
        raise _Missing(f"{sqlite3.sqlite_version}; 3.35 or newer is needed: a newer Python has it")
    return sqlite3.sqlite_version


def _zones() -> str:
    try:
        return str(ZoneInfo("Europe/Berlin"))
    except ZoneInfoNotFoundError:
        raise _Missing("no time zones: install tzdata of the system") from None


def _examples() -> str:
    place = ROOT / "examples" / "tape.csv"
    if not place.exists():
        raise _Missing(f"{place} is not there: they come with the repository")
    return str(place.parent)


def _disk(state: Path) -> str:
    place = next(one for one in (state.resolve(), *state.resolve().parents) if one.exists())
    free = shutil.disk_usage(place).free
    if free < _LEAST_FREE_BYTES:
        raise _Missing(f"{free // 2**20} MiB below {place}: 512 are needed")
    return f"{free // 2**20} MiB below {place}"


def _venue(folder: Path) -> str:
    state = State(folder)
    profile = state.profile()
    engine = find_engine(profile, state.folder)
    if engine is None:
        raise _Missing(f"{profile.name} does not run in {state.folder}: settle up")
    operator = state.operator()
    if operator is None:
        raise _Missing(f"{profile.name} runs at {engine.url}, its operator does not: settle up")
    return f"{profile.name} at {engine.url}, operator at {operator.url}"
