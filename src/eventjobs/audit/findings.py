"""What an audit of occurrences says: each thing it cannot reproduce from the log, where, and in a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from eventjobs.events.recorded import StreamId

SHOWN: Final = 100
"""How many findings a report holds; the others are counted."""


class Kind(StrEnum):
    """
    What is wrong.

    `not_the_rule`: a recorded step that the rule does not give. `early`: an answer before its instant. `late`: one more
    than a minute after it, without a cause in the log. `left_over`: a moment passed without an outcome. `doubled`: a
    moment has two. `miscounted`: counts, first and last do not add up. `uncovered`: `covered_by` names no run.
    `contradicted`: the owner's stream and the occurrence's tell different things. `unfounded`: the reason of an outcome
    has no ground in the log. `out_of_order`: the jobs of a group did not run one after another up to the first failure,
    or a Connect job is in two groups or has two runs at once. `unreadable`: this version does not know the fact.
    """

    NOT_THE_RULE = "not_the_rule"
    EARLY = "early"
    LATE = "late"
    LEFT_OVER = "left_over"
    DOUBLED = "doubled"
    MISCOUNTED = "miscounted"
    UNCOVERED = "uncovered"
    CONTRADICTED = "contradicted"
    UNFOUNDED = "unfounded"
    OUT_OF_ORDER = "out_of_order"
    UNREADABLE = "unreadable"


class Mismatch(NamedTuple):
    """What is wrong with a fact, not yet where."""

    kind: Kind
    what: str


class Finding(NamedTuple):
    """One thing that is wrong: the fact at `position` (of a `left_over` the head), its time, and whose moment it is."""

    kind: Kind
    position: int
    at: datetime
    owner: StreamId
    due: datetime | None
    what: str

    def document(self) -> dict[str, Any]:
        """Return it as JSON shows it."""
        return {
            "kind": self.kind,
            "position": self.position,
            "at": self.at,
            "workspace": self.owner.workspace,
            "owner": self.owner.name,
            "due": self.due,
            "what": self.what,
        }


class Suspect(NamedTuple):
    """
    A finding that a fact which follows may yet explain.

    `by_set_back`: a clock that went back does. `back`: one that was set forward by as much does, less the time that a
    decision may take.
    """

    finding: Finding
    by_set_back: bool
    back: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """
    What an audit that goes on has found up to a position, whose time is `at`.

    `found` is the number of all, by kind in `kinds`; `findings` are the first ones. `occurrences` counts due moments by
    outcome, `steps` the recorded steps that the rule was replayed for.
    """

    position: int
    at: datetime | None
    found: int
    kinds: Mapping[Kind, int]
    occurrences: Mapping[str, int]
    steps: int
    findings: tuple[Finding, ...]

    def document(self, workspace: str) -> dict[str, Any]:
        """Return it as a workspace is shown it: of the findings its own, of the others their number."""
        return {
            "position": self.position,
            "at": self.at,
            "found": self.found,
            "kinds": {str(kind): count for kind, count in self.kinds.items() if count},
            "occurrences": dict(self.occurrences),
            "steps": self.steps,
            "findings": [finding.document() for finding in self.findings if finding.owner.workspace == workspace],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """
    What was looked at, and what is wrong with it.

    `occurrences` counts due moments by outcome (`ran`, `skipped`, `missed`), `steps` the recorded steps that the rule
    was replayed for, `not_checked` those that it does not give with the installed zone data, and which were made with
    another version, by that version. `findings` are the first ones in the log's order, `found` is the number of all.
    """

    positions: int
    owners: int
    occurrences: Mapping[str, int]
    steps: int
    not_checked: Mapping[str, int]
    findings: tuple[Finding, ...]
    found: int

    @property
    def clean(self) -> bool:
        """Whether every due moment has exactly one outcome, and every step is the rule's."""
        return self.found == 0

    def document(self) -> dict[str, Any]:
        """Return it as JSON shows it."""
        first = self.findings[0] if self.findings else None
        return {
            "clean": self.clean,
            "positions": self.positions,
            "owners": self.owners,
            "occurrences": dict(self.occurrences),
            "steps": self.steps,
            "not_checked": dict(self.not_checked),
            "position": None if first is None else first.position,
            "found": self.found,
            "findings": [finding.document() for finding in self.findings],
        }
