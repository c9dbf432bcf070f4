"""Bad builds of what people are told of groups and jobs: who, of what, and how often."""

from tests.mutants.mutant import Mutant

POLICY, REPORTER = "tests/domain/test_notification_policy.py", "tests/runner/test_reporter.py"

MUTANTS = (
    Mutant(
        name="stop-is-a-failure",
        promise="G69: a run that a person stopped is no failure",
        file="domain/notification_policy.py",
        old="{Happened.FAILED, Happened.NOT_STARTED,",
        new="{Happened.STOPPED, Happened.FAILED, Happened.NOT_STARTED,",
        tests=(f"{POLICY}::test_G64_G69_G70_who_is_told_of_an_event_in_a_mode",),
    ),
    Mutant(
        name="told-by-the-newest-definition",
        promise="G44: a run tells those who were listed when it began",
        file="runner/told.py",
        old="self._notification(closed.stream, opened.position)",
        new="self._notification(closed.stream, closed.position)",
        tests=(f"{REPORTER}::test_G44_a_run_tells_those_who_were_listed_when_it_began",),
    ),
    Mutant(
        name="mark-beyond-what-is-untold",
        promise="P20: what could not be told yet is begun with again",
        file="runner/reporter.py",
        old="told = min((position - 1 for position in self._put_off), default=self._position)",
        new="told = self._position",
        tests=(f"{REPORTER}::test_what_cannot_be_told_is_told_later_and_keeps_nothing_back",),
    ),
)
