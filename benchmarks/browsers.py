"""How soon a page of the dashboard is usable in a real Chromium, and what it reads for that."""

import os
import shutil
import statistics
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from benchmarks.pages import KEY

OPENED = 5
"""How often each page is opened cold."""
ROW = "main table tbody tr"
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_USABLE = """async ([there, tab]) => {
  const began = tab ? performance.now() : 0;
  if (tab) document.querySelector(tab).click();
  do for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
  while (!document.querySelector(there) || document.querySelector("main .loading"));
  return performance.now() - began;
}"""
"""Milliseconds since the navigation, or since the press of a tab, until what is waited for is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A page: its address, what is there when it is usable, and the tabs that are gone through from there."""

    address: str
    there: str = ROW
    tabs: tuple[str, ...] = ()


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run a Chromium without a window."""
    found = os.environ.get("EVENTJOBS_TEST_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise RuntimeError("there is no Chromium here: .ci/browser installs Debian's")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


async def usable(url: str, pages: Mapping[str, Shown]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Return the milliseconds of each page and tab, cold ones by turns, and the paths that each page reads."""
    cold: dict[str, list[float]] = {name: [] for name in pages}
    reads: dict[str, list[str]] = {}
    tabs: dict[str, list[float]] = {}
    async with chromium() as browser:
        for _ in range(OPENED):
            for name, shown in pages.items():
                async with _signed_in(browser, url) as (context, page):
                    asked = _asked(context, url)
                    cold[name].append(await _open(page, url, shown))
                    reads.setdefault(name, asked)
                    for tab in shown.tabs:
                        took = await page.evaluate(_USABLE, [shown.there, f"#tab-{tab}"])
                        tabs.setdefault(f"{name}, to {tab}", []).append(took)
    told = {name: _told(times) for name, times in {**cold, **tabs}.items()}
    return told, {name: sorted(set(asked)) for name, asked in reads.items()}


async def _open(page: Page, url: str, shown: Shown) -> float:
    await page.goto(f"{url}/#/acme/{shown.address}", wait_until="commit")
    took: float = await page.evaluate(_USABLE, [shown.there, ""])
    return took


@asynccontextmanager
async def _signed_in(browser: Browser, url: str) -> AsyncIterator[tuple[BrowserContext, Page]]:
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        await context.request.post(f"{url}/v1/me/session", data={"key": KEY}, headers={"Origin": url})
        yield context, await context.new_page()
    finally:
        await context.close()


def _asked(context: BrowserContext, url: str) -> list[str]:
    asked: list[str] = []

    def note(request: Any) -> None:
        path = request.url.removeprefix(url)
        if request.method == "GET" and path.startswith("/v1/") and not path.endswith("/live"):
            asked.append(path)

    context.on("request", note)
    return asked


def _told(times: Sequence[float]) -> dict[str, float]:
    return {"p50_ms": round(statistics.median(times), 1), "max_ms": round(max(times), 1)}
