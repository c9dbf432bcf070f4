"""A simulation's answer for people: what happened to each due moment, at local time, and what was refused."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from eventjobs.audit.sentences.words import CAUSES
from eventjobs.cli.output import say, table
from eventjobs.simulation.play import Played
from eventjobs.simulation.report import zones_of

Zones: TypeAlias = Mapping[tuple[str, int | None], str]

REASONS: Final = {
    "catch_up_never": "behind, and it does not catch up",
    "catch_up_window": "too long ago to catch up",
    "downtime": "nothing was up to run it",
    "expired": "it had expired",
    "inactive": "it was switched off",
    "held": "all starts were held",
    "overlap": "the run before it was still open",
    "paused": "it was paused",
    "queue_full": "too many runs were waiting",
}


def tell_simulation(document: Mapping[str, Any], played: Played) -> None:
    """Print the due moments, the other runs, the refusals and what comes next."""
    zones = zones_of(played.facts)
    runs = {(run["owner"], run["due"]): run for run in document["runs"] if run["due"] is not None}
    occurrences, manual = document["occurrences"], [run for run in document["runs"] if run["due"] is None]
    if occurrences:
        rows = [_occurrence(one, runs.get((one["owner"], one["due"])), zones) for one in occurrences]
        table(("due", "owner", "what happened"), rows)
    else:
        say("Nothing was due.")
    if manual:
        say("\nBesides:")
        table(("opened", "owner", "what happened"), [_manual(run, zones) for run in manual])
    if document["mails"]:
        say("\nMails:")
        table(("at", "to", "owner", "what it tells"), [_mail(one) for one in document["mails"]])
    if played.refused:
        say("\nRefused:")
        table(
            ("at", "command", "code", "why"),
            [(_utc(one.at), one.command, one.code, one.detail) for one in played.refused],
        )
    say(f"\n{_summary(occurrences)}")
    for owner, due in document["next_due"].items():
        say(f"Next of {owner}: {_local(due, zones.get((owner, None)))}")


def _occurrence(one: Mapping[str, Any], run: Mapping[str, Any] | None, zones: Zones) -> Sequence[str]:
    zone = zones.get((one["owner"], one["cadence_version"])) or zones.get((one["owner"], None))
    due = _local(one["due"], zone)
    if run is None:
        reason = str(one["reason"] or "")
        return due, one["owner"], f"{one['outcome']}: {REASONS.get(reason, reason.replace('_', ' '))}"
    late = "" if one["start"] == one["due"] else f" {_later(one['start'], one['due'], zone)}"
    why = "" if one["cause"] == "scheduled" else f" {_cause(one)}"
    covers = one["missed_occurrences"]
    stands = f"; it stands for {covers} later one{'' if covers == 1 else 's'}" if covers else ""
    return due, one["owner"], f"ran{late}{why}, {_end(run)}{stands}"


def _manual(run: Mapping[str, Any], zones: Zones) -> Sequence[str]:
    return _local(run["opened_at"], zones.get((run["owner"], None))), run["owner"], f"ran {_cause(run)}, {_end(run)}"


def _mail(one: Mapping[str, Any]) -> Sequence[str]:
    recovered = " again" if one["kind"] == "alert.recovered" else ""
    what = str(one["alert"] or one["kind"]).replace("_", " ")
    if not one["kind"].startswith("alert."):
        return _utc(one["at"]), one["to"], one["owner"], what.replace(".", " ")
    return _utc(one["at"]), one["to"], one["owner"], f"{'well' if recovered else 'wrong'}{recovered}: {what}"


def _cause(one: Mapping[str, Any]) -> str:
    detail = str(one["cause_detail"] or "").replace("_", " ")
    return f"{CAUSES.get(one['cause'], one['cause'])}{f' ({detail})' if detail else ''}"


def _end(run: Mapping[str, Any]) -> str:
    if run["ended_at"] is None:
        return f"{run['state']} at the end"
    reason = f" ({run['reason']})" if run["reason"] else ""
    return f"{run['state']}{reason} after {_span(run['ended_at'] - (run['started_at'] or run['opened_at']))}"


def _summary(occurrences: Sequence[Mapping[str, Any]]) -> str:
    told = [
        f"{sum(1 for one in occurrences if one['outcome'] == outcome):,} {outcome}"
        for outcome in ("ran", "skipped", "missed")
    ]
    return f"{len(occurrences):,} due: {', '.join(told)}."


def _span(span: timedelta) -> str:
    """Return how long something took, in its two largest units."""
    seconds = round(span.total_seconds())
    parts = (seconds // 86_400, "d"), (seconds // 3_600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")
    return " ".join([f"{number} {unit}" for number, unit in parts if number][:2]) or "0 s"


def _later(at: datetime, than: datetime, zone: str | None) -> str:
    """Return an instant, without its day where that is the other's."""
    # The day is all before the time `HH:MM:SS`.
    shown, day = _local(at, zone), _local(than, zone).rpartition(":")[0][:-5]
    return f"at {shown.removeprefix(day)}" if shown.startswith(day) else f"on {shown}"


def _local(at: datetime, zone: str | None) -> str:
    return _utc(at) if zone is None else f"{at.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M:%S %Z}"


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"
