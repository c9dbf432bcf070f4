"""
Secrets by name: a configuration says `secret://name`, and the value is put in when an attempt starts.

Values come from `<data-dir>/secrets/<workspace>/<name>`, from the same tree under `EVENTJOBS_SECRETS_DIR`, or from
`EVENTJOBS_SECRET__<WORKSPACE>__<NAME>`, in this order. They are never written: `Blanker` takes known ones out of
whatever leaves a handler.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from eventjobs.errors import JobFailed
from eventjobs.ids import is_id

SCHEME: Final = "secret://"
BLANK: Final = "***"

_SECRET_BYTES_MAX: Final = 64 * 1024
_BLANKED_CHARS_MIN: Final = 4
"""A shorter value is no secret, and blanking it would eat ordinary text."""


@dataclass(frozen=True, slots=True)
class SecretStore:
    """Where secrets are: folders that hold `<workspace>/<name>`, then the environment."""

    folders: Sequence[Path] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def resolve(self, workspace: str, config: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
        """
        Return the configuration with every `secret://name` replaced, and the values that went in.

        Only a whole string is a reference. Raises `JobFailed` (not retryable) for one that cannot be found.
        """
        values: set[str] = set()

        def read(name: str) -> str:
            values.add(found := self.read(workspace, name))
            return found

        return {key: _filled(value, read) for key, value in config.items()}, frozenset(values)

    def known(self, workspace: str, config: Mapping[str, Any]) -> frozenset[str]:
        """Return the values that would go into a configuration, without those that cannot be found."""
        values: set[str] = set()

        def read(name: str) -> str:
            with suppress(JobFailed):
                values.add(self.read(workspace, name))
            return ""

        _ = _filled(config, read)
        return frozenset(values)

    def read(self, workspace: str, name: str) -> str:
        """Return one secret, without a newline at its end."""
        if not is_id(name) or not is_id(workspace):
            raise JobFailed(f"{SCHEME}{name[:64]!r} is not a secret's name", retryable=False)
        for folder in self.folders:
            found = _read_file(folder, workspace, name)
            if found is not None:
                return found
        found = self.environment.get(variable(workspace, name))
        if found is not None:
            return found
        raise JobFailed(
            f"the secret {name} of workspace {workspace} is not there: put it into secrets/{workspace}/{name} in the"
            f" data folder or into {variable(workspace, name)}",
            retryable=False,
        )


def variable(workspace: str, name: str) -> str:
    """Return the environment's name for a secret; `.` `-` `_` are escaped, so that no two secrets share one."""
    return f"EVENTJOBS_SECRET__{_escaped(workspace)}__{_escaped(name)}"


def is_reference(value: object) -> bool:
    """Tell whether a configuration's value stands for a secret."""
    return isinstance(value, str) and value.startswith(SCHEME)


def is_named(text: str) -> bool:
    """Tell whether a text is `secret://` and a name that a secret can have."""
    return is_reference(text) and is_id(text.removeprefix(SCHEME))


@dataclass(frozen=True, slots=True)
class Blanker:
    """Replaces known secret values in what people will read."""

    values: frozenset[str] = field(default_factory=frozenset, repr=False)

    def text(self, text: str) -> str:
        """Return the text without secrets; longer values go first, in case one holds another."""
        for value in sorted(self.values, key=len, reverse=True):
            if len(value) >= _BLANKED_CHARS_MIN:
                text = text.replace(value, BLANK)
        return text

    def deep(self, value: Any) -> Any:
        """Return the same JSON value with every text in it blanked."""
        if not self.values:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.deep(key): self.deep(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.deep(inner) for inner in value]
        return value


def _filled(value: Any, read: Callable[[str], str]) -> Any:
    if isinstance(value, str) and value.startswith(SCHEME):
        return read(value.removeprefix(SCHEME))
    if isinstance(value, Mapping):
        return {key: _filled(inner, read) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_filled(inner, read) for inner in value]
    return value


def _escaped(text: str) -> str:
    # `_` first, or it would escape the other escapes.
    return text.replace("_", "_5F").replace(".", "_2E").replace("-", "_2D").upper()


def _read_file(folder: Path, workspace: str, name: str) -> str | None:
    """Read a regular file; links are followed inside the folder only (mounted secrets are made of such links)."""
    path = folder / workspace / name
    try:
        inside = path.resolve(strict=True).is_relative_to(folder.resolve())
        if not inside or not path.is_file():
            raise JobFailed(f"the secret {name} is not a plain file of its folder", retryable=False)
        with path.open("rb") as file:
            return _decoded(name, file.read(_SECRET_BYTES_MAX + 1))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise JobFailed(f"the secret {name} cannot be read: {error.strerror}", retryable=False) from None


def _decoded(name: str, raw: bytes) -> str:
    if len(raw) > _SECRET_BYTES_MAX:
        raise JobFailed(f"the secret {name} is larger than 64 KiB", retryable=False)
    try:
        return raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise JobFailed(f"the secret {name} is not UTF-8 text", retryable=False) from None
