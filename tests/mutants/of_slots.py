"""Bad builds of slot schedules and expiry: the rules of Manage Connect."""

from tests.mutants.mutant import Mutant

CHECKS, MOMENTS = "tests/domain/test_slot_checks.py", "tests/domain/test_slot_moments.py"

MUTANTS = (
    Mutant(
        name="own-slot-not-waited-out",
        promise="G35: a group activated inside its own slot waits for the next one",
        file="domain/slot_activation.py",
        old="state = replace(state, reference=begin + SLOT - _SECOND)",
        new="state = replace(state, reference=begin)",
        tests=(f"{CHECKS}::test_G35_inside_its_own_slot_a_recurring_group_waits_for_the_next_period",),
    ),
    Mutant(
        name="minute-drawn-anew-in-the-same-slot",
        promise="G30: a slot that had its run is not due again at a later minute",
        file="domain/slot_activation.py",
        old="beyond = replace(state, reference=begin + SLOT - _SECOND)",
        new="beyond = state",
        tests=("tests/commands/test_groups.py::test_G30_a_later_minute_of_the_slot_that_had_its_run_is_not_due_again",),
    ),
    Mutant(
        name="slot-begins-a-second-late",
        promise="G32: the start of a slot counts as begun",
        file="domain/slot_activation.py",
        old="start.due <= now",
        new="start.due < now",
        tests=(f"{CHECKS}::test_G32_G34_a_single_run_needs_a_whole_slot_ahead",),
    ),
    Mutant(
        name="due-at-the-expiry",
        promise="G59: at the instant of expiry and later nothing is due",
        file="domain/cron_days.py",
        old="instant.utc >= end",
        new="instant.utc > end",
        tests=(f"{MOMENTS}::test_G59_a_moment_at_the_instant_of_expiry_does_not_exist",),
    ),
    Mutant(
        name="runs-after-the-expiry",
        promise="G60: no run begins after the instant of expiry",
        file="domain/due.py",
        old="() if self.over else self._pieces",
        new="self._pieces",
        tests=(f"{MOMENTS}::test_G60_what_fell_due_before_the_expiry_and_is_answered_after_it_is_missed",),
    ),
)
