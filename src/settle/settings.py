"""All that an installation decides, read once from the environment (SETTLE_...) and passed down.

Lists and tables are JSON in the environment: `SETTLE_OPERATOR_KEYS='["0x..."]'`.
"""

from __future__ import annotations

import stat
from datetime import date, time
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from settle.domain.errors import InvalidInput
from settle.domain.ids import Address, account_address
from settle.domain.window import Calendar
from settle.services.market_rules import MarketRules
from settle.signed_request import MAX_LIFETIME_S, origin

PREFIX: Final = "SETTLE_"


def _key(text: str) -> str:
    try:
        return "0x" + account_address(text).hex()
    except InvalidInput as fault:
        raise ValueError(fault.message) from fault


def _origin(text: str) -> str:
    try:
        return origin(text)
    except InvalidInput as fault:
        raise ValueError(fault.message) from fault


KeyText = Annotated[str, AfterValidator(_key)]
OriginText = Annotated[str, AfterValidator(_origin)]


class ApiSettings(BaseSettings):
    """What the API needs to know. Times in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    public_urls: tuple[OriginText, ...] = Field(
        default=(), description="audiences of signed requests; none: what the server listens on"
    )
    operator_keys: frozenset[KeyText] = Field(
        default=frozenset(), description="keys that sign requests of the operator"
    )
    auditor_keys: frozenset[KeyText] = Field(
        default=frozenset(), description="keys that sign requests of the auditor"
    )
    max_body_bytes: int = Field(default=2 * 1024 * 1024, ge=1024)
    max_items: int = Field(default=500, ge=1, le=5_000, description="of one bulk request")
    request_lifetime_s: int = Field(default=MAX_LIFETIME_S, ge=1, le=3_600)
    idempotency_keep_s: int = Field(default=86_400, ge=MAX_LIFETIME_S)
    wait_max_s: int = Field(default=60, ge=0, le=600)
    stream_max_s: int = Field(default=3_600, ge=1, description="then a stream of events ends")
    requests_per_s: int = Field(
        default=200, ge=1, description="of one participant, in the long run"
    )
    requests_at_once: int = Field(default=2_000, ge=1, description="after a pause")
    max_underway: int = Field(default=100, ge=1, description="requests of one participant")
    max_streams: int = Field(default=16, ge=1, description="open streams of one participant")
    max_streams_in_all: int = Field(default=1_000, ge=1)
    metrics_token: SecretStr | None = Field(
        default=None, description="who brings it as Bearer reads the metrics; else only loopback"
    )

    def operators(self) -> frozenset[Address]:
        """Keys of the operator."""
        return frozenset(account_address(key) for key in self.operator_keys)

    def auditors(self) -> frozenset[Address]:
        """Keys of the auditor."""
        return frozenset(account_address(key) for key in self.auditor_keys)


class MarketSettings(BaseSettings):
    """When the market settles: one rule from dates to instants (see domain/window)."""

    model_config = SettingsConfigDict(env_prefix=PREFIX + "MARKET_", frozen=True, extra="ignore")

    zone: str = "Europe/Berlin"
    opens: time = time(0, 0)
    closes: time = time(18, 0)
    recycling_days: int = Field(default=60, ge=0, le=366, description="business days")
    unmatched_days: int = Field(default=20, ge=0, le=366, description="business days")
    calendar: str = "weekdays"
    calendar_version: str = "1"
    holidays: frozenset[date] = frozenset()
    weekend: frozenset[int] = Field(default=frozenset({5, 6}), description="Monday is 0")

    def rules(self) -> MarketRules:
        """Give the market's rules."""
        calendar = Calendar(
            name=self.calendar,
            version=self.calendar_version,
            holidays=self.holidays,
            weekend=self.weekend,
        )
        return MarketRules(
            zone=self.zone,
            opens=self.opens,
            closes=self.closes,
            recycling_days=self.recycling_days,
            unmatched_days=self.unmatched_days,
            calendars=(calendar,),
        )


class Settings(BaseSettings):
    """An operator's installation."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    database_url: str = Field(description="sqlite:////path/to/file or postgresql://user@host/name")
    chain_toml: Path = Field(description="the local-chain configuration")
    engine: str = Field(description="which of its engines")
    rpc_url: str = Field(description="where the engine answers")
    deployment: Path = Field(description="the deployment file")
    key_file: Path = Field(description="keystore of the key that sends transactions")
    password_file: Path = Field(description="the keystore's password, mode 0600")
    idle_s: int = Field(default=1, ge=1, le=60, description="longest wait of a loop for news")
    iso_names: Path | None = Field(
        default=None, description="names that only messages use, see settle.api.iso_names"
    )
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")
    api: ApiSettings = Field(default_factory=ApiSettings)
    market: MarketSettings = Field(default_factory=MarketSettings)


def read_settings(**given: object) -> Settings:
    """Read the environment; what is given by name goes before it.

    Raises: InvalidInput that names the settings that are missing or wrong, never their values.
    """
    try:
        return Settings(**given)  # type: ignore[arg-type]  # pydantic checks what comes in
    except ValidationError as error:
        faults = "; ".join(
            f"{PREFIX}{'_'.join(str(step) for step in fault['loc']).upper()}: {fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False)
        )
        raise InvalidInput("settings", faults) from None


def read_password(path: Path) -> str:
    """Read the password of a keystore. Raises InvalidInput for a file that others can read."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise InvalidInput("password_mode", f"{path} is open to others: chmod 600 {path}")
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise InvalidInput("password_read", f"{path}: {error.strerror}") from error
