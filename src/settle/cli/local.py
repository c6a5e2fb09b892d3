"""`settle up`, `down` and `deploy`: a venue on this machine, and contracts on any chain."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from settle.chain.deploy import ApproverPlan, deploy
from settle.chain.deployment import save_deployment
from settle.chain.engine import find_engine
from settle.chain.keystore import load_key
from settle.chain.profile import load_profile
from settle.cli.output import JsonOption, show, tell
from settle.cli.state import ROOT, STATE, State, StateOption
from settle.domain.errors import Conflict, InvalidInput
from settle.domain.ids import account_address, to_hex
from settle.settings import read_password

EngineOption = Annotated[str, typer.Option(help="an engine of chain.toml")]


def up(
    engine: EngineOption = "tester",
    state: StateOption = STATE,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: any free one")] = 0,
    anew: Annotated[bool, typer.Option(help="begin another chain if this one is gone")] = False,
    as_json: JsonOption = False,
) -> None:
    """Start a chain, deploy on it, start the operator; what runs already is left as it is."""
    venue = State(state)
    chain = venue.open_chain(engine, anew=anew)
    tell(f"chain {chain.deployment.chain_id} answers at {chain.engine.url}")
    operator = venue.operator() or venue.start_operator(chain, port)
    told = {
        "state": venue.folder,
        "engine": chain.engine.profile.name,
        "chain_id": chain.deployment.chain_id,
        "rpc": chain.engine.url,
        "api": operator.url,
        "deployment": chain.deployment_file,
        "database": venue.database_url(),
    }
    show(told, as_json=as_json, text="\n".join(f"{name:<11}{one}" for name, one in told.items()))


def down(state: StateOption = STATE, as_json: JsonOption = False) -> None:
    """Stop the operator and the engine that `settle up` started in this folder, and no others."""
    venue = State(state)
    stopped: list[str] = []
    if venue.stop_operator():
        stopped.append("operator")
    engine = venue.engine()
    if engine is not None:
        engine.stop()
        stopped.append("engine")
    text = f"stopped: {', '.join(stopped)}" if stopped else "nothing ran"
    show({"stopped": stopped}, as_json=as_json, text=text)


def deploy_contracts(
    engine: EngineOption = "tester",
    state: StateOption = STATE,
    plan: Annotated[
        Path | None, typer.Option(help="TOML with the approvers; none: local keys in the folder")
    ] = None,
    keystore: Annotated[Path | None, typer.Option(help="the deployer's, with --plan")] = None,
    password_file: Annotated[Path | None, typer.Option(help="of that keystore")] = None,
    out: Annotated[Path, typer.Option(help="deployment file, with --plan")] = Path(
        "deployment.json"
    ),
    as_json: JsonOption = False,
) -> None:
    """Deploy the contracts, every role under two organisations, and sign the deployment file.

    A plan is a table per approver: `[approvers.registrar]` with `role = "REGISTRAR"`,
    `delay_s = 0` and `signers = { "0x..." = "organisation" }`.
    """
    if plan is None:
        chain = State(state).open_chain(engine)
        deployment, place = chain.deployment, chain.deployment_file
    else:
        if keystore is None or password_file is None:
            raise InvalidInput("deployer", "--plan needs --keystore and --password-file")
        if out.exists():
            raise Conflict("deployment_exists", f"{out} exists and is not replaced")
        profile = load_profile(ROOT / "chain.toml", engine)
        running = find_engine(profile, state)
        if running is None:
            raise InvalidInput("engine", f"{engine} does not run in {state}")
        key = load_key(keystore, read_password(password_file))
        approvers = _plans(plan)
        deployment = deploy(node=running.node(), profile=profile, key=key, approvers=approvers)
        place = out
        save_deployment(deployment, place)
    told = {
        "deployment": place,
        "chain_id": deployment.chain_id,
        "block": deployment.block,
        "contracts": deployment.addresses(),
    }
    lines = [f"{name:<16}{to_hex(one)}" for name, one in deployment.addresses().items()]
    show(told, as_json=as_json, text="\n".join([*lines, f"written to {place}"]))


def _plans(path: Path) -> dict[str, ApproverPlan]:
    try:
        told: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return {
            name: ApproverPlan(
                role=one["role"],
                delay_s=int(one.get("delay_s", 0)),
                signers={account_address(who): str(org) for who, org in one["signers"].items()},
            )
            for name, one in told["approvers"].items()
        }
    except OSError as error:
        raise InvalidInput("plan_read", f"{path}: {error.strerror}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInput("plan_format", f"{path} is no plan of approvers: {error}") from error
