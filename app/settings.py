"""Every setting, read from the environment (prefix `GRAPEVINE_`) and checked at start. Imports nothing of ours.

docs/settings.md lists them; a test compares the two. A wrong setting stops the start with one clear line.
"""

import os
import re
import secrets
from contextlib import suppress
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

SIMULATED_KEY = "sk_test_simulated"
"""The key by which the simulated Stripe of `grapevine demo` is told from the real one."""


_PREFIX = "GRAPEVINE_"
_NO_SETTINGS = frozenset({"STRIPE_SPEC"})
"""Names that are not the server's: where the simulated Stripe finds Stripe's own document (docs/running.md)."""
_LINK = re.compile(r"(\w+_)?(SERVICE_(HOST|PORT\w*)=|PORT_\d+_(TCP|UDP|SCTP)|PORT=\w+://)")
"""What Kubernetes and Docker put into the environment by themselves when a service is called `grapevine`."""

_NAMED = re.compile(r"(?P<host>[^/]+?)(:[0-9]{1,5})?")
_NAME = re.compile(r"([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*[a-z]([a-z0-9_-]*[a-z0-9_])?", re.IGNORECASE)

_RATE = re.compile(
    r"(key|visitor|network|beacons|checkouts|wrong_keys|misses)=(off|[1-9][0-9]{0,8}/(second|minute|hour|day))"
)


class Settings(BaseSettings):
    """What an operator can set. Field descriptions are the documentation."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_ignore_empty=True, frozen=True)

    data_dir: Path = Field(Path("var"), description="Where the embedded database and generated secrets are kept.")
    database_url: str = Field(
        "",
        description="`sqlite:///path` or `postgresql://user:password@host/name`. Default: SQLite in DATA_DIR.",
    )
    reports_database_url: str = Field(
        "", description="A streaming replica of the PostgreSQL in DATABASE_URL, from which reports are read."
    )
    public_url: str = Field(
        "http://localhost:8000",
        description="The address under which shoppers reach this server, without a path.",
    )
    secret: str = Field(
        "",
        description="Signs visitor tokens and keys hashes; 16 characters at least. Made in DATA_DIR where absent.",
    )
    admin_token: str = Field("", description="The operator's token: makes merchants. Made in DATA_DIR where absent.")
    stripe_api_key: str = Field("", description="Stripe's secret key. Without it checkouts answer 503.")
    stripe_webhook_secret: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="The signing secret of the webhook endpoint; several, by comma, while one is rotated."
    )
    stripe_api_base: str = Field("https://api.stripe.com", description="Where Stripe's API is.")
    trusted_proxies: str = Field(
        "", description="Addresses whose `X-Forwarded-*` headers are believed, by comma; `*` for all."
    )
    jobs: bool = Field(
        True, description="Run background jobs inside the server; `false` where `grapevine worker` runs."
    )

    keep_beacons_days: int = Field(
        400,
        ge=7,
        le=36_500,
        description="How many days what widgets reported is kept; what it came to stays in the reports.",
    )

    keep_visits_days: int = Field(800, ge=90, le=36_500, description="How many days visits are kept, at least.")
    keep_machine_visits_days: int = Field(800, ge=7, le=36_500, description="How many days machines' visits are.")
    keep_checkouts_days: int = Field(400, ge=60, le=36_500, description="How many days attempts to pay are kept.")
    keep_stripe_events_days: int = Field(400, ge=60, le=36_500, description="How many days Stripe's messages are.")
    keep_shop_orders_days: int = Field(400, ge=60, le=36_500, description="How many days unpaid orders of shops are.")
    keep_audit_days: int = Field(1_100, ge=90, le=36_500, description="How many days the audit trail is kept.")
    keep_doubts_days: int = Field(800, ge=90, le=36_500, description="How many days doubts are that hold nothing back.")

    reconcile: bool = Field(
        True, description="Compare Stripe's books with ours each hour; `false` where only `grapevine reconcile` does."
    )

    outgoing_allow: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Hosts, hosts with a port, and networks, by comma, whose pictures and pages are fetched, and "
        "to which webhooks are sent, by plain http too, although they are not on the public internet; for development.",
    )

    rate_limits: str = Field(
        "", description="How often one may write, and try keys and codes: `key=100/second, misses=off`; `off` for all."
    )
    rate_limit_storage: str = Field(
        "", description="A Redis in which all processes count together: `redis://host:6379/0`."
    )

    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="How what happens is logged: `json`, `text`, or `auto`: `text` where somebody looks on."
    )

    security_contact: str = Field(
        "", description="Where whoever finds a hole can write: `mailto:…` or `https://…`, shown in security.txt."
    )

    websub_hub: str = Field(
        "", description="A WebSub hub that is named in the feeds of walls, to which readers subscribe."
    )

    @field_validator("websub_hub")
    @classmethod
    def _is_address(cls, value: str) -> str:
        url = urlsplit(value)
        if value and not (url.scheme in ("http", "https") and url.hostname and re.fullmatch(r"[!#-;=?-~]+", value)):
            raise ValueError("must be an address, such as https://hub.example/")
        return value

    @field_validator("security_contact")
    @classmethod
    def _is_contact(cls, value: str) -> str:
        if value and not re.fullmatch(r"(mailto:[!-~]+@[!-~]+|https://[!-~]+)", value):
            raise ValueError("must be an address, such as mailto:security@shop.example or https://shop.example/report")
        return value

    @field_validator("stripe_webhook_secret", "outgoing_allow", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("outgoing_allow")
    @classmethod
    def _are_hosts_or_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            named = _NAMED.fullmatch(entry)
            host = named["host"].strip("[]") if named is not None else entry
            if not _NAME.fullmatch(host) and not (_is_network(entry) or _is_network(host)):
                raise ValueError(f"{entry} is neither a host, such as shop.internal:8080, nor a network")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_addresses(cls, value: str) -> str:
        entries = [part.strip() for part in value.split(",") if part.strip()]
        wrong = [entry for entry in entries if entry != "*" and not _is_network(entry)]
        if wrong or ("*" in entries and len(entries) > 1):
            raise ValueError(f"{(wrong or ['*'])[0]} must be an address or a network such as 10.0.0.0/8, or `*` alone")
        return ",".join(entries)

    @field_validator("rate_limits")
    @classmethod
    def _are_rates(cls, value: str) -> str:
        entries = [part.strip() for part in value.split(",") if part.strip()]
        wrong = [] if entries == ["off"] else [entry for entry in entries if not _RATE.fullmatch(entry)]
        if wrong:
            raise ValueError(f"{wrong[0]} must be like key=100/second or misses=off; docs/settings.md lists the names")
        return ",".join(entries)

    @field_validator("rate_limit_storage")
    @classmethod
    def _is_redis(cls, value: str) -> str:
        if value and not (value.startswith(("redis://", "rediss://")) and urlsplit(value).hostname):
            raise ValueError("must be the address of a Redis, such as redis://host:6379/0")
        return value

    @field_validator("public_url", "stripe_api_base")
    @classmethod
    def _is_origin(cls, value: str) -> str:
        url = urlsplit(value)
        beyond = url.path.strip("/") or url.query or url.fragment or "@" in url.netloc
        if url.scheme not in ("http", "https") or not url.hostname or url.port == 0 or beyond:
            raise ValueError("must be an address without a path, such as https://shop.example")
        # As browsers write origins, since it is compared with theirs.
        usual = ":80" if url.scheme == "http" else ":443"
        return f"{url.scheme}://{url.netloc.lower().removesuffix(usual)}"

    @field_validator("database_url", "reports_database_url")
    @classmethod
    def _is_known_database(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://", "postgres://")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        try:
            make_url(value or "sqlite://")
        except (ArgumentError, ValueError):
            raise ValueError("cannot be read as an address; encode what is special in the password") from None
        return value.replace("postgres://", "postgresql://", 1) if value.startswith("postgres://") else value

    @field_validator("secret", "admin_token")
    @classmethod
    def _is_long_enough(cls, value: str) -> str:
        if value and len(value) < 16:
            raise ValueError("must have at least 16 characters")
        return value

    @model_validator(mode="after")
    def _webhooks_can_be_checked(self) -> Self:
        if self.stripe_api_key and not self.stripe_webhook_secret:
            raise ValueError("GRAPEVINE_STRIPE_WEBHOOK_SECRET is needed where GRAPEVINE_STRIPE_API_KEY is set")
        return self

    @model_validator(mode="after")
    def _replica_is_of_the_same_kind(self) -> Self:
        if self.reports_database_url and not all(
            url.startswith("postgresql") for url in (self.reports_database_url, self.database_url)
        ):
            raise ValueError("GRAPEVINE_REPORTS_DATABASE_URL needs PostgreSQL, there and at GRAPEVINE_DATABASE_URL")
        return self

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'grapevine.db'}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must stand in no log."""
        addresses = (self.database_url, self.reports_database_url, self.rate_limit_storage)
        urls = [make_url(url).password for url in addresses if url]
        named = (self.secret, self.admin_token, self.stripe_api_key, *self.stripe_webhook_secret)
        return tuple(str(each) for each in (*named, *urls) if each)

    @property
    def test_mode(self) -> bool:
        """Whether the Stripe behind this server moves no money: then reports show test orders by default."""
        return self.stripe_api_key == SIMULATED_KEY


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


class WrongSettings(ValueError):
    """The environment is wrong; the message is one line for the operator."""


def load(**given: object) -> Settings:
    """The settings of this process, with generated secrets filled in and kept in `data_dir`.

    Raises `WrongSettings` naming the first setting that is wrong, or that is none.
    """
    _refuse_unknown()
    try:
        settings = Settings(**given)  # type: ignore[arg-type]  # pydantic checks what arrives
    except ValidationError as wrong:
        first = wrong.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        what = first["msg"].removeprefix("Value error, ")
        raise WrongSettings(f"GRAPEVINE_{name}: {what}" if name else what) from None
    return settings.model_copy(
        update={
            "secret": settings.secret or _kept(settings.data_dir / "secret"),
            "admin_token": settings.admin_token or _kept(settings.data_dir / "admin-token"),
        }
    )


def _refuse_unknown() -> None:
    """Raise `WrongSettings` for a variable with our prefix that is no setting: most likely a slip of the pen."""
    known = {name.upper() for name in Settings.model_fields}
    for variable, value in sorted(os.environ.items()):
        name = variable.upper().removeprefix(_PREFIX)
        if not variable.upper().startswith(_PREFIX) or name in known | _NO_SETTINGS or _LINK.match(f"{name}={value}"):
            continue
        nearest = get_close_matches(name, sorted(known), n=1, cutoff=0.5)
        advice = f"did you mean {_PREFIX}{nearest[0]}?" if nearest else "docs/settings.md lists those there are"
        raise WrongSettings(f"{variable} is not a setting; {advice}")


def _kept(path: Path) -> str:
    """The secret kept in `path`; made there, readable by its owner alone, on the first start."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise WrongSettings(f"GRAPEVINE_DATA_DIR: cannot write {path}: {error.strerror}") from None


def _make(path: Path) -> None:
    """Put a fresh secret there, whole or not at all: processes that start together agree on one."""
    with NamedTemporaryFile("w", dir=path.parent, encoding="ascii") as file:  # mode 0600
        file.write(secrets.token_urlsafe(32))
        file.flush()
        with suppress(FileExistsError):
            path.hardlink_to(file.name)
