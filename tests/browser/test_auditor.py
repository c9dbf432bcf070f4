"""An auditor looks at the past, at proofs and at one run."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, Request, Route, expect

from eventjobs.audit.findings import Finding, Found, Kind
from eventjobs.commands.answer_due import SPEC, AnswerDue
from eventjobs.commands.context import Context
from eventjobs.events.recorded import Event, Provenance, StreamId
from eventjobs.events.run import AttemptEnded, AttemptProgressed, AttemptStarted, JobRunEnded
from eventjobs.log.port import Append, Filter
from eventjobs.web.pages import load_pages
from tests.api.postgres_rig import on_postgres
from tests.api.rig import Rig, ShiftedClock, schedule, with_workspace
from tests.browser.conftest import Open
from tests.browser.test_dashboard import serious

HOURS = 5
"""How long the workspace is old. A log's time never goes back, so it is now that is ahead, for server and browser."""
DRAG = """(slider, to) => {
    for (let step = 20; step >= 0; step--) {
        slider.value = to + step * 60_000;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
    }
}"""
MOMENT = re.compile(r"as_of=[^&]+")


@dataclass
class Line:
    line: int
    at: datetime
    level: str
    text: str
    fields: dict[str, Any]


class Life:
    """A workspace over five hours, told in a moment."""

    def __init__(self, rig: Rig, clock: ShiftedClock) -> None:
        self.rig = rig
        self.clock = clock
        self.due = clock.now() + timedelta(hours=1)

    def at(self, *, hours_ago: float) -> None:
        self.clock.ahead = timedelta(hours=HOURS - hours_ago)

    def ago(self, hours: float) -> datetime:
        return self.clock.now() - timedelta(hours=hours)

    def typed(self, hours: float) -> str:
        """An instant as somebody types it, by the clock of the browser."""
        return f"{self.ago(hours).astimezone():%Y-%m-%dT%H:%M:%S}"

    def shared(self, hours: float) -> str:
        """An instant as addresses have it."""
        return f"{self.ago(hours).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

    def dragged(self, hours: float) -> str:
        """An instant as the slider has it."""
        return str(int(self.ago(hours).timestamp() * 1000))

    async def facts(self, stream: StreamId, *events: Event) -> None:
        matching = Filter(workspace=stream.workspace, stream=stream.name)
        version = len(await self.rig.log.read(0, 1000, matching=matching))
        append = Append(
            events=[(stream, event) for event in events],
            expected={stream: version},
            provenance=Provenance(actor="instance:0123456789abcdef", command_id="by-hand"),
        )
        await self.rig.log.append(append)

    async def answer_due(self, schedule_id: str) -> str:
        """Answer what is due of a schedule, as an instance does; return the run."""
        deps = self.rig.deps
        context = Context(
            workspace="acme",
            now=deps.clock.now(),
            actor="instance:0123456789abcdef",
            command_id=deps.ids.new(),
            ids=deps.ids,
            random=deps.random,
            instance=deps.instance,
            catalog=deps.catalog,
            limits=deps.limits,
        )
        head = self.rig.log.known_head.position
        await deps.dispatcher.dispatch(SPEC, AnswerDue(kind="schedule", id=schedule_id, begin=True), context)
        (opened,) = [fact for fact in await self.rig.log.read(head, 100) if fact.type == "run.opened"]
        return opened.stream.id


@pytest.fixture(scope="module")
async def life(database_url: str) -> AsyncIterator[Life]:
    """A server with a past: a schedule that ran, was described anew, and is watched."""
    clock = ShiftedClock()
    found: list[Found] = []

    async def what_was_found() -> Found | None:
        return found[0]

    async with on_postgres(database_url, clock=clock, pages=load_pages(), found=what_was_found) as rig:
        life = Life(rig, clock)
        await with_workspace(rig)
        for service in ("send", "tell"):
            assert (await rig.command("AddService", {"id": service, "handler": "noop"})).status == 201
        cadence = {
            "start_date": f"{life.due:%Y-%m-%d}",
            "start_time": f"{life.due:%H:%M}",
            "time_zone": "UTC",
            "every": 1,
            "unit": "day",
        }
        jobs = [
            {"job": {"kind": "service", "id": "load"}, "seq": 1},
            {"job": {"kind": "service", "id": "send"}, "seq": 2},
            {"job": {"kind": "service", "id": "tell"}, "seq": 1, "skip_wait": True},
        ]
        made = schedule(description="Old words", cadence=cadence, jobs=jobs, active=True)
        assert (await rig.command("CreateSchedule", made)).status == 201
        life.at(hours_ago=4)
        await _ran(life)
        life.at(hours_ago=2)
        assert (await rig.command("DescribeSchedule", {"id": "nightly", "description": "New words"})).status == 201
        life.at(hours_ago=0)
        found.append(_found())
        yield life


def _found() -> Found:
    """An audit with one finding here and one elsewhere."""
    findings = tuple(
        Finding(Kind.LATE, 7, datetime.now(UTC), StreamId(workspace, "schedule:nightly"), None, "it came too late")
        for workspace in ("acme", "other")
    )
    kinds = {Kind.LATE: 2}
    return Found(position=9, at=None, found=2, kinds=kinds, occurrences={"ran": 3}, steps=4, findings=findings)


async def _ran(life: Life) -> None:
    """The run of the schedule's first moment: a second try, a job that waits for it, and one that still runs."""
    run = await life.answer_due("nightly")
    stream, lines = StreamId("acme", f"run:{run}"), life.rig.deps.log_lines
    text = [Line(n, life.clock.now(), "info", f"line {n} of the load", {"n": n}) for n in range(1, 31)]
    await lines.write("acme", run, 1, 1, text)  # type: ignore[attr-defined]
    life.clock.ahead += timedelta(minutes=2)
    ended = {"term": 1, "counts": {}, "log_lines": 30, "log_sha256": sha256(b"").hexdigest()}
    retry = {"reason": "error", "detail": "the server said 500", "retry_at": life.clock.now()}
    await life.facts(stream, AttemptEnded(row=1, attempt=1, state="failed", **retry, **ended))
    life.clock.ahead += timedelta(minutes=1)
    await life.facts(stream, AttemptStarted(row=1, attempt=2, term=1))
    life.clock.ahead += timedelta(minutes=3)
    counts = {"processed": 40, "added": 38, "rejected": 2}
    output = {"rejects_file": "rejects/nightly-1.csv", "rejected_lines": [3, 17]}
    await life.facts(
        stream,
        AttemptEnded(row=1, attempt=2, state="succeeded", **{**ended, "counts": counts}),
        JobRunEnded(row=1, state="succeeded", counts=counts, output=output),
    )
    life.clock.ahead += timedelta(minutes=1)
    half = AttemptProgressed(row=2, attempt=1, fraction=0.25, text="a quarter is sent", counts={})
    await life.facts(stream, AttemptStarted(row=2, attempt=1, term=1), half)


@pytest.fixture(scope="module")
def served(life: Life) -> Rig:
    return life.rig


@pytest.fixture(autouse=True)
async def _now(context: BrowserContext, life: Life) -> None:
    await context.clock.install(time=life.clock.now())


async def the_run(served: Rig) -> str:
    head = served.log.known_head.position
    return (await served.get(f"/v1/acme/runs?limit=1&wait_for={head}")).json["items"][0]["id"]


def asked_as_of(page: Page, path: str) -> list[str]:
    """Collect the moments that the page asks a path for."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if path in request.url and MOMENT.search(request.url):
            asked.append(request.url)

    page.on("request", note)
    return asked


async def test_a_page_is_what_it_was_at_the_moment_that_the_slider_shows(opened: Open, life: Life) -> None:
    page = await opened("jobs?tab=workspace")
    row = page.get_by_role("row").filter(has_text="words")
    await expect(row).to_contain_text("New words")
    await page.get_by_role("button", name="Look at the past").press("Enter")
    slider = page.get_by_role("slider", name="Moment")
    await expect(slider).to_have_attribute("aria-valuetext", "now")

    await slider.fill(life.dragged(3))
    await expect(row).to_contain_text("Old words")
    await expect(page.get_by_role("status").filter(has_text="You are looking at the past")).to_contain_text("UTC")
    await expect(page.get_by_text("Past", exact=True)).to_be_visible()

    run_now = page.get_by_role("button", name="Run now: Old words")
    await expect(run_now).to_be_disabled()
    await run_now.press("Enter")
    await expect(page.get_by_text("Run now is not possible: this is the past")).to_be_visible()
    await page.get_by_role("button", name="More about Old words").press("Enter")
    await expect(page.get_by_role("menuitem", name="Pause")).to_contain_text("this is the past")


async def test_the_link_to_a_moment_leads_others_there_and_nothing_happens_in_it(
    opened: Open, served: Rig, life: Life
) -> None:
    page = await opened(f"jobs?tab=workspace&as_of={life.shared(3)}")
    row = page.get_by_role("row").filter(has_text="words")
    await expect(row).to_contain_text("Old words")
    await served.command("CreateSchedule", schedule("later", description="Made meanwhile"))

    await page.get_by_role("button", name="Forward one hour").press("Enter")
    await page.get_by_role("button", name="Forward one hour").press("Enter")
    await expect(row).to_contain_text("New words")
    await expect(page.get_by_text("Made meanwhile")).to_have_count(0)
    await page.get_by_role("button", name="Back to now").press("Enter")
    await expect(page.get_by_text("Made meanwhile")).to_be_visible()
    assert not MOMENT.search(page.url)
    await served.command("DeleteSchedule", {"id": "later"})


async def test_the_moment_is_kept_from_page_to_page_and_moved_from_fact_to_fact(opened: Open, life: Life) -> None:
    page = await opened(f"jobs?as_of={life.shared(3)}")
    await page.get_by_label("Date and time").fill(life.typed(4.5))
    await page.keyboard.press("Tab")
    await expect(page).to_have_url(re.compile(re.escape(life.shared(4.5)[:13])))
    await page.get_by_role("link", name="History").click()
    await expect(page.get_by_text("Schedule nightly was created")).to_be_visible()
    await expect(page.get_by_text("New words")).to_have_count(0)

    newest = page.locator(".events .position").first
    last = await newest.inner_text()
    await page.get_by_role("button", name="Before the last fact").press("Enter")
    await expect(newest).not_to_have_text(last)
    await page.get_by_role("button", name="After the next fact").press("Enter")
    await expect(newest).to_have_text(last)


async def test_the_past_is_for_everybody_in_light_and_in_dark(opened: Open, life: Life) -> None:
    page = await opened(f"jobs?tab=workspace&as_of={life.shared(3)}")
    wrong: Sequence[str] = []
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await expect(page.get_by_role("row").filter(has_text="Old words")).to_be_visible()
        wrong = [*wrong, *await serious(page, f"the past, {scheme}")]
        await page.get_by_role("button", name="More about Old words").press("Enter")
        await page.get_by_role("menuitem", name="Why").click()
        await expect(page.get_by_role("dialog")).to_contain_text("not due")
        wrong = [*wrong, *await serious(page, f"why, {scheme}")]
        await page.keyboard.press("Escape")
    for width in (390, 2560):
        await page.set_viewport_size({"width": width, "height": 900})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert wrong == []


async def test_dragging_asks_seldom_and_the_last_answer_wins(opened: Open, life: Life) -> None:
    page = await opened("jobs?tab=workspace")
    await page.get_by_role("button", name="Look at the past").press("Enter")
    slider = page.get_by_role("slider", name="Moment")
    asked = asked_as_of(page, "jobs-page")
    held: list[Route] = []

    async def hold(route: Route) -> None:
        held.append(route)
        if len(held) > 1:
            await route.continue_()

    await page.route(re.compile(r"jobs-page.*as_of"), hold)
    await slider.fill(life.dragged(1))
    await expect(page.locator("main")).to_have_attribute("aria-busy", "true")
    await slider.evaluate(DRAG, int(life.dragged(3)))

    await expect(page.get_by_role("row").filter(has_text="words")).to_contain_text("Old words")
    await expect(page.locator("main")).to_have_attribute("aria-busy", "false")
    assert len(asked) == 2
    await page.unroute_all(behavior="ignoreErrors")


async def test_the_log_is_verified_in_one_click_and_filtered(opened: Open, served: Rig, life: Life) -> None:
    page = await opened("history")
    head = (await served.log.head()).position
    await page.get_by_role("button", name="Verify").press("Enter")
    await expect(page.get_by_text(re.compile(rf"Verified: {head} events, each as it was written"))).to_be_visible()
    await expect(page.get_by_label("The chain's value")).to_have_text((await served.log.head()).chain.hex())
    proof = page.get_by_role("region", name="Proof")
    await expect(proof).to_contain_text("2 findings: 2 late")
    await expect(proof).to_contain_text("schedule:nightly it came too late")
    await expect(proof).to_contain_text("Not shown: 1 finding about other workspaces")

    await page.get_by_label("Owner or stream").fill("schedule/nightly")
    await page.get_by_label("Event type").fill("schedule.created, schedule.described")
    await page.keyboard.press("Tab")
    entries = page.locator(".events > li")
    await expect(entries).to_have_count(2)
    await page.get_by_label("To (your time)").fill(life.typed(3))
    await page.keyboard.press("Tab")
    await expect(entries).to_have_count(1)
    await expect(entries).to_contain_text("was created")
    await page.get_by_label("From (your time)").fill(life.typed(4))
    await page.keyboard.press("Tab")
    await expect(page.get_by_text("Nothing here matches")).to_be_visible()
    await page.get_by_role("button", name="Clear").click()
    await page.get_by_role("search").get_by_label("Workspace").select_option("All, and the deployment")
    await expect(page.get_by_text("deployment", exact=True).first).to_be_visible()
    await page.get_by_label("Actor").fill("instance:0123456789abcdef")
    await page.keyboard.press("Tab")
    await expect(page.get_by_text("a quarter is sent").first).to_be_visible()
    await expect(page.get_by_text("deployment", exact=True)).to_have_count(0)


async def test_why_is_asked_from_a_row_and_its_facts_lead_to_the_history(opened: Open, life: Life) -> None:
    page = await opened("jobs?tab=workspace")
    await page.get_by_role("button", name=re.compile("More about .* words")).press("Enter")
    await page.get_by_role("menuitem", name="Why").click()
    panel = page.get_by_role("dialog", name=re.compile("Why did"))
    await expect(panel).to_contain_text("not due")

    await panel.get_by_label("At this instant").fill(f"{life.due.astimezone():%Y-%m-%dT%H:%M}:30")
    await expect(panel).to_contain_text("The occurrence of schedule nightly due")
    await expect(panel.get_by_text("running", exact=True)).to_be_visible()
    await expect(page).to_have_url(re.compile(r"why=schedule%2Fnightly&at="))
    await page.reload()
    fact = panel.get_by_role("listitem").filter(has_text="Answer")
    await fact.get_by_role("link").press("Enter")

    await expect(page).to_have_url(re.compile(r"history\?position=\d+"))
    marked = page.locator(".events > .marked")
    await expect(marked.locator("pre")).to_contain_text('"type": "schedule.run_opened"')
    await page.get_by_role("button", name="Show the newest").press("Enter")
    await expect(page.get_by_text("New words").first).to_be_visible()


async def test_a_run_shows_where_it_waited_and_worked_and_which_moment_it_answers(opened: Open, served: Rig) -> None:
    page = await opened(f"runs/{await the_run(served)}")
    moment = page.get_by_role("region", name="The moment that it answers")
    await expect(moment).to_contain_text("version 1")
    await expect(moment).to_contain_text(re.compile("Late by.*(s|nothing)"))
    load = page.locator(".lane").filter(has_text="load").first
    await expect(load.get_by_role("img", name="Attempt 1: failed, 2 min 0 s, the server said 500")).to_be_visible()
    await expect(load.get_by_role("img", name="Waited 1 min 0 s: before it was tried again")).to_be_visible()
    await expect(load).to_contain_text("Rejected lines 3, 17; each with its reason in rejects/nightly-1.csv")
    send = page.locator(".lane").filter(has_text="a quarter is sent")
    await expect(send.get_by_role("img", name="Waited 1 min 0 s: for its turn")).to_be_visible()
    await expect(page.get_by_role("button", name="Stop after what runs now")).to_be_enabled()

    served.deps.progress.publish(
        "acme",
        {"run": await the_run(served), "row": 2, "attempt": 1, "fraction": 0.5, "text": "half", "counts": {"sent": 7}},
    )
    await expect(page.locator(".lane").filter(has_text="half")).to_contain_text("7 sent")

    await page.get_by_role("button", name="Why did it run?").press("Enter")
    await expect(page.get_by_role("dialog")).to_contain_text("ran at")


async def test_the_log_of_a_run_is_searched_and_read_on_from_where_it_was(opened: Open, served: Rig) -> None:
    asked: list[str] = []
    run = await the_run(served)
    page = await opened("jobs")
    page.on("request", lambda request: asked.append(request.url) if "/log?" in request.url else None)
    await page.goto(f"{served.url}/#/acme/runs/{run}")
    await expect(page.get_by_text("line 30 of the load")).to_be_visible()
    await page.get_by_label("Search the log").fill("line 17")
    await expect(page.get_by_label("Lines of the log").get_by_role("listitem")).to_have_count(1)
    await page.get_by_label("Search the log").fill("")

    more = [Line(1, datetime.now(UTC), "warning", "sent slowly", {})]
    await served.deps.log_lines.write("acme", run, 2, 1, more)  # type: ignore[attr-defined]
    await expect(page.get_by_text("sent slowly")).to_be_visible()
    assert repeated(asked) == []


def repeated(asked: Sequence[str]) -> Sequence[str]:
    """Return the requests that read lines of row 1 again, which were all read at first."""
    return [url for url in asked[1:] if "row=1" in url and "cursor=1.1.30" not in url]
