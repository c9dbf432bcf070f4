"""Reports to people and programs: one per run (or day, or expiry), channel and recipient, whoever asks for it again."""

from eventjobs.commands.context import Context
from eventjobs.commands.notifying import request, to_all
from eventjobs.commands.world import World
from eventjobs.domain.notification_policy import Recipients
from eventjobs.domain.report import Report


def report_to(world: World, context: Context, recipients: Recipients, report: Report) -> None:
    """Want a report to be sent to each recipient; one that was wanted under its key before is left alone."""
    what = {"kind": report.KIND, "subject": report.owner, "run": report.run, "about": report.about()}
    request(world, context, ((report.key, one) for one in to_all(recipients, frozenset(), **what)))
