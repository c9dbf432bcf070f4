"""
Makes RELIABILITY.md from lines of figures: `python -m tests.chaos.report > RELIABILITY.md`.

Of each suite the last line counts, but a broken one stands until a run of at least its form and length has held. A
figure whose suite did not run is not printed; that it did not run is.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.chaos.figures import REPOSITORY, held
from tests.chaos.proofs import PROOFS, TITLES, latest, proof_held, proofs_section

FIGURES: Final = REPOSITORY / "tests/chaos/figures.jsonl"
PAGE: Final = REPOSITORY / "RELIABILITY.md"
HEAD: Final = """\
# What is promised, and what was measured

Made from `tests/chaos/figures.jsonl` and `proofs.jsonl` by `python -m tests.chaos.report`; every line of those files
was written by the suite it names. Nothing on this page was typed in by hand but the promises.

The suites break the real thing: real processes, a real Postgres with durable settings, real sockets. What happened is
judged from outside: by a journal that the clients write and flush before they send and after they are answered, by a
little HTTP server that counts what jobs did and knows nothing else, and by a reader of the log that shares no code with
the service. Each suite but T30, which lives through a quarter of an hour, has a short form, which is in `make test`;
each has a long one, `make chaos SUITES=T1 SEED=…`, whose size follows `MINUTES`. The line of a suite says which it was;
the command beside its figures repeats it in that size.
"""
TEXT: Final = REPOSITORY / "tests/chaos/promises.md"
"""The promises, word for word, each a paragraph that begins with its number; then what is not promised."""
Line = Mapping[str, Any]


def page(lines: Sequence[Line], proofs: Sequence[Line] = ()) -> str:
    """Return the whole page, from the lines of the suites and of the other proofs."""
    latest: dict[str, Line] = {}
    for line in lines:
        before = latest.get(line["suite"])
        if before is None or held(before) or _answers(line, before):
            latest[line["suite"]] = line
    ran = [line for line in latest.values() if line["not_run_reason"] is None]
    parts = [HEAD, _sums(ran), _table(ran), _not_run(latest.values()), _promises(ran, proofs)]
    parts += [proofs_section(proofs), _suites(ran), _text()[1]]
    return "\n".join(part for part in parts if part)


def form(line: Line) -> str:
    """Tell whether it was the short form or the long one, by the command."""
    command = line["command"]
    return "short" if "--short" in command or "make test" in command else "long"


def _answers(line: Line, broken: Line) -> bool:
    """Tell whether a run is at least as much as one that did not hold."""
    did_run = line["not_run_reason"] is None
    return did_run and (form(line) == "long", _minutes(line)) >= (form(broken) == "long", _minutes(broken))


def _minutes(line: Line) -> float:
    given = re.search(r"MINUTES=([0-9.]+)", line["command"])
    return float(given[1]) if given else 0.0


def _named(line: Line) -> str:
    return line["suite"] if form(line) == "long" else f"{line['suite']} (short form)"


def read(path: Path) -> list[Line]:
    """Return the lines of a file of figures."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]


def _sums(ran: Sequence[Line]) -> str:
    faults = sum(sum(line["faults"].values()) for line in ran)
    accepted = sum(line["commands"]["accepted"] for line in ran)
    lost, duplicated = (sum(line[name] for line in ran) for name in ("lost", "duplicated"))
    gaps, broken = sum(line["gaps"] for line in ran), [line["suite"] for line in ran if not held(line)]
    verdict = f"\n**Broken: {', '.join(broken)}** (see below)." if broken else ""
    return (
        f"**{faults:,} faults, {accepted:,} commands acknowledged: {lost} lost, {duplicated} duplicated, "
        f"{gaps} gaps in the log.**{verdict}\n"
    )


def _table(ran: Sequence[Line]) -> str:
    rows = ["| suite | form | faults | acknowledged | lost | duplicated | recovery s, p50 / max | held |"]
    rows.append("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for line in ran:
        recovery = line["recovery"]
        spread = f"{recovery['p50']:.1f} / {recovery['max']:.1f}" if recovery else ""
        cells = [line["suite"], form(line), f"{sum(line['faults'].values()):,}", f"{line['commands']['accepted']:,}"]
        cells += [str(line["lost"]), str(line["duplicated"]), spread, "yes" if held(line) else "**no**"]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _not_run(lines: Iterable[Line]) -> str:
    missing = [line for line in lines if line["not_run_reason"] is not None]
    told = [
        f"- {line['suite']} did not run: {line['not_run_reason']}. What it would show is not proven."
        for line in missing
    ]
    return "## What did not run\n\n" + "\n".join(told) + "\n" if told else ""


def _promises(ran: Sequence[Line], proofs: Sequence[Line]) -> str:
    parts = ["## The promises\n"]
    for paragraph in _text()[0].split("\n\n"):
        number = paragraph.split("**")[1]
        shown = [_named(line) for line in ran if number in line["promise"] and held(line)]
        broken = [_named(line) for line in ran if number in line["promise"] and not held(line)]
        for proof in latest(proofs):
            title = f"the {TITLES[proof['figures']['suite']]}"
            told_of = shown if proof_held(proof) else broken
            if number in proof["figures"].get("promises", ()) and title not in told_of:
                told_of.append(title)
        told = [f"Held in {', '.join(shown)}."] if shown else []
        told += [f"**Broken in {', '.join(broken)}.**"] if broken else []
        parts.append(f"{paragraph}\n\n*{' '.join(told) or 'No suite of faults shows it; the tests do.'}*\n")
    return "\n".join(parts)


def _text() -> tuple[str, str]:
    promised, mark, rest = TEXT.read_text("utf-8").partition("## Not promised")
    return promised.strip(), mark + rest


def _suites(ran: Sequence[Line]) -> str:
    parts = ["## The suites\n"]
    for line in ran:
        parts.append(f"### {line['suite']}\n")
        machine = f", {_listed(line['machine'])}" if "machine" in line else ""
        parts.append(
            f"`{line['command']}` ({form(line)} form, commit {line['commit']}, {line['seconds']:.0f} s{machine})\n"
        )
        facts = [("faults", _listed(line["faults"])), ("commands", _listed(line["commands"]))]
        if line["recovery"]:
            facts.append(("recovery in seconds", _listed(line["recovery"])))
        facts += [(name, _said(name, value)) for name, value in line["figures"].items()]
        seen = {name: count for name, count in line["sometimes"].items() if count}
        facts.append(("rare states seen", _listed(seen) or "none"))
        parts += [f"- {name}: {value}" for name, value in facts if value]
        parts += [f"- **broken**: {text}" for text in line["wrong"]]
        parts += [f"- **{name}**: {line[name]:,}" for name in ("lost", "duplicated", "gaps") if line[name]]
        parts.append("")
    return "\n".join(parts)


def _said(name: str, value: Any) -> str:
    return "not walked" if name == "occurrences walked on the grid" and value == 0 else _shown(value)


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_shown(value)}" for name, value in values.items())


def _shown(value: Any) -> str:
    match value:
        case dict():
            return _listed(value)
        case float():
            return f"{value:g}"
        case int():
            return f"{value:,}"
        case list():
            return ", ".join(str(one) for one in value)
        case _:
            return str(value)


if __name__ == "__main__":
    sys.stdout.write(page(read(FIGURES), read(PROOFS)))
