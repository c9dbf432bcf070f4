"""A real Chromium in front of a real server; each test ends with a look at what the browser complained of."""

import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, async_playwright, expect

from eventjobs.web.pages import load_pages
from tests.api.postgres_rig import on_postgres
from tests.api.rig import Rig, schedule, with_workspace

Open = Callable[..., Awaitable[Page]]
"""Opens a page of the dashboard: by its address behind the `#`, with a key or (`None`) with none."""

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first has no windows to draw, and takes half of the others' time for the same pages."""
PATIENCE_MS = 20_000
"""How long a page may take on a machine that does much else."""
REFUSED_TRIAL = re.compile(r"Failed to load resource: .* (409|412|422) ")
TRIAL = re.compile(r"dry_run=true|/plans/")
ON_REPORT = "addEventListener('securitypolicyviolation', (one) => console.error(`CSP: ${one.violatedDirective}`))"


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium."""
    found = os.environ.get("EVENTJOBS_TEST_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("there is no Chromium here: .ci/browser installs Debian's")
    return found


@pytest.fixture(scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            yield running
        finally:
            await running.close()


@pytest.fixture(scope="module")
async def served(database_url: str) -> AsyncIterator[Rig]:
    """A server with a workspace in which there is something on every page."""
    async with on_postgres(database_url, pages=load_pages()) as rig:
        await with_workspace(rig)
        await rig.command("CreateSchedule", schedule(description="Contacts, every night"))
        for job in ("contacts", "orders"):
            body = {"id": job, "kind": "import", "name": job.capitalize(), "handler": "noop", "expires_on": "never"}
            assert (await rig.command("SaveJob", body)).status == 201
            assert (await rig.command("ActivateJob", {"id": job})).status == 201
        group = {"id": "lists", "name": "Nightly lists", "jobs": ["contacts", "orders"]}
        assert (await rig.command("CreateGroup", {**group, "schedule": {"type": "on_demand"}})).status == 201
        ran = await rig.command("RunNow", {"owner": {"kind": "service", "id": "load"}, "id": "first-run"})
        assert ran.status == 201
        yield rig


class Complaints:
    """What must not be: errors, breaches of the policy, requests to elsewhere."""

    def __init__(self, own: str) -> None:
        self._own = own
        self.found: list[str] = []

    async def hear(self, context: BrowserContext) -> None:
        await context.add_init_script(ON_REPORT)
        context.on("console", self._console)
        context.on("request", self._request)
        context.on("weberror", lambda broken: self.found.append(f"broke: {broken.error}"))

    def _console(self, message: ConsoleMessage) -> None:
        """A dry run or a plan that is refused is an answer that a form shows; that the browser notes it is no fault."""
        if REFUSED_TRIAL.match(message.text) and TRIAL.search(message.location["url"]):
            return
        if message.type in ("error", "warning"):
            self.found.append(f"{message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith(f"{self._own}/"):
            self.found.append(f"asked elsewhere: {request.url}")


@pytest.fixture
def complaints(served: Rig) -> Complaints:
    return Complaints(served.url)


@pytest.fixture
async def context(browser: Browser, complaints: Complaints) -> AsyncIterator[BrowserContext]:
    """A browser of its own for each test, about which there is nothing to complain in the end."""
    own = await browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    own.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    await complaints.hear(own)
    try:
        yield own
    finally:
        await own.close()
    assert complaints.found == []


@pytest.fixture
def opened(context: BrowserContext, served: Rig) -> Open:
    """Opens pages of the dashboard, signed in before: once, as who signs in again ends the former session."""
    present: list[str] = []

    async def open_page(address: str, *, key: str | None = "", wait_for: str = "h1") -> Page:
        page = await context.new_page()
        if key is not None and present != [key]:
            await sign_in(context, served, key)
            present[:] = [key]
        await seen(served, "/v1/acme/services")
        await page.goto(f"{served.url}/#/acme/{address}")
        await page.wait_for_selector(wait_for)
        await page.wait_for_selector(".loading", state="detached")
        return page

    return open_page


async def sign_in(context: BrowserContext, served: Rig, key: str = "") -> None:
    """Sign in as the page does, without filling in its form."""
    signed = await context.request.post(
        f"{served.url}/v1/me/session", data={"key": key or served.key}, headers={"Origin": served.url}
    )
    assert signed.status == 201, await signed.text()


async def seen(served: Rig, path: str) -> Any:
    """Return what the API shows of everything that was done so far."""
    answered = await served.get(f"{path}?wait_for={served.log.known_head.position}")
    assert answered.status == 200, answered.body
    return answered.json
