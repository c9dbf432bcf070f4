"""A known-bad build: one promise broken by one small change of the source."""

from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path

SHOWN = r"^E\s+(assert\b|AssertionError|Failed: DID NOT RAISE|AssertionError:)"


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """
    `old` becomes `new` in `file`, and one of the tests that own the promise must fail and say `shows` (a pattern).

    `file` begins at `src/eventjobs` or `sql`. `old` occurs there so many `times`. A `slow` one needs a Postgres server
    or a simulation, and is left out of the short run.
    """

    name: str
    promise: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    shows: str = SHOWN
    slow: bool = False
    times: int = 1

    def apply(self, root: Path) -> None:
        """Patch a copy of the source; raises `Outgrown` where the text is not what it was."""
        path = root / self.path
        text = path.read_text("utf-8") if path.exists() else ""
        if text.count(self.old) != self.times:
            raise Outgrown(f"write {self.name} again: {self.path} holds {text.count(self.old)} times {self.old!r}")
        path.unlink()  # it may be a link to the file of another build
        Path(cache_from_source(str(path))).unlink(missing_ok=True)
        path.write_text(text.replace(self.old, self.new), "utf-8")

    @property
    def path(self) -> str:
        return self.file if self.file.startswith("sql/") else f"src/eventjobs/{self.file}"


class Outgrown(AssertionError):
    """The source changed: the mutant must be written again."""
