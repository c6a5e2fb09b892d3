"""What is known of a chain engine, as data read from chain.toml."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from settle.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Kind = Literal["tester", "anvil", "remote"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeePolicy:
    """What to offer, in wei per gas; percents are whole."""

    priority_wei: int
    base_fee_percent: int
    cap_wei: int
    bump_percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderPolicy:
    """How patient the sender is, in seconds; see chain.toml."""

    resend_after_s: int
    bump_after_s: int
    hopeless_after_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineProfile:
    """One engine. `kind` tells who starts it and nothing else; see chain.toml for the fields."""

    name: str
    kind: Kind
    chain_id: int
    hardfork: str
    finality_depth: int
    block_interval_ms: int
    block_gas_limit: int
    transaction_gas_limit: int
    transaction_bytes_limit: int
    in_flight: int
    rpc_batch: int
    log_range: int
    state_interval_s: int
    fees: FeePolicy
    sender: SenderPolicy
    url: str = ""


def load_profiles(path: Path) -> Mapping[str, EngineProfile]:
    """Read every engine of chain.toml, each over the defaults.

    Raises InvalidInput that names the file, the engine and the field.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput("chain_toml", f"{path} cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput("chain_toml", f"{path} is not TOML: {error}") from error
    defaults, engines = content.get("defaults", {}), content.get("engines", {})
    return {
        name: _profile(name, {**defaults, **fields}, f"{path}: engines.{name}")
        for name, fields in engines.items()
    }


def load_profile(path: Path, name: str) -> EngineProfile:
    """Read one engine of chain.toml by its name."""
    profiles = load_profiles(path)
    if name not in profiles:
        raise InvalidInput(
            "engine_unknown", f"{path} has no engine {name!r}: {', '.join(profiles)}"
        )
    return profiles[name]


def _profile(name: str, fields: dict[str, Any], where: str) -> EngineProfile:
    fees = _checked(FeePolicy, fields.pop("fees", {}), f"{where}.fees")
    sender = _checked(SenderPolicy, fields.pop("sender", {}), f"{where}.sender")
    profile: EngineProfile = _checked(
        EngineProfile, {"name": name, "fees": fees, "sender": sender, **fields}, where
    )
    if profile.kind not in get_args(Kind):
        raise InvalidInput("chain_toml", f"{where}.kind is one of {', '.join(get_args(Kind))}")
    if (profile.kind == "remote") != bool(profile.url):
        raise InvalidInput("chain_toml", f"{where}.url belongs to the kind remote, and only there")
    return profile


def _checked(kind: type[Any], fields: Mapping[str, Any], where: str) -> Any:  # noqa: ANN401 any row
    known = {field.name: field for field in dataclasses.fields(kind)}
    for name, value in fields.items():
        if name not in known:
            raise InvalidInput("chain_toml", f"{where}.{name} is not a known field")
        wants_number = known[name].type == "int"
        if wants_number and (type(value) is not int or value < 0):
            raise InvalidInput(
                "chain_toml", f"{where}.{name} must be a whole number, not {value!r}"
            )
        if known[name].type == "str" and not isinstance(value, str):
            raise InvalidInput("chain_toml", f"{where}.{name} must be text, not {value!r}")
    missing = [n for n, f in known.items() if n not in fields and f.default is dataclasses.MISSING]
    if missing:
        raise InvalidInput("chain_toml", f"{where} lacks {', '.join(missing)}")
    return kind(**fields)
