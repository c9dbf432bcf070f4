"""Which service a command calls, with which key, for which workspace."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
from cyclopts import Parameter

from eventjobs.errors import UsageWrong
from eventjobs.settings import DEFAULT_DATA_DIR, unknown_variables

DEMO_FILE: Final = "demo.json"
ADMIN_KEY_FILE: Final = "admin.key"
DEFAULT_PORT: Final = "8080"
CLIENT_VARIABLES: Final = frozenset({"EVENTJOBS_URL", "EVENTJOBS_KEY", "EVENTJOBS_WORKSPACE"})
"""What the commands that call a service read besides the settings."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The options that say where the service is; what is not given comes from the environment or the data folder."""

    url: Annotated[str | None, Parameter(help="address of the service [EVENTJOBS_URL]")] = None
    key: Annotated[str | None, Parameter(help="key to act with [EVENTJOBS_KEY]")] = None
    workspace: Annotated[
        str | None, Parameter(name=["--workspace", "-w"], help="workspace to act in [EVENTJOBS_WORKSPACE]")
    ] = None
    data_dir: Annotated[Path | None, Parameter(help="data folder to look in for them [EVENTJOBS_DATA_DIR]")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An address, a key and a workspace; the latter two may be missing."""

    url: str
    key: str | None
    workspace: str | None

    def need_workspace(self) -> str:
        """Return the workspace; raises `UsageWrong` where none is known."""
        if self.workspace is None:
            raise UsageWrong("which workspace? give -w NAME or set EVENTJOBS_WORKSPACE")
        return self.workspace


def find_target(where: Where, environment: Mapping[str, str] | None = None) -> Target:
    """
    Return what to call: options first, then the environment, then `demo.json` and `admin.key` of the data folder.

    The data folder's key is for the service of that folder: it goes to no other address.
    """
    env = os.environ if environment is None else environment
    folder = data_folder(where.data_dir, env)
    left = _left_behind(folder / DEMO_FILE)
    own_url = str(left.get("url") or f"http://127.0.0.1:{env.get('EVENTJOBS_PORT') or DEFAULT_PORT}")
    url = (where.url or env.get("EVENTJOBS_URL") or own_url).rstrip("/")
    key = where.key or env.get("EVENTJOBS_KEY")
    if key is None and url == own_url.rstrip("/"):
        key = left.get("key") or _read(folder / ADMIN_KEY_FILE)
    workspace = where.workspace or env.get("EVENTJOBS_WORKSPACE") or left.get("workspace")
    if not url.startswith(("http://", "https://")):
        raise UsageWrong(f"{url} is no address: it begins with http:// or https://")
    return Target(url=url, key=key or None, workspace=workspace)


def unknown_settings(environment: Mapping[str, str]) -> Sequence[str]:
    """Return a sentence for each variable that looks like a setting and that nothing here reads."""
    return unknown_variables(set(environment) - CLIENT_VARIABLES)


def data_folder(given: Path | None, environment: Mapping[str, str]) -> Path:
    """Return the data folder, whether it exists or not."""
    return (given or Path(environment.get("EVENTJOBS_DATA_DIR") or DEFAULT_DATA_DIR)).expanduser().absolute()


def _left_behind(file: Path) -> Mapping[str, Any]:
    text = _read(file)
    if text is None:
        return {}
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise UsageWrong(f"{file} is damaged; remove it, or give --url, --key and --workspace") from None
    return document if isinstance(document, dict) else {}


def _read(file: Path) -> str | None:
    try:
        return file.read_text("utf-8").strip()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
