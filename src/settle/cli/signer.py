"""`settle signer`: the participant keeps its key, signs what it instructed, and needs nobody."""

from __future__ import annotations

import os
import secrets
import signal
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from settle.chain.deployment import load_deployment
from settle.chain.direct import DirectSender
from settle.chain.keystore import new_key, save_key
from settle.chain.node import Node
from settle.chain.rpc import Rpc
from settle.cli.exits import REFUSED
from settle.cli.output import JsonOption, show, tell
from settle.cli.profile import ProfileOption, load_profile, participant
from settle.domain.errors import Conflict, InvalidInput, Unavailable
from settle.domain.ids import parse_lei, to_hex
from settle.signer import Journal, SigningRound
from settle.signer.alone import Alone, Done, any_node

if TYPE_CHECKING:
    from collections.abc import Callable

signer = typer.Typer(
    help="Keep your key, sign what you instructed, and need nobody.", no_args_is_help=True
)
_BATCH: Final = 50

ReferenceArgument = Annotated[str, typer.Argument(help="your reference of the trade")]
RpcOption = Annotated[str | None, typer.Option("--rpc", help="a node; default: the profile's")]
DeploymentOption = Annotated[
    Path | None, typer.Option("--deployment", help="the signed file; default: the profile's")
]
ConfirmationsOption = Annotated[
    int, typer.Option(min=0, help="blocks on top until it is final; 0 where blocks are final")
]


@signer.command("init")
def init(
    profile: ProfileOption,
    lei: Annotated[str, typer.Option(help="of the participant")],
    api: Annotated[str, typer.Option(help="address of the operator's API")],
    rpc: Annotated[str | None, typer.Option(help="a node of the chain")] = None,
    deployment: Annotated[Path | None, typer.Option(help="the signed deployment file")] = None,
    as_json: JsonOption = False,
) -> None:
    """Draw a key and write the profile; nothing that exists is replaced."""
    parse_lei(lei)
    if profile.exists():
        raise Conflict("profile_exists", f"{profile} exists and is not replaced")
    folder, stem = profile.resolve().parent, profile.stem
    folder.mkdir(parents=True, exist_ok=True)
    lines = {
        "api": api,
        "lei": lei,
        "keystore": f"{stem}.key.json",
        "password_file": f"{stem}.password",
        "journal": f"{stem}.journal.db",
    }
    if rpc is not None:
        lines["rpc"] = rpc
    if deployment is not None:
        lines["deployment"] = str(deployment.resolve())
    password = secrets.token_hex(24)
    address = save_key(folder / lines["keystore"], new_key(), password)
    _write_private(folder / lines["password_file"], password + "\n")
    lines["account"] = to_hex(address)
    text = "".join(f"{name} = {_toml(value)}\n" for name, value in lines.items())
    _write_private(profile, text)
    told = {"profile": profile, "account": address, "lei": lei}
    show(told, as_json=as_json, text=f"{to_hex(address)} of {lei}, profile {profile}")


@signer.command("run")
def run(
    profile: ProfileOption,
    once: Annotated[bool, typer.Option(help="look once; exit code 1 if terms are refused")] = False,
    pause_s: Annotated[int, typer.Option(min=1, help="between two looks")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Review and sign what waits, keep complete bundles; until interrupted, or once."""
    with participant(load_profile(profile)) as program:
        if once:
            done = program.sign_pending()
            _tell_round(done, program.fetch_bundles(), as_json=as_json)
            raise typer.Exit(REFUSED if done.refused else 0)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        tell(f"signing for {to_hex(program.account)}")
        program.run(
            stop,
            pause_s=pause_s,
            on_round=lambda done, kept: _tell_round(done, kept, as_json=as_json),
            on_unavailable=_tell_unavailable,
        )


def _add_alone(verb: str, act: Callable[[Alone, str], Done], words: str) -> None:
    """Add a command that needs the journal, a node and the deployment file, and no operator."""

    def command(
        reference: ReferenceArgument,
        profile: ProfileOption,
        rpc: RpcOption = None,
        deployment: DeploymentOption = None,
        confirmations: ConfirmationsOption = 1,
        as_json: JsonOption = False,
    ) -> None:
        own = load_profile(profile)
        file = own.load_deployment() if deployment is None else load_deployment(deployment)
        node = own.node() if rpc is None else Node(Rpc(rpc, max_batch=_BATCH))
        direct = DirectSender(
            node=node, profile=any_node(file.chain_id, confirmations), key=own.key()
        )
        if not own.journal.exists():
            raise InvalidInput("journal", f"there is no journal at {own.journal}")
        with closing(Journal(own.journal)) as journal:
            alone = Alone(
                deployment=file,
                journal=journal,
                direct=direct,
                clock=lambda: max(int(time.time()), node.head().timestamp),
            )
            done = act(alone, reference)
        where = f"in block {done.block}, {done.gas_used} gas"
        text = f"{done.verb} of {done.reference} is final {where}"
        show(done, as_json=as_json, text=text)

    signer.command(verb, help=words)(command)


_add_alone("settle", Alone.settle, "Settle a trade by its bundle, on the chain alone.")
_add_alone("cancel", Alone.cancel, "Cancel a trade that you initiated, on the chain alone.")
_add_alone("withdraw", Alone.withdraw, "Take your consent to a trade back, on the chain alone.")
_add_alone("release", Alone.release, "End what is held for a trade, on the chain alone.")


def _tell_round(done: SigningRound, kept: int, *, as_json: bool) -> None:
    lines = [
        f"signed {one.trade_id}{'' if one.accepted else ', which has ended'}" for one in done.signed
    ]
    lines += [f"refused {one.reference}: {one.message}" for one in done.refused]
    lines.append(f"{kept} bundles kept")
    told = {"signed": done.signed, "refused": done.refused, "bundles": kept}
    show(told, as_json=as_json, text="\n".join(lines))


def _tell_unavailable(fault: Unavailable) -> None:
    tell(f"waiting: {fault.message}")


def _toml(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
