"""
What an installation may set, by environment variables `EVENTJOBS_…`; options of the command line win over them.

Lists are comma-separated, durations ISO 8601 (`PT15M`). Everything that is wrong is said at once, by variable name and
without the values, which may be secret.
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, TypeAdapter, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from eventjobs.domain.recipient import is_address
from eventjobs.errors import SettingsInvalid

PREFIX: Final = "EVENTJOBS_"
MASK: Final = "********"
DEFAULT_DATA_DIR: Final = Path("~/.local/share/eventjobs")

GROUP_KINDS: Final = ("import", "export", "feed")
"""The kinds of job that an installation may let into groups; partner jobs never are (G18)."""

_OTHERS: Final = ("EVENTJOBS_SECRET__", "EVENTJOBS_TEST_")
_SCHEMES: Final = ("postgresql", "postgres")
_MAIL_SCHEMES: Final = ("smtp", "smtps", "starttls")
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_DURATION: Final = TypeAdapter(timedelta)


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _iso_duration(value: object) -> object:
    if isinstance(value, str) and not re.match(r"^P(?=.)", value):
        raise ValueError("must be an ISO 8601 duration such as PT15M")
    return value


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be longer than zero")
    return value


def _not_negative(value: timedelta) -> timedelta:
    if value < timedelta(0):
        raise ValueError("must not be negative")
    return value


def _postgres_url(value: SecretStr) -> SecretStr:
    if urlsplit(value.get_secret_value()).scheme not in _SCHEMES:
        raise ValueError("must be a URL of the form postgresql://owner:password@host/database")
    return value


def _smtp_url(value: SecretStr) -> SecretStr:
    parts = urlsplit(value.get_secret_value())
    try:
        named = parts.scheme in _MAIL_SCHEMES and parts.hostname and parts.port != 0 and not (parts.path + parts.query)
    except ValueError:
        named = False
    if not named:
        raise ValueError("must be a URL of the form smtps://user:password@host, starttls://… or smtp://…")
    if parts.scheme == "smtp" and parts.username is not None and parts.hostname not in _LOOPBACK:
        raise ValueError("must be smtps:// or starttls://: a password is not sent without TLS")
    return value


def _call_url(value: SecretStr) -> SecretStr:
    parts = urlsplit(value.get_secret_value())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL of the form https://host/path")
    return value


def _issuer(value: str) -> str:
    parts = urlsplit(value)
    is_plain = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not is_plain or not parts.hostname or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("must be an https URL without password or query, as the provider writes it itself")
    return value


def _mail_address(value: str) -> str:
    if not is_address(value):
        raise ValueError("must be one plain address such as jobs@example.org")
    return value


def _folder(value: Path) -> Path:
    return value.expanduser().absolute()


def _group_kinds(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value or not set(value) <= set(GROUP_KINDS):
        raise ValueError(f"must be some of {', '.join(GROUP_KINDS)}")
    return value


def _web_url(text: str) -> str:
    parts = urlsplit(text)
    is_more = parts.query or parts.fragment or parts.username is not None
    if parts.scheme not in ("http", "https") or not parts.hostname or is_more:
        raise ValueError("must be an http or https URL without password or query, e.g. https://jobs.example.org")
    return text.rstrip("/")


Words: TypeAlias = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Duration: TypeAlias = Annotated[timedelta, BeforeValidator(_iso_duration)]
PostgresUrl: TypeAlias = Annotated[SecretStr, AfterValidator(_postgres_url)]
SmtpUrl: TypeAlias = Annotated[SecretStr, AfterValidator(_smtp_url)]
CallUrl: TypeAlias = Annotated[SecretStr, AfterValidator(_call_url)]
Folder: TypeAlias = Annotated[Path, AfterValidator(_folder)]


class Settings(BaseSettings):
    """All settings with their defaults; the name of a variable is `EVENTJOBS_` and the field's name in upper case."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, hide_input_in_errors=True, extra="forbid", env_ignore_empty=True
    )

    database_url: PostgresUrl | None = Field(None, description="owner of the database; unset: the embedded server")
    direct_url: PostgresUrl | None = Field(None, description="the server itself, where database_url is a pooler's")
    app_role: str = Field("eventjobs_app", pattern=r"^[a-z_][a-z0-9_]{0,62}$", description="role the service acts as")
    unsafe: bool = Field(default=False, description="accept a server that may lose what it acknowledged")
    pg_bin: Folder | None = Field(None, description="folder with postgres and initdb for the embedded server")

    data_dir: Folder = Field(DEFAULT_DATA_DIR.expanduser(), description="where everything of this installation lives")
    secrets_dir: Folder | None = Field(None, description="folder <workspace>/<name> with secrets")
    admin_key: SecretStr | None = Field(None, min_length=16, description="the first key, where none was ever issued")

    bind: str = Field("127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    hosts: Words = Field((), description="names under which clients may call, besides loopback")
    public_url: Annotated[str, AfterValidator(_web_url)] | None = Field(
        None,
        description="address at which others reach the service, for callbacks of flows, links in messages, sign-in",
    )

    oidc_issuer: Annotated[str, AfterValidator(_issuer)] | None = Field(
        None, description="identity provider (OpenID Connect) by which people sign in, as it writes itself"
    )
    oidc_client_id: str | None = Field(None, min_length=1, description="name of this service at the provider")
    oidc_client_secret: SecretStr | None = Field(
        None, min_length=1, description="its secret there; unset: a client without one"
    )
    oidc_client_secret_file: Folder | None = Field(None, description="file with that secret, instead")
    oidc_scopes: Words = Field(("openid",), description="what the provider is asked for; openid always is")
    oidc_name: str = Field(
        "your organisation", min_length=1, max_length=60, description="the provider on the sign-in page's button"
    )

    smtp_url: SmtpUrl | None = Field(None, description="smtps://user:password@host, starttls://… or smtp://…")
    smtp_password_file: Folder | None = Field(None, description="file with the password, instead of the URL's")
    smtp_ca_file: Folder | None = Field(None, description="certificates to trust for it, instead of the system's")
    mail_from: Annotated[str, AfterValidator(_mail_address)] | None = Field(None, description="sender of mails")
    heartbeat_url: CallUrl | None = Field(None, description="called once a minute while the service is well")

    outbound_allow: Words = Field((), description="host, host:port or CIDR of private targets that jobs may call")
    commands: Words = Field((), description="programs that jobs may run")
    min_period: Annotated[Duration, AfterValidator(_positive)] = Field(
        timedelta(minutes=15), description="shortest period of a schedule"
    )
    grace: Annotated[Duration, AfterValidator(_not_negative)] = Field(
        timedelta(seconds=30), description="what a stop takes at most; running jobs get all of it but 4 s"
    )

    jobs_per_schedule: int = Field(50, ge=1, description="rows of a schedule's job table")
    schedules_per_workspace: int = Field(100_000, ge=1, description="schedules of a workspace")
    jobs_per_group: int = Field(50, ge=2, description="jobs of a group")
    groups_per_workspace: int = Field(5_000, ge=1, description="groups of a workspace")
    connect_jobs_per_workspace: int = Field(20_000, ge=1, description="Connect jobs of a workspace")
    group_kinds: Annotated[Words, AfterValidator(_group_kinds)] = Field(
        ("import",), description="kinds of job that groups take: import, export, feed"
    )
    expiry_days: int | None = Field(
        None,
        ge=1,
        le=36_500,
        description="days after its creation on which a group or Connect job expires at the latest",
    )
    recipients: int = Field(20, ge=1, description="recipients of a schedule's alerts, of a group or a Connect job")
    alert_mails_per_hour: int = Field(
        60, ge=1, description="alerts that one address is mailed in an hour; one mail counts the others"
    )
    runs_per_owner: int | None = Field(
        None, ge=1, description="open runs of a schedule or flow at once, where they may overlap; others wait"
    )
    runs_per_instance: int | None = Field(
        None, ge=1, description="runs that this process works on at once; others of its runs wait"
    )
    runs_per_workspace: int | None = Field(None, ge=1, description="open runs of a workspace at once; others wait")
    live_streams_per_key: int = Field(300, ge=1, description="open live streams of a key")
    requests_per_second: int = Field(
        5_000, ge=1, description="requests of a key; each 4 KiB of a body count as one more"
    )
    connections: int = Field(2_000, ge=1, description="open connections in all")
    connections_per_address: int = Field(100, ge=1, description="of these from one address without a valid key")

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least severe line logged")
    log_format: Literal["auto", "json", "pretty"] = Field("auto", description="auto: pretty on a terminal, else JSON")

    @property
    def server_url(self) -> str | None:
        """The URL of the server itself, for migration, listeners, leases and loads."""
        url = self.direct_url or self.database_url
        return url.get_secret_value() if url else None

    @property
    def known_hosts(self) -> Sequence[str]:
        """The names under which clients may call, that of the public address included."""
        public = urlsplit(self.public_url).hostname if self.public_url else None
        return self.hosts if public is None else (*self.hosts, public)

    def address(self, port: int) -> str:
        """Return where others reach the service that listens on `port`."""
        return self.public_url or f"http://{self.bind}:{port}"

    @property
    def is_pooled(self) -> bool:
        """Whether `database_url` is a pooler's: then startup parameters are not to be had."""
        return self.direct_url is not None

    @property
    def secrets(self) -> Sequence[str]:
        """Every secret value in here, to be blanked wherever text goes out."""
        urls = [url.get_secret_value() for url in (self.database_url, self.direct_url, self.smtp_url) if url]
        passwords = [password for url in urls for password in _passwords(url)]
        wholes = (self.admin_key, self.heartbeat_url, self.oidc_client_secret)
        whole = [secret.get_secret_value() for secret in wholes if secret]
        return [*passwords, *whole]

    def show(self) -> Mapping[str, str]:
        """Return every setting as text, by variable name; secrets masked, `""` where unset."""
        return {f"{PREFIX}{name.upper()}": _as_text(getattr(self, name)) for name in type(self).model_fields}


def load_settings(overrides: Mapping[str, Any] | None = None) -> Settings:
    """
    Read the environment; `overrides` (by field name, `None` ignored) win.

    Raises `SettingsInvalid` with every wrong setting.
    """
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        problems = [f"{_variable(problem['loc'])}: {_sentence(problem['msg'])}" for problem in error.errors()]
        raise SettingsInvalid("\n".join(problems)) from None


def unknown_variables(environment: Iterable[str]) -> Sequence[str]:
    """Return a sentence for each variable that looks like a setting and is none."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    return [
        f"{name} is no setting{_did_you_mean(name, known)}"
        for name in sorted(environment)
        if name.startswith(PREFIX) and name not in known and not name.startswith(_OTHERS)
    ]


def iso_duration(value: timedelta) -> str:
    """Write a duration as ISO 8601."""
    return str(_DURATION.dump_python(value, mode="json"))


def _variable(location: tuple[int | str, ...]) -> str:
    return f"{PREFIX}{str(location[0]).upper()}" if location else PREFIX


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")


def _did_you_mean(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _as_text(value: object) -> str:
    match value:
        case None:
            return ""
        case SecretStr():
            return _masked(value.get_secret_value())
        case timedelta():
            return iso_duration(value)
        case tuple():
            return ",".join(value)
        case bool():
            return str(value).lower()
        case _:
            return str(value)


def _masked(secret: str) -> str:
    """Mask a whole secret, or of a URL the password alone."""
    parts = urlsplit(secret)
    if parts.scheme not in (*_SCHEMES, *_MAIL_SCHEMES):
        return MASK
    if not _passwords(secret):
        return secret
    if parts.password is None:
        return f"{secret.partition('?')[0]}?{MASK}"
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:{MASK}@{host}"))


def _passwords(url: str) -> Sequence[str]:
    """Return the passwords in a URL, as written and as meant."""
    parts = urlsplit(url)
    written = [parts.password] if parts.password else []
    return [*written, *map(unquote, written), *parse_qs(parts.query).get("password", [])]
