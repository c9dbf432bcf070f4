"""Bad builds of due moments: P5, P10, P11 and the rules of the Jobs page."""

from tests.mutants.mutant import Mutant

ANSWERS, EDITS, ZONES, DUE, CRON = (
    "tests/domain/test_due_answers.py",
    "tests/domain/test_edits_of_timing.py",
    "tests/domain/test_zones.py",
    "tests/commands/test_due_moments.py",
    "tests/domain/test_cron_days.py",
)

MUTANTS = (
    Mutant(
        name="answer-before-instant",
        promise="P5: nothing is answered before its instant",
        file="commands/answering.py",
        old="present.next.due <= context.now",
        new="present.next is not None",
        tests=(f"{DUE}::test_nothing_is_answered_before_its_instant",),
        shows=r"^E\s+(ValueError: .* is not due at|assert\b|AssertionError)",
    ),
    Mutant(
        name="next-due-from-now",
        promise="R18: what comes counts from the nominal instant, not from the dispatch",
        file="domain/due.py",
        old="next=self._rest.after(self._from(self.now)))",
        new="next=due_at(self.cadence, self._rest.after(self.head.due).due + (self.now - self.head.due)))",
        tests=(f"{ANSWERS}::test_R18_sixty_seconds_late_is_on_time",),
    ),
    Mutant(
        name="catch-up-unlimited",
        promise="P11: one run stands for all that passed",
        file="domain/due.py",
        old="next=self._rest.after(self._from(self.now)))",
        new="next=self._rest.after(self.head.due))",
        tests=(f"{ANSWERS}::test_a_late_run_does_not_move_what_is_aligned",),
    ),
    Mutant(
        name="catch-up-window-ignored",
        promise="P11: what is older than the window does not run",
        file="domain/due.py",
        old="return None if window is None else self.now - window",
        new="return None",
        tests=(f"{ANSWERS}::test_only_the_first_moment_inside_the_window_runs",),
    ),
    Mutant(
        name="fold-ignored",
        promise="P10: of a time that comes twice the chosen pass runs",
        file="domain/zones.py",
        old="second = local.replace(tzinfo=zone, fold=1).utcoffset()",
        new="second = local.replace(tzinfo=zone, fold=0).utcoffset()",
        tests=(f"{ZONES}::test_wall_clock_repeat_chooses_the_pass",),
    ),
    Mutant(
        name="gap-not-left-out",
        promise="P10: with `skip` a time that does not exist does not run",
        file="domain/moments.py",
        old="if gap is Gap.SKIP and instants[0].asked is not None:",
        new="if gap is Gap.SKIP and instants[0].asked == instants[0].local:",
        tests=(f"{ZONES}::test_wall_clock_gap_skip_leaves_the_day_out", f"{CRON}::test_gap_skip_leaves_the_times_out"),
    ),
    Mutant(
        name="cron-second-passes-too-early",
        promise="P10: due moments are answered in the order of their instants",
        file="domain/cron_days.py",
        old="return sorted(instants, key=lambda instant: (instant.utc, instant.asked is not None))",
        new="return instants",
        tests=(f"{CRON}::test_repeat_both_has_the_second_pass_of_all_after_the_first",),
    ),
    Mutant(
        name="cron-floor-of-quiet-days",
        promise="R6: nothing is due more often than the floor, around a change of the clock neither",
        file="domain/cron_days.py",
        old="unrest += _resolved(",
        new="unrest += () if ends_only else _resolved(",
        tests=(f"{CRON}::test_R6_a_time_that_a_gap_shifts_close_to_another_is_refused",),
    ),
    Mutant(
        name="local-arithmetic",
        promise="R16: a day is 24 hours, and the addition is in UTC",
        file="domain/timing.py",
        old="return step(self.base, index * self.cadence.every, self.cadence.unit, self.day)",
        new="zone, count = self.cadence.time_zone, index * self.cadence.every\n"
        "        at = step(self.base, count, self.cadence.unit, self.day)\n"
        "        shown = zones.shown_in(zone, self.base).local\n"
        "        return None if at is None else zones.instants_of(zone, shown + (at - self.base))[0].utc",
        tests=("tests/domain/test_worked_examples.py::test_R16_example_1_a_daily_run_drifts_with_daylight_saving",),
    ),
    Mutant(
        name="month-day-lost",
        promise="R17: months keep the anchor's day",
        file="domain/reference.py",
        old="return state.anchor_day\n",
        new="return due.day\n",
        tests=("tests/domain/test_worked_examples.py::test_R17_month_example_8_keeps_the_anchor_day",),
    ),
    Mutant(
        name="answered-moment-due-again",
        promise="P5: nothing makes an answered instant due again",
        file="domain/reference.py",
        old="at = at if state.last_answered is None else max(at, state.last_answered)",
        new="at = at",
        tests=(f"{EDITS}::test_a_clock_that_was_set_back_makes_no_answered_moment_due_again",),
    ),
    Mutant(
        name="answered-day-comes-back",
        promise="P5: a zone moved west does not bring the day back",
        file="domain/moments.py",
        old="return (zones.wall_text(candidate.local), candidate.fold) > (self.local, self.fold)",
        new="return True",
        tests=(f"{EDITS}::test_a_zone_moved_west_after_that_days_time_was_answered_loses_that_day",),
    ),
    Mutant(
        name="overlap-ignored",
        promise="R45: a moment that meets an open run is skipped",
        file="domain/overlap.py",
        old="if not (open_runs or waiting):",
        new="if policy:",
        tests=(f"{DUE}::test_R45_a_moment_that_meets_an_open_run_is_skipped_and_the_next_one_is_due",),
    ),
    Mutant(
        name="skip-freezes-the-schedule",
        promise="R45: a skipped moment is followed by the next one",
        file="commands/answering.py",
        old="_skipped(world, context, owner, span, reason, open_run, answer.if_skipped)",
        new="_skipped(world, context, owner, span, reason, open_run, Following("
        "state=world.owner(owner).timing, next=world.owner(owner).next))",
        tests=(f"{DUE}::test_R45_a_moment_that_meets_an_open_run_is_skipped_and_the_next_one_is_due",),
    ),
    Mutant(
        name="occurrence-of-no-version",
        promise="P5: an occurrence is of one cadence version",
        file="domain/occurrence.py",
        old='{owner}.{cadence_version}.{instant}"',
        new='{owner}.1.{instant}"',
        tests=(
            "tests/commands/test_schedule_edits.py::test_after_an_edit_an_occurrence_has_the_name_of_the_new_version",
        ),
    ),
    Mutant(
        name="manual-run-moves-the-schedule",
        promise="R19: a manual run moves nothing",
        file="commands/run_now.py",
        old="open_owner_run(world, context, schedule_ref(schedule_id), run_id, moment)",
        new="from eventjobs.domain.due import Following\n"
        "    moved = Following(state=world.schedule(schedule_id).timing, next=None)\n"
        "    open_owner_run(world, context, schedule_ref(schedule_id), run_id, moment, moved)",
        tests=("tests/commands/test_run_now.py::test_R19_a_manual_run_moves_nothing",),
    ),
)
