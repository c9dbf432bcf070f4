"""The one loop, on a log: races, keys, If-Match, refused attempts."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from eventjobs.commands.answer_due import AnswerDue
from eventjobs.commands.batch import Entry, run_all, run_each
from eventjobs.commands.contended import Contended, Turn
from eventjobs.commands.context import Context
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.commands.outcomes import Keyed, Outcome
from eventjobs.commands.spec import CommandFields, CommandSpec
from eventjobs.commands.world import World
from eventjobs.domain.access import Grant
from eventjobs.errors import Conflict, Forbidden, Invalid, LogUnavailable, NotFound, OutcomeUnknown, Stale
from eventjobs.events.access import AttemptRefused
from eventjobs.events.recorded import StreamId
from eventjobs.log.memory import Fault, MemoryEventLog
from eventjobs.log.port import Append
from tests.support.bodies import DAILY, edit, run_now, schedule, service, tick, workspace
from tests.support.connect import job as connect_job
from tests.support.logs import Planned, facts_of, memory_log
from tests.support.ports import CountingIds
from tests.support.story import SPEC_OF, Story, at, command, operator
from tests.support.time import FrozenClock

BASE = Story().context
IDS = CountingIds(1_000)


class Caller:
    """One instance's dispatcher, and a short way to call it."""

    def __init__(self, log: MemoryEventLog, **surroundings: Any) -> None:
        self.dispatcher = Dispatcher(log)
        self.context: Context = replace(BASE, **surroundings)

    async def do(self, command: CommandFields, *, key: str | None = None, if_match: int | None = None) -> Outcome:
        body_hash = hashlib.sha256(repr(command).encode()).digest()
        keyed = None if key is None else Keyed(key=key, body_hash=body_hash)
        context = replace(self.context, command_id=IDS.new())
        return await self.dispatcher.dispatch(SPEC_OF[type(command)], command, context, if_match=if_match, keyed=keyed)


class Slow:
    """A log whose appends take as long as it takes to decide."""

    async def next(self, _append: Append) -> Fault | None:
        for _ in range(10):
            await asyncio.sleep(0)
        return None


def types(log: MemoryEventLog) -> list[str]:
    return [fact.type for fact in facts_of(log)][1:]


async def ready(
    *commands: CommandFields, faults: Planned | None = None, log: MemoryEventLog | None = None
) -> tuple[MemoryEventLog, Caller]:
    log = log or memory_log(FrozenClock(), faults)
    caller = Caller(log)
    for one in (workspace(), service(), *commands):
        await caller.do(one)
    return log, caller


async def test_an_answer_says_what_was_written_and_where() -> None:
    log, caller = await ready()
    outcome = await caller.do(schedule())
    assert outcome.decided
    assert outcome.answer["stream"] == "schedule:nightly"
    assert outcome.answer["version"] == 1
    assert outcome.answer["position"] == log.known_head.position == 5
    assert outcome.answer["events"] == [
        {"position": 4, "stream": "schedule:nightly", "type": "schedule.created"},
        {"position": 5, "stream": "service:load", "type": "service.attached"},
    ]
    again = await caller.do(schedule())
    assert (again.decided, again.answer["events"], again.answer["position"]) == (False, [], 5)


async def test_facts_name_their_actor_and_their_command() -> None:
    log, caller = await ready()
    outcome = await caller.do(schedule())
    fact = facts_of(log)[-1]
    assert (fact.actor, fact.command_id, fact.correlation) == (
        "key:tester",
        outcome.answer["command_id"],
        fact.command_id,
    )


async def test_two_instances_that_tick_at_once_open_one_run() -> None:
    log, _ = await ready(schedule())
    others = [Caller(log, now=at("2026-12-01 20:00:01"), instance=name) for name in ("one", "two", "three")]
    for other in others:  # all have the same state in hand
        await other.dispatcher.try_out(SPEC_OF[type(tick())], tick(), other.context)
    outcomes = await asyncio.gather(*(other.do(tick()) for other in others))
    assert [outcome.decided for outcome in outcomes].count(True) == 1
    assert types(log).count("run.opened") == 1


async def test_a_lost_race_is_decided_again_on_the_newer_state() -> None:
    log, first = await ready(schedule())
    second = Caller(log)
    await second.do(command("DescribeSchedule", id="nightly", description=""))
    await first.do(run_now(id="mine"))
    with pytest.raises(Conflict, match="mine is open"):
        await second.do(run_now(id="other"))
    outcome = await second.do(command("DescribeSchedule", id="nightly", description="x"))
    assert outcome.answer["version"] == 2


async def test_G6_two_groups_that_take_a_job_at_once_do_not_both_have_it() -> None:
    log, caller = await ready(connect_job("contacts"), command("ActivateJob", id="contacts"))
    groups = [command("CreateGroup", id=name, name=name, jobs=["contacts"]) for name in ("one", "two")]
    others = [Caller(log, instance=group.id) for group in groups]  # type: ignore[attr-defined]
    for other, group in zip(others, groups, strict=True):  # both have the same state in hand
        await other.dispatcher.try_out(SPEC_OF[type(group)], group, other.context)
    doing = (other.do(group) for other, group in zip(others, groups, strict=True))
    outcomes = await asyncio.gather(*doing, return_exceptions=True)
    (refusal,) = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
    assert (refusal.code, types(log).count("job.grouped")) == ("job_in_other_group", 1)
    assert types(log).count("group.created") == types(log).count("groups.named") == 1
    assert (await caller.do(command("DeleteGroup", id=refusal.extra["group"]))).decided


async def test_G75_a_group_is_deleted_or_runs_but_not_both() -> None:
    jobs = [connect_job(name) for name in ("a", "b")]
    made = command("CreateGroup", id="lists", name="Lists", jobs=["a", "b"])
    switched_on = [command("ActivateJob", id=name) for name in ("a", "b")]
    log, first = await ready(*jobs, *switched_on, made, command("ActivateGroup", id="lists"))
    second = Caller(log)
    owner = {"kind": "group", "id": "lists"}
    doing = [first.do(command("RunNow", owner=owner)), second.do(command("DeleteGroup", id="lists"))]
    outcomes = await asyncio.gather(*doing, return_exceptions=True)
    (refusal,) = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert isinstance(refusal, Conflict | NotFound)
    assert {"group.run_opened", "group.deleted"} & set(types(log)) in ({"group.run_opened"}, {"group.deleted"})


async def test_P5_what_is_written_after_a_due_moment_answers_it_although_it_was_decided_before() -> None:
    clock = FrozenClock()
    log, _ = await ready(*(schedule(name) for name in ("alone", "each", "all")), log=memory_log(clock))
    early = Caller(log, now=at("2026-12-01 19:59:59"))
    clock.instant = at("2026-12-01 20:00:03")  # the append had to wait so long
    before = len(types(log))
    await early.do(command("InactivateSchedule", id="alone"), if_match=1)
    for run, name in ((run_each, "each"), (run_all, "all")):
        entry = Entry(spec=SPEC_OF[type(edit())], command=edit(name, start_time="21:00"), context=early.context)
        assert isinstance(*await run(early.dispatcher, [entry]), Outcome)
    answered = ["run.opened", "schedule.run_opened"]
    changes = ("schedule.inactivated", "schedule.cadence_edited", "schedule.cadence_edited")
    assert types(log)[before:] == [fact for change in changes for fact in (*answered, change)]


@pytest.mark.parametrize(("waited_s", "due"), [(19, "120000"), (21, "120021")])
async def test_what_waited_too_long_to_be_written_is_decided_by_the_time_that_it_is(waited_s: int, due: str) -> None:
    clock = FrozenClock()
    _, caller = await ready(log=memory_log(clock))
    clock.instant = at("2026-12-01 12:00") + timedelta(seconds=waited_s)  # as where its process was frozen
    outcome = await caller.do(schedule(cadence={**DAILY, "start_time": "11:00"}))
    assert outcome.answer["events"][2]["stream"] == f"run:schedule.nightly.1.20261201t{due}z"


async def test_G60_a_run_that_is_asked_for_before_the_expiry_does_not_begin_after_it() -> None:
    clock, made = FrozenClock(), command("CreateGroup", id="lists", name="Lists", jobs=["a", "b"])
    active = [one for name in ("a", "b") for one in (connect_job(name), command("ActivateJob", id=name))]
    log, _ = await ready(*active, made, command("ActivateGroup", id="lists"), log=memory_log(clock))
    clock.instant = at("2026-12-31 23:00")
    early = Caller(log, now=at("2026-12-31 22:59:59"))
    with pytest.raises(Conflict, match="expired on 2026-12-31"):
        await early.do(run_now("lists", "group"))


async def test_a_refusal_on_an_old_state_is_looked_at_again() -> None:
    log, first = await ready()
    second = Caller(log)
    with pytest.raises(NotFound):
        await second.do(command("ActivateSchedule", id="nightly"))
    await first.do(schedule())
    assert not (await second.do(command("ActivateSchedule", id="nightly"))).decided


async def test_nothing_to_do_on_an_old_state_is_looked_at_again() -> None:
    log, first = await ready(schedule())
    second = Caller(log)
    await second.do(command("ActivateSchedule", id="nightly"))
    await first.do(command("InactivateSchedule", id="nightly"))
    assert (await second.do(command("ActivateSchedule", id="nightly"))).decided


async def test_an_id_that_another_instance_took_is_not_taken_for_new() -> None:
    log, first = await ready()
    second = Caller(log)
    await second.dispatcher.states.load([StreamId("acme", "workspace:acme")])
    await first.do(service("theirs"))
    before = types(log)
    assert not (await second.do(service("theirs"))).decided
    with pytest.raises(Conflict, match="taken"):
        await Caller(log).do(service("theirs", name="Another"))
    with pytest.raises(Stale):
        await Caller(log).do(service("theirs", name="Another"), if_match=7)
    assert types(log) == before


async def test_G8_many_groups_that_are_named_at_once_all_come_to_be() -> None:
    _, caller = await ready(log=memory_log(FrozenClock(), Slow()))
    groups = [command("CreateGroup", id=f"g{number}", name=f"g{number}", jobs=[]) for number in range(60)]
    outcomes = await asyncio.gather(*(caller.do(group) for group in groups))
    assert all(outcome.decided for outcome in outcomes)


async def test_many_atomic_batches_at_once_all_are_written() -> None:
    _, caller = await ready(log=memory_log(FrozenClock(), Slow()))
    groups = [command("CreateGroup", id=f"g{number}", name=f"g{number}", jobs=[]) for number in range(60)]
    entries = [Entry(spec=SPEC_OF[type(group)], command=group, context=caller.context) for group in groups]
    done = await asyncio.gather(*(run_all(caller.dispatcher, [entry]) for entry in entries))
    assert all(outcome.decided for outcomes in done for outcome in outcomes)


async def test_many_refused_attempts_at_once_all_are_recorded() -> None:
    log, caller = await ready(log=memory_log(FrozenClock(), Slow()))
    refusing = (caller.dispatcher.refuse("CreateGroup", ["data_director"], caller.context) for _ in range(60))
    refusals = await asyncio.gather(*refusing, return_exceptions=True)
    assert [type(refusal) for refusal in refusals] == [Forbidden] * 60
    assert types(log).count(AttemptRefused.TYPE) == 60


async def test_who_has_waited_too_long_for_a_turn_goes_on_without_it() -> None:
    contended = Contended(patience_s=0.001)
    with Turn(contended) as stuck, Turn(contended) as other:
        await stuck.take("stream")
        await other.take("stream")
        assert contended.turn_of("stream").locked()
    assert not contended.turn_of("stream").locked()


async def test_after_too_many_lost_races_nothing_was_written() -> None:
    faults = Planned()
    log, caller = await ready(faults=faults)
    faults.left.extend([Fault.CONFLICT] * 20)
    before = types(log)
    with pytest.raises(LogUnavailable):
        await caller.do(schedule())
    assert types(log) == before
    assert (await caller.do(schedule())).decided


async def test_a_stale_if_match_is_refused_and_never_decided_again() -> None:
    log, first = await ready(schedule())
    second = Caller(log)
    assert (await first.do(edit(every=2), if_match=1)).answer["version"] == 2
    with pytest.raises(Stale) as refusal:
        await second.do(edit(every=3), if_match=1)
    assert refusal.value.extra == {"version": 2}
    assert types(log).count("schedule.cadence_edited") == 1


async def test_an_if_match_that_loses_the_race_is_stale() -> None:
    faults = Planned()
    _, caller = await ready(schedule(), faults=faults)
    faults.left.append(Fault.CONFLICT)
    with pytest.raises(Stale):
        await caller.do(edit(every=2), if_match=1)


async def test_runs_do_not_make_an_if_match_stale() -> None:
    _, caller = await ready(schedule())
    await caller.do(run_now())
    assert (await caller.do(edit(every=2), if_match=1)).decided


async def test_a_key_that_was_used_answers_as_before_and_writes_nothing() -> None:
    log, caller = await ready()
    first = await caller.do(schedule(), key="k")
    await caller.do(command("DeleteSchedule", id="nightly"))
    again = await Caller(log).do(schedule(), key="k")
    assert again.replayed
    assert (again.answer, again.decided) == (first.answer, True)
    assert types(log).count("schedule.created") == 1


async def test_a_key_with_another_body_is_refused() -> None:
    _, caller = await ready()
    await caller.do(schedule(), key="k")
    for other in (schedule(description="x"), schedule("other"), run_now("unknown")):
        with pytest.raises(Invalid) as refusal:
            await caller.do(other, key="k")
        assert refusal.value.code == "idempotency_key_reused"


async def test_a_command_that_decided_nothing_leaves_a_receipt_and_a_refused_one_does_not() -> None:
    log, caller = await ready(schedule())
    nothing = await caller.do(schedule(), key="k")
    await caller.do(command("DeleteSchedule", id="nightly"))
    again = await caller.do(schedule(), key="k")
    assert (again.replayed, again.decided, again.answer["events"]) == (True, False, [])
    assert again.answer["position"] == nothing.answer["position"]

    with pytest.raises(NotFound):
        await caller.do(run_now("load2", "service", id="r"), key="r")
    await caller.do(service("load2"))
    assert (await caller.do(run_now("load2", "service", id="r"), key="r")).decided
    assert log.known_head.position == len(facts_of(log))


async def test_two_at_once_with_one_key_have_one_effect() -> None:
    log, caller = await ready(schedule())
    outcomes = await asyncio.gather(*(caller.do(run_now(), key="k") for _ in range(5)))
    assert [outcome.replayed for outcome in outcomes].count(False) == 1
    assert len({outcome.answer["run"] for outcome in outcomes}) == 1
    assert types(log).count("run.opened") == 1


async def test_the_secret_of_a_key_is_not_in_its_receipt() -> None:
    log, caller = await ready()
    body = command("IssueKey", id="ci", roles=["reader"])
    first = await caller.do(body, key="k")
    assert first.secrets["secret"].startswith("ej_")
    kept = await log.find_receipt("k")
    assert kept is not None
    assert first.secrets["secret"].encode() not in kept.answer
    again = await caller.do(body, key="k")
    assert again.secrets == {"secret": None}
    assert "secret" not in again.answer


@pytest.mark.parametrize(("fault", "written"), [(Fault.UNKNOWN_WRITTEN, True), (Fault.UNKNOWN_LOST, False)])
async def test_an_unknown_outcome_is_known_by_its_key(fault: Fault, written: bool) -> None:
    faults = Planned()
    log, caller = await ready(faults=faults)
    faults.left.append(fault)
    with pytest.raises(OutcomeUnknown):
        await caller.do(schedule(), key="k")
    again = await caller.do(schedule(), key="k")
    assert again.replayed is written
    assert types(log).count("schedule.created") == 1


async def test_who_lacks_the_role_is_refused_and_the_attempt_is_recorded() -> None:
    log, _ = await ready(schedule())
    caller = Caller(log, grant=operator("acme", "reader"), actor="key:eve")
    for _ in range(2):
        with pytest.raises(Forbidden):
            await caller.do(run_now())
    refused = facts_of(log)[-2:]
    assert [(fact.stream.workspace, fact.stream.name, fact.actor) for fact in refused] == [
        ("*", "access:~refused", "key:eve")
    ] * 2
    assert refused[0].event.action == "RunNow"


async def test_the_runners_own_commands_are_nobodys() -> None:
    log, _ = await ready(schedule())
    everything = Grant(roles=frozenset({"administrator", "operator"}), workspaces=frozenset({"*"}))
    with pytest.raises(Forbidden):
        await Caller(log, grant=everything).do(tick())


async def test_a_workspace_is_made_by_administrators_of_everything_only() -> None:
    log, _ = await ready()
    with pytest.raises(Forbidden):
        await Caller(log, grant=operator("acme", "administrator")).do(workspace("other"))
    assert (await Caller(log, grant=operator("*", "administrator")).do(workspace("other"))).decided


async def test_trying_out_writes_nothing_and_sees_the_newest_state() -> None:
    log, first = await ready()
    second = Caller(log)
    body = schedule(cadence={**DAILY, "start_time": "08:00"})
    trial = await second.dispatcher.try_out(SPEC_OF[type(body)], body, second.context)
    assert [event.TYPE for _, event in trial.world.emitted][-2:] == ["run.opened", "schedule.run_opened"]
    assert (trial.position, types(log).count("run.opened")) == (log.known_head.position, 0)
    await first.do(body)
    assert (await second.dispatcher.try_out(SPEC_OF[type(body)], body, second.context)).world.emitted == []


async def test_things_of_another_workspace_do_not_exist() -> None:
    log, caller = await ready(schedule())
    await caller.do(workspace("other"))
    stranger = Caller(log, workspace="other")
    for body in (run_now(), command("DeleteSchedule", id="nightly"), command("DeleteService", id="load")):
        with pytest.raises(NotFound):
            await stranger.do(body)
    assert (await stranger.do(service())).decided


async def test_a_rule_that_breaks_on_states_of_different_moments_is_asked_again() -> None:
    """The service is known as of now, the run that waits for it as of before it was opened."""
    log, caller = await ready()
    other = Caller(log)
    stream = StreamId("acme", "schedule:nightly")
    assert (await other.dispatcher.states.load([stream]))[stream].version == 0
    await caller.do(schedule())
    asked: list[int] = []

    def decide(_command: Any, world: World, _context: Context) -> None:
        asked.append(len(world.schedule("nightly").jobs))
        assert world.schedule("nightly").jobs[0].job.id == "load"

    spec = CommandSpec(name="Peek", command=AnswerDue, streams=lambda *_: [stream], decide=decide, internal=True)
    outcome = await other.dispatcher.dispatch(spec, tick(), other.context)
    assert not outcome.decided
    assert asked == [0, 1]


async def test_a_rule_that_breaks_on_states_as_they_are_is_broken() -> None:
    _, caller = await ready(schedule())

    def decide(_command: Any, world: World, _context: Context) -> None:
        _ = world.schedule("nightly").jobs[1]

    streams = [StreamId("acme", "schedule:nightly")]
    spec = CommandSpec(name="Peek", command=AnswerDue, streams=lambda *_: streams, decide=decide, internal=True)
    with pytest.raises(IndexError):
        await caller.dispatcher.dispatch(spec, tick(), caller.context)
