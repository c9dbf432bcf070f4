"""Cadences and instants for property tests: every zone, the odd ones often."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from hypothesis import strategies as st

from eventjobs.domain.zones import zone_names
from eventjobs.events.cadence import Cadence, CatchUp, Gap, Repeat, Timing, TimingPolicies, Unit

ODD_ZONES = [
    "Africa/Casablanca",
    "Africa/El_Aaiun",
    "America/Chicago",
    "America/Santiago",
    "America/St_Johns",
    "Antarctica/Casey",
    "Antarctica/Troll",
    "Asia/Gaza",
    "Asia/Pyongyang",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Europe/Lisbon",
    "Pacific/Apia",
    "Pacific/Kwajalein",
    "UTC",
]
RECURRING = (Unit.MINUTE, Unit.HOUR, Unit.DAY, Unit.MONTH, Unit.CRON)
CRONS = ("*/15 * * * *", "30 2 * * *", "0,30 0-3 * * *", "0 3 * * 1", "59 23 L * *", "15 1 29 2 *", "0 12 1 1 *")

zones = st.sampled_from(ODD_ZONES) | st.sampled_from(sorted(zone_names()))
starts = st.tuples(st.dates(date(1970, 1, 1), date(2200, 12, 31)), st.times())
instants = st.builds(
    lambda day, time: datetime.combine(day, time, UTC), st.dates(date(1970, 1, 2), date(2300, 1, 1)), st.times()
)


@st.composite
def rules(draw: st.DrawFn, units: Sequence[Unit] = tuple(Unit)) -> tuple[Cadence, TimingPolicies]:
    """Draw a cadence and its policies as they may be saved."""
    day, time = draw(starts)
    unit = draw(st.sampled_from(units))
    timings = [Timing.ELAPSED] if unit is not Unit.CRON else [Timing.WALL_CLOCK]
    if unit not in (Unit.ONCE, Unit.CRON):
        timings.append(Timing.GRID)
    if unit in (Unit.DAY, Unit.MONTH):
        timings.append(Timing.WALL_CLOCK)
    zone = draw(zones)
    if unit is Unit.CRON:
        cadence = Cadence(time_zone=zone, unit=unit, cron=draw(st.sampled_from(CRONS)))
    else:
        cadence = Cadence(
            start_date=day.isoformat(),
            start_time=f"{time:%H:%M}",
            time_zone=zone,
            every=1 if unit is Unit.ONCE else draw(st.integers(1, 40) | st.integers(1, 10_000)),
            unit=unit,
        )
    policies = TimingPolicies(
        timing=draw(st.sampled_from(timings)),
        gap=draw(st.sampled_from(Gap)),
        repeat=draw(st.sampled_from(Repeat)),
        catch_up=draw(st.sampled_from(CatchUp)),
        catch_up_window_s=draw(st.none() | st.integers(0, 10**6)),
    )
    return cadence, policies
