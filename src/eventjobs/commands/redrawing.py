"""The minute of each occurrence, where a schedule of slots draws it anew: in the log before it is due (G30)."""

from eventjobs.commands.context import Context
from eventjobs.commands.owner_facts import SLOT_FACTS
from eventjobs.commands.world import World
from eventjobs.domain.slot_activation import on_minute_drawn
from eventjobs.domain.slot_owner import SlotOwner
from eventjobs.domain.slots import drawn
from eventjobs.domain.streams import owner_stream
from eventjobs.events.run import Ref
from eventjobs.events.slots import Redraw


def redraw(world: World, context: Context, owner: Ref) -> None:
    """Draw the minute of what is due next, after a moment was answered; nothing for those that keep theirs."""
    present = world.owner(owner)
    if not isinstance(present, SlotOwner) or present.schedule.redraw != Redraw.PER_OCCURRENCE or present.next is None:
        return
    world.holds_before(present.next.due)  # by then it would have been answered with the minute that it had
    schedule = drawn(present.schedule, context.random.uniform())
    decision = on_minute_drawn(schedule, present.policies.timing, present.timing, present.expires_at)
    world.emit(
        owner_stream(context.workspace, owner),
        SLOT_FACTS[owner.kind].minute_drawn(schedule=schedule, timing=decision.state, next=decision.next),
    )
