"""What a browser is told about our pages and answers, and what it can be made to do from elsewhere."""

from collections.abc import AsyncIterator

import pytest

from eventjobs.api.routes import ROUTES
from eventjobs.web.pages import load_pages
from tests.api.postgres_rig import on_postgres
from tests.api.rig import Rig, schedule, started, with_workspace

PAGES = load_pages()
PREFLIGHT = {"Origin": "https://evil.test", "Access-Control-Request-Method": "POST"}


@pytest.fixture(scope="module")
async def pages() -> AsyncIterator[Rig]:
    async with started(pages=PAGES) as rig:
        yield rig


@pytest.mark.parametrize("path", sorted(PAGES))
async def test_a_page_loads_nothing_from_elsewhere_and_stands_in_no_frame(pages: Rig, path: str) -> None:
    headers = (await pages.get(path, key=None)).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))

    assert (policy["default-src"], policy["frame-ancestors"], policy["base-uri"]) == ("'none'",) * 3
    assert {policy[name] for name in ("script-src", "style-src", "connect-src", "form-action")} == {"'self'"}
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")


@pytest.mark.parametrize("path", ["/", "/v1/me", "/v1/me/session", "/v1/acme/commands/RunNow", "/v1/acme/schedules"])
async def test_other_sites_are_told_nothing_about_what_they_may_ask(pages: Rig, path: str) -> None:
    asked = await pages.call("OPTIONS", path, key=None, headers=PREFLIGHT)
    read = await pages.get(path, headers={"Origin": "https://evil.test"})

    assert asked.status == 405
    assert [name for one in (asked, read) for name in one.headers if name.startswith("Access-Control")] == []


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"])
async def test_what_a_form_can_send_is_no_command_even_from_our_own_page(pages: Rig, kind: str) -> None:
    cookie = (await pages.sign_in()).headers["Set-Cookie"].partition(";")[0]
    own = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin", "Content-Type": kind}

    sent = await pages.post("/v1/workspaces", b'{"id": "made"}', key=None, headers=own)

    assert (sent.status, sent.code) == (415, "not_json_type")


async def test_no_get_changes_anything_for_whom_a_browser_is_signed_in(database_url: str) -> None:
    async with on_postgres(database_url) as rig:
        await with_workspace(rig)
        await rig.command("CreateSchedule", schedule())
        cookie = (await rig.sign_in()).headers["Set-Cookie"].partition(";")[0]
        before = rig.log.known_head.position
        for route in ROUTES:
            if route.method == "GET" and route.name != "live":
                path = route.path.format(workspace="acme", id="nightly", stream="schedule:nightly")
                found = await rig.get(path, key=None, headers={"Cookie": cookie, "Sec-Fetch-Site": "none"})
                assert found.status < 500, (route.path, found.body)
                assert "Set-Cookie" not in found.headers

        assert (await rig.log.head()).position == before
