"""Sentences about the log and its instances."""

from collections.abc import Mapping
from typing import Final

from eventjobs.audit.sentences.words import Data, Teller


def _clock(_: str, data: Data) -> str:
    way = "ahead" if data["step_s"] > 0 else "back"
    return f"The clock stepped {way} by {abs(data['step_s']):.1f} s at instance {data['instance']}."


TELLERS: Final[Mapping[str, Teller]] = {
    "log.clock_step_observed": _clock,
    "log.created": lambda _, data: f"The log {data['log_id']} was begun.",
    "log.instance_resumed": lambda _, data: (
        f"Instance {data['instance']} answers what is due again, after {data['away_s']:.0f} s in which it could not."
    ),
    "log.instance_started": lambda _, data: f"Instance {data['instance']} came up, with zone data {data['zone_data']}.",
    "log.zone_data_adopted": lambda _, data: (
        f"All instances go by zone data {data['version']} from now on"
        f"{', before by ' + data['previous'] if data.get('previous') else ''}."
    ),
}
