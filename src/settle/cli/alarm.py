"""`settle alarm`: what a person must look at, and the word of a person that it was looked at."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from settle.bootstrap import build_operator
from settle.chain.keystore import load_key
from settle.cli.output import JsonOption, show, table
from settle.cli.state import STATE, State, StateOption
from settle.settings import read_password, read_settings
from settle.store.alarms import Alarms
from settle.store.database import open_database

if TYPE_CHECKING:
    from collections.abc import Sequence

    from settle.services.chain_rows import Alarm
    from settle.settings import Settings

alarm = typer.Typer(help="What the operator has to look at.", no_args_is_help=True)


@alarm.command("list")
def list_alarms(state: StateOption = STATE, as_json: JsonOption = False) -> None:
    """List alarms that nobody has acknowledged; of the SETTLE_... settings, else of the folder."""
    database = open_database(_settings(State(state)).database_url)
    try:
        with database.reading() as conn:
            found = Alarms().open_alarms(conn)
    finally:
        database.close()
    show(found, as_json=as_json, text=_text(found))


@alarm.command("acknowledge")
def acknowledge(state: StateOption = STATE, as_json: JsonOption = False) -> None:
    """Clear all alarms, so that the operator goes on when it is started again.

    The operator has to be stopped, and that of the folder is; `settle up` starts it again. Nonces
    that others used with the operator's key are skipped.
    """
    venue = State(state)
    settings = _settings(venue)
    if not _is_installed():
        venue.stop_operator()
    operator = build_operator(
        settings, load_key(settings.key_file, read_password(settings.password_file))
    )
    try:
        cleared = operator.acknowledge()
    finally:
        operator.close()
    show(cleared, as_json=as_json, text=_text(cleared))


def _is_installed() -> bool:
    """Whether the environment names an operator, as `python -m settle.serve` reads it."""
    return "SETTLE_DATABASE_URL" in os.environ


def _settings(venue: State) -> Settings:
    return read_settings() if _is_installed() else venue.settings()


def _text(found: Sequence[Alarm]) -> str:
    rows = [
        (datetime.fromtimestamp(one.raised_at, UTC).isoformat(), one.kind, one.subject, one.message)
        for one in found
    ]
    return table(list(rows), "raised", "alarm", "of", "message") if rows else "no alarms"
