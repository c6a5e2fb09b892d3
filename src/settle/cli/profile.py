"""A participant's profile: one TOML file that says who it is, with which key, and where.

    api = "http://127.0.0.1:8080"
    lei = "529900T8BM49AURSDO55"
    keystore = "key.json"
    password_file = "key.password"
    journal = "journal.db"
    rpc = "http://127.0.0.1:8545"
    deployment = "deployment.json"

Paths are below the profile's folder. `account` may repeat the key's address, to be checked;
`audience` is what signed requests name where the API is known by another address; `[market]` holds
what `SETTLE_MARKET_...` holds elsewhere.
"""

from __future__ import annotations

import tomllib
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from pydantic import ValidationError

from settle.chain.deployment import Deployment, load_deployment
from settle.chain.keystore import load_key
from settle.chain.node import Node
from settle.chain.rpc import Rpc
from settle.client.client import Client
from settle.client.signer import KeySigner
from settle.domain.errors import InvalidInput
from settle.domain.ids import Lei, account_address, parse_lei, to_hex
from settle.settings import MarketSettings, read_password
from settle.signer import Journal, Participant, chain_market

if TYPE_CHECKING:
    from collections.abc import Iterator

    from settle.services.market_rules import MarketRules

ProfileOption = Annotated[
    Path, typer.Option("--profile", "-p", envvar="SETTLE_PROFILE", help="the participant's file")
]
_PATHS: Final = ("keystore", "password_file", "journal", "deployment")
PATIENCE_S: Final = 5
"""For how long a command tries an API that does not answer: a person waits."""
_BATCH: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the file says, with whole paths."""

    api: str
    lei: Lei
    keystore: Path
    password_file: Path
    journal: Path
    rpc: str | None = None
    deployment: Path | None = None
    account: str | None = None
    audience: str | None = None
    market: dict[str, Any] | None = None

    def key(self) -> bytes:
        """Read the key. Raises InvalidInput if it is not that of the account."""
        key = load_key(self.keystore, read_password(self.password_file))
        address = KeySigner(key).address
        if self.account is not None and account_address(self.account) != address:
            message = f"{self.keystore} holds the key of {to_hex(address)}, not of {self.account}"
            raise InvalidInput("profile_account", message)
        return key

    def rules(self) -> MarketRules:
        """Give the market's rules. Raises InvalidInput."""
        try:
            return MarketSettings(**(self.market or {})).rules()
        except ValidationError as error:
            fault = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(step) for step in fault["loc"])
            raise InvalidInput("profile_market", f"market.{where}: {fault['msg']}") from error

    def load_deployment(self) -> Deployment:
        """Read the deployment file. Raises InvalidInput."""
        if self.deployment is None:
            raise InvalidInput("profile_deployment", "the profile names no deployment file")
        return load_deployment(self.deployment)

    def node(self) -> Node:
        """Speak to the node. Raises InvalidInput if none is named."""
        if self.rpc is None:
            raise InvalidInput("profile_rpc", "the profile names no rpc")
        return Node(Rpc(self.rpc, max_batch=_BATCH))


def load_profile(path: Path) -> Profile:
    """Read a profile. Raises InvalidInput naming the file and the member."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput("profile_read", f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput("profile_format", f"{path} is not TOML: {error}") from error
    known = {field.name for field in fields(Profile)}
    for name, value in told.items():
        if name not in known:
            raise InvalidInput("profile_member", f"{path}: {name} is no member of a profile")
        if not isinstance(value, dict if name == "market" else str):
            raise InvalidInput("profile_member", f"{path}: {name} is of another type")
    for name in _PATHS:
        if name in told:
            told[name] = path.resolve().parent / told[name]
    missing = {"api", "lei", "keystore", "password_file", "journal"} - told.keys()
    if missing:
        raise InvalidInput("profile_member", f"{path} lacks {', '.join(sorted(missing))}")
    told["lei"] = parse_lei(told["lei"])
    return Profile(**told)


@contextmanager
def connected(profile: Profile) -> Iterator[Client]:
    """Give the API to the participant, under its key."""
    signer = KeySigner(profile.key())
    with Client(profile.api, signer, audience=profile.audience, patience_s=PATIENCE_S) as client:
        yield client


@contextmanager
def participant(profile: Profile) -> Iterator[Participant]:
    """Give the participant's program. Raises InvalidInput if the venue is of another deployment."""
    deployment = profile.load_deployment()
    signer = KeySigner(profile.key())
    with Client(profile.api, signer, audience=profile.audience, patience_s=PATIENCE_S) as client:
        if client.venue().signing_domain() != deployment.domain:
            message = f"{profile.api} settles on other contracts than {profile.deployment} names"
            raise InvalidInput("another_deployment", message)
        market = chain_market(profile.node(), deployment, [signer.address], profile.rules())
        journal = Journal(profile.journal)
        try:
            yield Participant(client, journal, signer, market, deployment.domain)
        finally:
            journal.close()
