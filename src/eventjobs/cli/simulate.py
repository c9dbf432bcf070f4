"""`eventjobs simulate`: what would happen, played through the real core on a virtual clock."""

import gc
import sys
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Final

import orjson
from cyclopts import Parameter

from eventjobs.cli import exits
from eventjobs.cli.simulated import tell_simulation
from eventjobs.commands.context import Limits
from eventjobs.errors import Invalid, UsageWrong
from eventjobs.handlers.registry import Registry
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.settings import Settings, load_settings
from eventjobs.simulation.play import play
from eventjobs.simulation.report import report
from eventjobs.simulation.scenario import Scenario, read_scenario
from eventjobs.telemetry.logging import configure_logging
from eventjobs.telemetry.redaction import KnownSecrets

STDIN: Final = "-"
JSON: Final = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z
GC_THRESHOLDS: Final = (20_000, 20, 50)
"""What a simulation makes it keeps until its end; the collector need not walk it so often."""


def simulate(
    file: Annotated[str, Parameter(allow_leading_hyphen=True, help="the timeline; - reads standard input")],
    /,
    *,
    json: Annotated[bool, Parameter(negative="", help="print everything as one JSON document")] = False,
) -> int:
    """
    Tell what would happen: play a timeline of commands and outages, without a database and without waiting.

    FILE is JSON: {"now", "until", "steps": [{"at", "command", "data"} |
    {"at", "down": true} | {"at", "up": true}], "run_seconds", "outcomes"}. Jobs are not really run: each takes
    `run_seconds` and ends with the next of `outcomes`. The same file has the same answer every time.
    """
    settings = load_settings()
    configure_logging(KnownSecrets(settings.secrets), level="error", log_format=settings.log_format)
    scenario = _read(file)
    gc.set_threshold(*GC_THRESHOLDS)
    played = play(scenario, limits_of(settings), _handlers(settings))
    document = report(played)
    if json:
        sys.stdout.write(orjson.dumps(document, option=JSON).decode())
    else:
        tell_simulation(document, played)
    return exits.OK


def _read(file: str) -> Scenario:
    try:
        text = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    except OSError as error:
        raise UsageWrong(f"{file}: {error.strerror}") from None
    try:
        return read_scenario(text)
    except Invalid as refusal:
        lines = [f"{one.path}: {one.detail}" if one.path else one.detail for one in refusal.errors]
        raise UsageWrong("\n  ".join([f"{file} is no scenario:", *lines])) from None


def limits_of(settings: Settings) -> Limits:
    """Return this installation's limits; each but the shortest period is a setting of the same name."""
    named = {field.name: getattr(settings, field.name) for field in fields(Limits) if field.name != "min_period_s"}
    return Limits(min_period_s=int(settings.min_period.total_seconds()), **named)


def _handlers(settings: Settings) -> Registry:
    outbound = OutboundRules.parse(settings.outbound_allow)
    return Registry.load({"outbound": outbound, "commands": settings.commands})
