"""
Take the pictures of the documentation: every page, in light and dark, narrow and wide.

`python -m tests.browser.pictures docs/pictures`, or `make pictures`. It needs a Chromium; the data is made up, and its
past lies before the day on which this runs.
"""

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from playwright.async_api import Browser, Page, async_playwright

from eventjobs.events.recorded import Recorded
from eventjobs.web.pages import load_pages
from tests.api.postgres_rig import on_postgres
from tests.api.rig import Rig, ShiftedClock
from tests.browser.conftest import NAMES, sign_in
from tests.browser.made_up import PAST, RUN, played, write
from tests.support.database import database, server, set_up

HEIGHTS = {390: 844, 2560: 1440}
"""By width, in CSS pixels."""
SCHEMES = ("light", "dark")
PATIENCE_MS = 60_000
SETTLING_MS = 700
"""What is read beside the page, as the strips in its rows, has come by then."""

Step = Callable[[Page], Awaitable[None]]


@dataclass(frozen=True)
class Picture:
    """A page by its address behind the `#`, and what is done there before it is taken."""

    name: str
    address: str
    step: Step | None = None


async def _add_schedule(page: Page) -> None:
    await page.get_by_role("button", name="Add schedule").first.click()
    await page.get_by_label("Description").fill("Evening load")


async def _say_alerts(page: Page) -> None:
    await page.get_by_role("button", name="More about Contacts and orders").first.click()
    await page.get_by_role("menuitem", name="Alerts …").click()
    form = page.get_by_role("dialog")
    await form.get_by_label("It starts later than", exact=True).fill("10")
    await form.get_by_label("Runs failed in a row").fill("3")
    await form.get_by_label("E-mail").fill("operations@example.org")
    await form.get_by_label("Call after each success").fill("https://monitor.example.org/ping/7f3a")
    await form.get_by_text("What would be recorded").wait_for()


async def _create_group(page: Page) -> None:
    await page.get_by_role("button", name="Create group").first.click()


async def _verify(page: Page) -> None:
    await page.get_by_role("button", name="Verify").click()
    await page.get_by_text("Verified").first.wait_for()


PICTURES = (
    Picture("jobs-active", "acme/jobs?tab=active"),
    Picture("jobs-workspace", "acme/jobs?tab=workspace"),
    Picture("jobs-services", "acme/jobs?tab=services"),
    Picture("jobs-integrations", "acme/jobs?tab=integrations"),
    Picture("jobs-blackouts", "acme/jobs?tab=blackouts"),
    Picture("schedule-form", "acme/jobs?tab=workspace", _add_schedule),
    Picture("alerts-form", "acme/jobs?tab=workspace", _say_alerts),
    Picture("connect-all", "acme/connect?tab=all"),
    Picture("connect-completed", "acme/connect?tab=completed"),
    Picture("connect-groups", "acme/connect?tab=groups"),
    Picture("group-form", "acme/connect?tab=groups", _create_group),
    Picture("run", f"acme/runs/{RUN}"),
    Picture("calendar-month", "acme/calendar?zone=Europe/Berlin"),
    Picture("calendar-week", "acme/calendar?view=week&zone=Europe/Berlin"),
    Picture("calendar-load", "acme/calendar?view=load&zone=Europe/Berlin"),
    Picture("calendar-lateness", "acme/calendar?view=lateness&zone=Europe/Berlin"),
    Picture("history", "acme/history", _verify),
    Picture("members", "acme/members"),
    Picture("first-use", "fresh/jobs"),
)


async def take(folder: Path, wanted: Sequence[str], facts: Sequence[Recorded[Any]]) -> None:
    """Write the pictures that are wanted, or all, into a folder; `facts` is what happened."""
    path = os.environ.get("EVENTJOBS_TEST_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        sys.exit("There is no Chromium here: .ci/browser installs Debian's.")
    folder.mkdir(parents=True, exist_ok=True)
    clock = ShiftedClock()
    clock.ahead = -PAST - timedelta(minutes=1)
    async with server() as url, database(url, "pictures") as own:
        with patch("eventjobs.log.setup.READ_CLOCK", f"SELECT now() - interval '{PAST.days + 1} days'"):
            await set_up(own)  # or what happened before it would be told as of now
        async with on_postgres(own, pages=load_pages(), clock=clock) as rig, async_playwright() as playwright:
            await write(rig.log, clock, facts)
            await rig.post("/v1/workspaces", {"id": "fresh", "time_zone": "Europe/Berlin"})
            browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            try:
                for scheme in SCHEMES:
                    for width, height in HEIGHTS.items():
                        await _take_all(browser, rig, folder, scheme, width, height, wanted)
            finally:
                await browser.close()


async def _take_all(
    browser: Browser, rig: Rig, folder: Path, scheme: str, width: int, height: int, wanted: Sequence[str]
) -> None:
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    await sign_in(context, rig)
    for picture in PICTURES:
        if wanted and picture.name not in wanted:
            continue
        page = await context.new_page()
        await page.goto(f"{rig.url}/#/{picture.address}")
        await page.wait_for_selector("h1")
        if picture.step is not None:
            await picture.step(page)
        await page.wait_for_selector(".loading", state="detached")
        await page.wait_for_timeout(SETTLING_MS)
        file = folder / f"{picture.name}-{scheme}-{width}.png"
        await page.screenshot(path=file)
        sys.stdout.write(f"{file}\n")
        await page.close()
    await context.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.pictures", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", default=[], help="their names")
    asked = parser.parse_args()
    asyncio.run(take(asked.folder, asked.only, played(datetime.now(UTC).replace(microsecond=0))))


if __name__ == "__main__":
    main()
