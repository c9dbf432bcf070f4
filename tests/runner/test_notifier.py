"""
The outbox against real servers that drop, delay, refuse and lie (P20).

Time goes forty times as fast: what waits five seconds waits an eighth of one here.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest

from eventjobs.channels.email import EmailChannel, SmtpServer
from eventjobs.channels.message import Channel, Delivery, Message
from eventjobs.channels.webhook import WebhookChannel
from eventjobs.commands.context import Limits
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.commands.reporting import report_to
from eventjobs.commands.world import Loaded, World
from eventjobs.domain.notification import TRY_S, Notification, Progress
from eventjobs.domain.notification_policy import Recipients
from eventjobs.domain.report import ExpiryReport
from eventjobs.domain.streams import FOLDS, notification_stream
from eventjobs.events.notification import NotificationRequested
from eventjobs.events.recorded import Provenance, StreamId
from eventjobs.events.run import Ref
from eventjobs.log.memory import MemoryEventLog
from eventjobs.log.port import Append
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.outbound.guarded import GuardedOutbound
from eventjobs.outbound.secrets import SecretStore
from eventjobs.projections import notifications
from eventjobs.projections.outbox import DueNotification
from eventjobs.runner.notifier import AT_ONCE, OF_WORKSPACE, Notifier
from eventjobs.runner.surroundings import InstanceSurroundings
from eventjobs.simulation.views import MemoryViews
from eventjobs.telemetry.metrics import Metrics
from eventjobs.telemetry.redaction import KnownSecrets
from eventjobs.telemetry.tasks import Tasks
from tests.channels.sinks import HttpSink, MailSink
from tests.runner.plant import Dead, SwitchedLease
from tests.support.logs import facts_of, memory_log
from tests.support.ports import CountingIds, FakeCatalog, FixedRandom
from tests.support.reports import RUN, job, run_report
from tests.support.story import WORKSPACE, Story
from tests.support.waiting import eventually

FASTER = 40
STARTED = datetime(2026, 12, 1, 12, tzinfo=UTC)
STEP_S = 0.25
SENT_BY = Provenance(actor="system", command_id="00000000-0000-7000-8000-000000000001")
MAIL_FAULTS = ["later", "never", "drop", "refuse", "lie", "lose", "hang"]
HTTP_FAULTS = [302, 400, 429, 500, "lie", "lose", "hang"]


class FastClock:
    """Time that goes faster than the loop's."""

    def __init__(self) -> None:
        self._began = asyncio.get_running_loop().time()
        self.faster = FASTER
        self.ahead_s = 0.0

    def now(self) -> datetime:
        return STARTED + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return self.ahead_s + (asyncio.get_running_loop().time() - self._began) * self.faster

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.faster)


class MemoryOutbox:
    """The view of messages, always at the log's head; the turns of workspaces are the query's."""

    def __init__(self, log: MemoryEventLog) -> None:
        self._log = log
        self._views = MemoryViews((notifications.PROJECTION,))

    async def due(self, until: datetime, each: int, limit: int) -> Sequence[DueNotification]:
        await self._views.follow(self._log)
        rows = [row for row in self._views.rows(notifications.NOTIFICATIONS) if row["next_at"] is not None]
        found, of_each = [], Counter[tuple[str, str]]()
        for row in sorted(rows, key=lambda row: row["next_at"]):
            of_each[row["channel"], row["recipient"]] += 1
            if row["next_at"] <= until and of_each[row["channel"], row["recipient"]] <= each:
                found.append(DueNotification(**{name: row[name] for name in DueNotification.__slots__}))
        return found[:limit]


class Post:
    """A log with wanted messages, and the instances that send them."""

    def __init__(self, channels: dict[str, Channel]) -> None:
        self.limits = Limits()
        self.secrets = KnownSecrets()
        self.public_url: str | None = None
        self.clock = FastClock()
        self.log = memory_log(self.clock)
        self.ids = CountingIds()
        self.channels = channels
        self.outbox = MemoryOutbox(self.log)
        self.tasks: dict[str, Tasks] = {}
        self.dispatchers: dict[str, Dispatcher] = {}
        self.wanted: list[str] = []

    def start(self, name: str) -> Notifier:
        tasks = self.tasks[name] = Tasks()
        dispatcher = self.dispatchers[name] = Dispatcher(self.log)
        surroundings = InstanceSurroundings(
            instance=name,
            clock=self.clock,
            ids=self.ids,
            random=FixedRandom(),
            catalog=FakeCatalog(),
            limits=self.limits,
        )
        notifier = Notifier(
            dispatcher,
            surroundings,
            self.clock,
            SwitchedLease(),
            tasks,
            metrics=Metrics(),
            outbox=self.outbox,
            channels=self.channels,
            secrets=self.secrets,
            public_url=self.public_url,
        )
        _ = tasks.start(notifier.send_for_ever(), name=f"notifier {name}")
        return notifier

    async def kill(self, name: str) -> None:
        self.dispatchers[name].log = cast(Any, Dead())
        await self.tasks[name].cancel_all()

    async def stop(self) -> None:
        for tasks in self.tasks.values():
            await tasks.cancel_all()

    async def want(self, name: str, channel: str, recipient: str, workspace: str = WORKSPACE) -> None:
        event = NotificationRequested(
            kind="alert.raised",
            channel=channel,
            recipient=recipient,
            signed_with="secret://hook" if channel == "webhook" else None,
            subject=Ref(kind="schedule", id="nightly"),
            about={"alert": "late", "since": "2026-12-01T20:00:00Z"},
        )
        stream = notification_stream(workspace, name)
        await self.log.append(Append(events=[(stream, event)], expected={stream: 0}, provenance=SENT_BY))
        self.wanted.append(name)

    def state(self, name: str) -> Notification:
        fold = FOLDS["notification"]
        state = fold.initial
        for fact in facts_of(self.log):
            state = fold.evolve(state, fact.event) if fact.stream.name == f"notification:{name}" else state
        return cast(Notification, state)

    def over(self) -> bool:
        return all(self.state(name).over for name in self.wanted)

    def facts(self, type_: str) -> list[tuple[StreamId, Any]]:
        return [(fact.stream, fact.event) for fact in facts_of(self.log) if fact.type == type_]


@pytest.fixture
async def mail() -> AsyncIterator[MailSink]:
    sink = await MailSink().open()
    yield sink
    await sink.close()


@pytest.fixture
async def hooks() -> AsyncIterator[HttpSink]:
    sink = await HttpSink().open()
    yield sink
    await sink.close()


@pytest.fixture
def step_s(request: pytest.FixtureRequest) -> float:
    return float(getattr(request, "param", STEP_S))


@pytest.fixture
async def post(mail: MailSink, hooks: HttpSink, tmp_path: Path, step_s: float) -> AsyncIterator[Post]:
    assert hooks.url
    (tmp_path / WORKSPACE).mkdir()
    (tmp_path / WORKSPACE / "hook").write_text("a signing key")
    clock = FastClock()
    server = SmtpServer.of(f"smtp://127.0.0.1:{mail.port}")
    outbound = GuardedOutbound(OutboundRules.parse(["127.0.0.1"]))
    post = Post(
        {
            "email": EmailChannel(server, "jobs@example.org", "0badcafe", clock, step_s=step_s),
            "webhook": WebhookChannel(outbound, SecretStore([tmp_path]), clock, total_s=step_s),
        }
    )
    yield post
    await post.stop()


@pytest.mark.parametrize("step_s", [10.0], indirect=True)
async def test_P20_in_the_calm_two_instances_send_each_message_once(
    post: Post, mail: MailSink, hooks: HttpSink
) -> None:
    post.clock.faster = 4  # a machine that is busy must not make a try seem lost
    post.start("one")
    post.start("two")
    for n in range(10):
        await post.want(f"m{n}", "email", f"a{n}@example.org")
        await post.want(f"w{n}", "webhook", f"{hooks.url}/w{n}")
    await eventually(post.over)

    assert sorted(one.recipients[0] for one in mail.mails) == [f"a{n}@example.org" for n in range(10)]
    assert sorted(call.path for call in hooks.calls) == [f"/w{n}" for n in range(10)]
    assert len(post.facts("notification.attempted")) == len(post.facts("notification.sent")) == 20


async def test_P20_nothing_is_lost_and_every_copy_is_accounted_for(post: Post, mail: MailSink, hooks: HttpSink) -> None:
    """Each message meets up to two faults, and then a server that is well."""
    random = Random(20)
    for n in range(20):
        mail.plans[f"a{n}@example.org"] = random.choices(MAIL_FAULTS, k=random.choice((1, 2)))
        hooks.plans[f"/w{n}"] = random.choices(HTTP_FAULTS, k=random.choice((1, 2)))
    post.start("one")
    post.start("two")
    for n in range(20):
        await post.want(f"m{n}", "email", f"a{n}@example.org")
        await post.want(f"w{n}", "webhook", f"{hooks.url}/w{n}")
    await eventually(post.over, 60)

    states = {name: post.state(name) for name in post.wanted}
    assert {state.state for state in states.values()} == {Progress.SENT}
    mails = Counter(one.id for one in mail.mails)
    assert set(mails) == {f"<m{n}.0badcafe@example.org>" for n in range(20)}
    calls = Counter(call.id for call in hooks.taken)
    assert set(calls) == {f"msg_w{n}" for n in range(20)}
    copies = {**{f"m{n}": mails[f"<m{n}.0badcafe@example.org>"] for n in range(20)},
              **{f"w{n}": calls[f"msg_w{n}"] for n in range(20)}}  # fmt: skip
    assert all(1 <= copies[name] <= 1 + states[name].ambiguous for name in copies)
    assert sum(copies.values()) > len(copies), "a server that lied was met"
    assert any(state.ambiguous and copies[name] == 1 for name, state in states.items()), "and one that lost a mail"


async def test_P20_what_a_killed_instance_was_sending_is_sent_by_another_under_the_same_id(
    post: Post, mail: MailSink
) -> None:
    """The first hands the mail over and dies before it can say so."""
    mail.plans["a@example.org"] = ["hang"]
    post.clock.faster = 4
    post.start("one")
    await post.want("m", "email", "a@example.org")
    await eventually(lambda: not mail.plans["a@example.org"])
    await post.kill("one")

    post.clock.ahead_s = TRY_S
    post.start("two")
    await eventually(post.over)
    state = post.state("m")
    assert (state.state, state.attempt, state.ambiguous) == (Progress.SENT, 2, 1)
    assert [event.reason for _, event in post.facts("notification.failed")] == ["interrupted"]
    assert [one.id for one in mail.mails] == ["<m.0badcafe@example.org>"]


async def test_who_does_not_answer_keeps_nobody_else_waiting(post: Post, hooks: HttpSink) -> None:
    hooks.plans["/dead"] = ["hang"] * 100
    post.start("one")
    for n in range(10):
        await post.want(f"d{n}", "webhook", f"{hooks.url}/dead")
    await post.want("w", "webhook", f"{hooks.url}/alive")

    await eventually(lambda: post.state("w").state is Progress.SENT)
    assert not any(post.state(f"d{n}").over for n in range(10))


async def test_G71_a_report_arrives_once_at_each_recipient_with_a_link_and_without_secrets(
    post: Post, mail: MailSink
) -> None:
    post.secrets.add("swordfish-and-chips")
    post.public_url = "https://jobs.example.org"
    world = World(WORKSPACE, {}, lambda stream: Loaded(0, FOLDS[stream.kind].initial, 0))
    leaked = [job("contacts", "failed", detail="no login with swordfish-and-chips")]
    recipients = [f"a{n}@example.org" for n in range(20)]
    report_to(world, Story().context, Recipients(email=tuple(recipients)), run_report(jobs=leaked))
    await post.log.append(Append(events=world.emitted, expected=world.expected(), provenance=SENT_BY))
    post.wanted = [stream.id for stream, _ in world.emitted]

    post.start("one")
    await eventually(lambda: len(mail.mails) == 20)
    assert sorted(one.recipients[0] for one in mail.mails) == sorted(recipients)
    for kind in ("plain", "html"):
        part = mail.mails[0].parsed.get_body((kind,))
        assert part is not None
        assert "no login with [secret]" in part.get_content()
        assert f"https://jobs.example.org/v1/acme/runs/{RUN}" in part.get_content()
    assert not any(b"swordfish" in one.raw for one in mail.mails)


@pytest.mark.parametrize(("kind", "place"), [("group", "groups/contacts"), ("import", "jobs/contacts")])
async def test_what_is_about_no_run_leads_to_its_owner(post: Post, mail: MailSink, kind: str, place: str) -> None:
    post.public_url = "https://jobs.example.org"
    world = World(WORKSPACE, {}, lambda stream: Loaded(0, FOLDS[stream.kind].initial, 0))
    expiring = ExpiryReport(owner=Ref(kind=kind, id="contacts"), name="", at=STARTED, expires_on="2026-12-31")
    report_to(world, Story().context, Recipients(email=("ops@example.org",)), expiring)
    await post.log.append(Append(events=world.emitted, expected=world.expected(), provenance=SENT_BY))

    post.start("one")
    await eventually(lambda: mail.mails)
    part = mail.mails[0].parsed.get_body(("plain",))
    assert part is not None
    assert f"https://jobs.example.org/v1/acme/{place}" in part.get_content().splitlines()


async def test_REL82_a_workspace_whose_receivers_all_hang_keeps_no_other_one_waiting(
    post: Post, mail: MailSink, hooks: HttpSink
) -> None:
    """More receivers hang, and for longer, than the whole outbox has places."""
    for n in range(AT_ONCE + 20):
        hooks.plans[f"/dead{n}"] = ["hang"] * 20
        await post.want(f"d{n}", "webhook", f"{hooks.url}/dead{n}")
    post.clock.faster = 4  # so that each try hangs until the end of this test, however soon it begins again
    post.start("one")
    await eventually(lambda: len(hooks.calls) >= OF_WORKSPACE)
    await post.want("m", "email", "alive@example.org", workspace="other")

    await eventually(lambda: post.state("m").state is Progress.SENT)
    assert len(hooks.calls) < AT_ONCE
    assert len(mail.mails) == 1


async def test_REL89_of_a_flood_a_few_mails_arrive_and_one_that_counts_the_others(post: Post, mail: MailSink) -> None:
    post.limits = Limits(alert_mails_per_hour=3)
    post.start("one")
    for n in range(10):
        await post.want(f"m{n}", "email", "ops@example.org")
    await eventually(post.over)
    assert Counter(post.state(name).state for name in post.wanted) == {Progress.SENT: 3, Progress.SUPPRESSED: 7}
    assert len(mail.mails) == 3

    post.clock.ahead_s = 3_600
    await eventually(lambda: len(mail.mails) == 4)
    digest = mail.mails[-1].parsed
    assert digest["Subject"] == "[eventjobs] workspace acme raised too many alerts: 7 suppressed (acme)"
    for kind in ("plain", "html"):
        part = digest.get_body((kind,))
        assert part is not None
        assert "schedule nightly" in part.get_content()


async def test_who_is_gone_is_given_up(post: Post, hooks: HttpSink) -> None:
    hooks.plans["/gone"] = [410]
    post.start("one")
    await post.want("w", "webhook", f"{hooks.url}/gone")
    await eventually(post.over)

    assert post.state("w").state is Progress.GIVEN_UP
    assert [stream.name for stream, _ in post.facts("alert.recipient_disabled")] == ["alert:nightly"]


class Broken:
    """A channel that breaks."""

    async def send(self, message: Message) -> Delivery:
        raise ZeroDivisionError(message.id)


async def test_a_channel_that_is_not_there_or_breaks_costs_a_try_and_nothing_else() -> None:
    post = Post({"webhook": Broken()})
    post.start("one")
    await post.want("m", "email", "a@example.org")
    await post.want("w", "webhook", "https://x.test/")
    try:
        await eventually(lambda: len({stream for stream, _ in post.facts("notification.failed")}) == 2)
    finally:
        await post.stop()
    reasons = {stream.id: (event.reason, event.ambiguous) for stream, event in post.facts("notification.failed")}
    assert reasons == {"m": ("not_configured", False), "w": ("broke", True)}


async def test_a_stop_lets_a_try_end(post: Post, mail: MailSink) -> None:
    notifier = post.start("one")
    await post.want("m", "email", "a@example.org")
    await eventually(lambda: post.facts("notification.attempted"))
    await notifier.drain()
    await post.kill("one")

    assert post.state("m").state is Progress.SENT
    assert len(mail.mails) == 1
