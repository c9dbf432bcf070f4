"""How runs of groups end, by themselves or by a stop, and how one is gone on with (G49, G51, G72 to G74, W1)."""

from typing import Any

import pytest

from eventjobs.domain.run import State
from eventjobs.events.run import JobRunCarried, RunEnded, RunStopRequested
from tests.support.connect import DAILY, active, advance, end, job, resume, rows, run, running, saved, stop, through
from tests.support.story import Fact, command


@pytest.mark.parametrize("mode", ["now", "after_current"])
def test_G72_G73_a_stop_skips_what_did_not_begin_and_the_group_stays_active(mode: str) -> None:
    it = running(schedule=DAILY)
    coming = it.group().next
    it.given(stop(mode))
    advance(it, "r", end(1, "aborted" if mode == "now" else "succeeded"))
    assert (it.run("r").state, rows(it)[1]) == (State.ABORTED, ("skipped", "group_stopped"))
    assert (it.group().active, it.group().next, it.group().open_runs) == (True, coming, ())


@pytest.mark.parametrize("mode", ["now", "after_current"])
def test_G74_a_second_stop_is_nothing_and_what_is_over_cannot_be_stopped(mode: str) -> None:
    it = running().given(stop(mode))
    it.when(stop(mode)).then_nothing()
    advance(it, "r", end(1, "aborted"))
    for again in ("now", "after_current"):
        it.when(stop(again)).then_nothing()
    through(it.given(run("well")), "well").when(stop(mode, "well")).then_refused("run_ended", state="succeeded")
    it.when(stop(mode, "none")).then_refused("not_found")


def test_G72_after_the_current_job_the_last_one_makes_a_success_and_a_failure_stays_one() -> None:
    it = running()
    advance(it, "r", end(1))
    it.given(stop("after_current"))
    advance(it, "r", end(2))
    assert (it.run("r").state, it.run("r").reason) == (State.SUCCEEDED, None)
    it = running().given(stop("after_current"))
    advance(it, "r", end(1, "failed", reason="error"))
    assert (it.run("r").state, it.run("r").reason, rows(it)[1][0]) == (State.FAILED, "error", "skipped")


def test_G72_a_true_end_beats_the_stop() -> None:
    it = running()
    advance(it, "r", end(1))
    it.given(stop())
    advance(it, "r", end(2))
    assert it.run("r").state is State.SUCCEEDED
    it = running().given(stop())
    advance(it, "r", end(1, "failed", reason="error"))
    assert it.run("r").state is State.FAILED


@pytest.mark.parametrize(
    ("ends", "state", "states"),
    [
        ([end(1), end(2)], "succeeded", ["succeeded", "succeeded"]),
        ([end(1, counts={"processed": 3, "rejected": 2}), end(2)], "succeeded", ["succeeded", "succeeded"]),
        ([end(1, "failed", reason="reject_threshold")], "failed", ["failed", "skipped"]),
        ([stop(), end(1, "aborted")], "aborted", ["aborted", "skipped"]),
        ([end(1), stop(), end(2, "aborted")], "aborted", ["succeeded", "aborted"]),
    ],
)
def test_G49_G51_a_run_and_its_jobs_end_in_the_same_few_words(ends: Any, state: str, states: list[str]) -> None:
    it = running()
    for one in ends:
        if isinstance(one, dict):
            advance(it, "r", one)
        else:
            it.given(one)
    assert (str(it.run("r").state), [state for state, _ in rows(it)]) == (state, states)


def test_G72_a_stop_at_once_is_stricter_than_one_after_the_job() -> None:
    running().given(stop("after_current")).when(stop("now")).then(Fact(RunStopRequested, mode="now"))


def test_G72_a_run_that_waits_for_a_worker_is_stopped_as_a_whole() -> None:
    it = active().given(run(), stop())
    advance(it, "r")
    assert (it.run("r").state, rows(it)) == (State.ABORTED, [("skipped", "group_stopped")] * 2)


def test_W1_a_failed_run_is_resumed_from_the_member_that_failed() -> None:
    it = running()
    advance(it, "r", end(1, counts={"processed": 3}))
    advance(it, "r", end(2, "failed", reason="error"))
    it.given(resume())
    assert advance(it, "again").facts[-1].row == 2
    advance(it, "again", end(2))
    assert (it.run("again").state, it.run("again").rows[1].counts) == (State.SUCCEEDED, {"processed": 3})


@pytest.mark.parametrize("jobs", [["extension", "contacts"], ["contacts", "third"], ["contacts", "extension", "third"]])
def test_W1_only_while_members_and_order_are_the_same(jobs: list[str]) -> None:
    it = running().given(job("third"), command("ActivateJob", id="third"))
    advance(it, "r", end(1, "failed", reason="error"))
    it.given(saved(jobs=jobs)).when(resume()).then_refused("jobs_changed")
    it.given(saved()).when(resume(new="back")).then(*[Fact(object)] * 3)
    it.given(stop(run_id="back"))
    advance(it, "back")
    it.given(command("DeactivateGroup", id="lists")).when(resume("back")).then_refused("group_inactive")
    it.at("2027-01-01 00:00").when(resume("back")).then_refused("group_expired")


def test_W1_what_is_carried_need_not_qualify_and_what_is_left_must() -> None:
    it = running()
    advance(it, "r", end(1))
    advance(it, "r", end(2, "failed", reason="error"))
    it.given(command("DeactivateJob", id="extension", force=True))
    it.when(resume()).then(
        Fact(object), Fact(object), Fact(JobRunCarried, row=1), Fact(object), Fact(RunEnded, reason="not_qualified"),
        Fact(object), Fact(object),
    )  # fmt: skip
    assert rows(it, "again") == [("succeeded", None), ("skipped", "preflight_failed")]
    it.given(command("ActivateJob", id="extension"), command("DeactivateJob", id="contacts", force=True))
    it.given(resume("again", "third"))
    assert advance(it, "third").facts[-1].row == 2
