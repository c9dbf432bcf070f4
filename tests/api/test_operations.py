"""What operators ask, and what goes wrong below."""

import re

import pytest

from eventjobs.errors import ForkedHistory
from eventjobs.log.memory import Fault, MemoryEventLog
from eventjobs.log.port import Append
from eventjobs.web.pages import OWN_ONLY, load_pages
from tests.api.rig import Rig, started, with_workspace
from tests.support.capturing import capture_logs


class Plan:
    """What happens to the next appends; nothing by default."""

    def __init__(self) -> None:
        self.fault: Fault | None = None

    async def next(self, _: Append) -> Fault | None:
        return self.fault


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
async def test_a_healthy_instance_says_so_to_anybody(rig: Rig, path: str) -> None:
    answered = await rig.get(path, key=None)

    assert answered.status == 200
    assert (await rig.call("HEAD", path, key=None)).status == 200


async def test_an_instance_that_cannot_work_is_not_ready(rig: Rig) -> None:
    rig.deps.readiness.found = ["log_unavailable"]  # type: ignore[attr-defined]

    answered = await rig.get("/readyz")

    assert (answered.status, answered.json) == (503, {"status": "unready", "problems": ["log_unavailable"]})
    assert (await rig.get("/livez")).status == 200


async def test_an_instance_that_drains_is_not_ready(rig: Rig) -> None:
    rig.deps.draining.set()

    assert ((await rig.get("/readyz")).status, (await rig.get("/livez")).status) == (503, 200)


async def test_metrics_name_routes_and_commands_but_no_tenant(rig: Rig) -> None:
    await rig.command("AddService", {"id": "tenants-thing", "handler": "noop"})
    await rig.get("/v1/acme/streams/service:tenants-thing/events")
    await rig.get("/nowhere/tenants-path")

    text = (await rig.get("/metrics", key=None)).body.decode()

    assert 'route="/v1/{workspace}/commands/{command}",status="201"' in text
    assert 'eventjobs_commands_total{command="AddService",outcome="accepted"} 2.0' in text
    assert "acme" not in text
    assert "tenants" not in text


FAULTS = {
    Fault.UNAVAILABLE: (503, "unavailable", "none"),
    Fault.FULL: (507, "log_full", "none"),
    Fault.UNKNOWN_LOST: (503, "outcome_unknown", "unknown"),
    Fault.UNKNOWN_WRITTEN: (503, "outcome_unknown", "unknown"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_of_the_log_says_truthfully_what_was_written(fault: Fault) -> None:
    status, code, outcome = FAULTS[fault]
    plan = Plan()
    async with started(faults=plan) as rig:
        await with_workspace(rig)
        plan.fault = fault
        headers = {"Idempotency-Key": "one"}

        failed = await rig.command("AddService", {"id": "a", "handler": "noop"}, headers=headers)

        assert (failed.status, failed.code, failed.json["outcome"]) == (status, code, outcome)
        assert ("Retry-After" in failed.headers) == (status == 503)
        plan.fault = None
        again = await rig.command("AddService", {"id": "a", "handler": "noop"}, headers=headers)
        assert again.status == 201
        assert [fact.type for fact in await rig.facts()].count("service.added") == 2


async def test_an_unforeseen_error_is_500_with_an_id_and_no_trace(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the inner secret")

    monkeypatch.setattr(MemoryEventLog, "append", broken)

    with capture_logs() as logged:
        failed = await rig.command("AddService", {"handler": "noop"})

    assert (failed.status, failed.code) == (500, "unforeseen")
    assert b"inner secret" not in failed.body
    assert [line["request_id"] for line in logged if line["log_level"] == "error"] == [failed.json["request_id"]]


async def test_a_forked_history_is_503(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def forked(*_: object, **__: object) -> None:
        raise ForkedHistory("lost")

    monkeypatch.setattr(MemoryEventLog, "append", forked)

    failed = await rig.command("AddService", {"handler": "noop"})

    assert (failed.status, failed.code) == (503, "history_forked")


class TestPages:
    async def test_the_documentation_loads_from_here_alone(self) -> None:
        async with started(pages=load_pages()) as rig:
            page = await rig.get("/docs", key=None)

            assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
            assert "script-src 'self'" in page.headers["Content-Security-Policy"]
            assert "unsafe" not in page.headers["Content-Security-Policy"]
            assert b"http" not in page.body
            for path in ("/docs/docs.js", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"):
                assert path.encode() in page.body
                assert (await rig.get(path, key=None)).status == 200

    async def test_nothing_in_the_page_is_inline(self) -> None:
        body = load_pages()["/docs"].body.decode()

        assert body.count("<script") == body.count("<script src=")
        assert "style=" not in body
        assert "<style" not in body

    async def test_the_dashboard_loads_from_here_alone_and_has_nothing_inline(self) -> None:
        async with started(pages=load_pages()) as rig:
            page = await rig.get("/", key=None)
            loaded = re.findall(r'(?:src|href)="\./([^"]+)"', page.body.decode())

            assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
            assert page.headers["Content-Security-Policy"] == OWN_ONLY
            assert "unsafe" not in OWN_ONLY
            assert sorted(loaded) == ["app/app.css", "app/app.js", "app/icon.svg"]
            assert page.body.count(b"<script") == page.body.count(b'<script type="module" crossorigin src=') == 1
            assert b"<style" not in page.body
            assert b"//" not in page.body
            for path in loaded:
                assert (await rig.get(f"/{path}", key=None)).headers["Content-Security-Policy"] == OWN_ONLY

    async def test_what_was_not_changed_is_not_sent_again(self) -> None:
        async with started(pages=load_pages()) as rig:
            first = await rig.get("/docs", key=None)

            again = await rig.get("/docs", key=None, headers={"If-None-Match": first.headers["ETag"]})

            assert (again.status, again.body) == (304, b"")

    async def test_a_client_that_cannot_unpack_gets_plain_bytes(self) -> None:
        async with started(pages=load_pages()) as rig:
            plain = await rig.get("/docs/docs.js", headers={"Accept-Encoding": "identity"})

            assert "Content-Encoding" not in plain.headers
            assert b"validatorUrl: null" in plain.body
