"""Bad builds that only ten simulated days of groups must notice: its judge reckons and follows for itself."""

from tests.mutants.mutant import Mutant

TEN_DAYS = ("tests/simulation/test_simulation.py::test_ten_days_of_twenty_groups_lose_double_and_hide_nothing",)

MUTANTS = (
    Mutant(
        name="last-day-is-the-28th",
        promise="G36: monthly on the last day is due on the last day of each month",
        file="domain/slots.py",
        old="'L' if schedule.day == 'last' else schedule.day",
        new="28 if schedule.day == 'last' else schedule.day",
        tests=TEN_DAYS,
        shows="by the judge's reckoning",
        slow=True,
    ),
    Mutant(
        name="group-goes-on-after-a-failure",
        promise="G4: the first failure of a job that the group needs ends it",
        file="domain/plan.py",
        old="(_failed(row) and row.job.required)",
        new="(_failed(row) and not row.job.required)",
        tests=TEN_DAYS,
        shows="after the failure of a job that the group needs",
        slow=True,
    ),
    Mutant(
        name="jobs-of-a-deleted-group-are-kept",
        promise="G6, G75: who deletes a group frees its jobs",
        file="commands/delete_group.py",
        old="    release(world, context, command.id, group)\n",
        new="",
        tests=TEN_DAYS,
        shows="are in it, and it is gone",
        slow=True,
    ),
    Mutant(
        name="nobody-is-told-of-a-failure",
        promise="G64: who wants to know of failures is told of each once",
        file="domain/notification_policy.py",
        old="return {Happened.FAILED if started else Happened.NOT_STARTED}",
        new="return {Happened.STOPPED}",
        tests=TEN_DAYS,
        shows="nobody was told how a run went",
        slow=True,
    ),
)
