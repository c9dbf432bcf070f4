"""The matrix of modes and events, cell by cell (G64 to G70)."""

import pytest

from eventjobs.domain.notification_policy import EXPIRY, FAILURES, NOBODY, Happened, Recipients, recipients
from eventjobs.events.connect import Notification
from eventjobs.events.schedule import AlertWebhook

OPS, BOSS, ADA = "ops@example.org", "boss@example.org", "ada@example.org"
HOOK = AlertWebhook(url="https://hooks.example.org/jobs", secret="secret://hook")
MODES = ("always", "failure", "none")
YES, NO = True, False
MATRIX = {
    Happened.SUCCEEDED: (YES, NO, NO),
    Happened.FAILED: (YES, YES, NO),
    Happened.NOT_STARTED: (YES, YES, NO),
    Happened.STOPPED: (YES, NO, NO),
    Happened.ABORTED: (YES, YES, NO),
    Happened.REJECTED: (YES, NO, NO),
    Happened.NOT_RUN: (YES, YES, NO),
    Happened.RECOVERED: (YES, NO, NO),
    Happened.HOOK_FAILED: (YES, YES, NO),
    Happened.EXPIRES: (YES, YES, YES),
    Happened.EXPIRED: (YES, YES, YES),
}
CELLS = [(one, mode, told) for one, cells in MATRIX.items() for mode, told in zip(MODES, cells, strict=True)]


def test_the_matrix_has_a_row_for_each_event() -> None:
    assert set(MATRIX) == set(Happened)


@pytest.mark.parametrize(("happened", "mode", "told"), CELLS)
def test_G64_G69_G70_who_is_told_of_an_event_in_a_mode(happened: Happened, mode: str, told: bool) -> None:
    notification = Notification(mode=mode, recipients=(OPS,), webhooks=(HOOK,))
    assert recipients(notification, [happened]) == (Recipients(email=(OPS,), webhook=(HOOK,)) if told else NOBODY)


@pytest.mark.parametrize("happened", Happened)
def test_G67_failure_recipients_are_told_of_failures_and_expiry_besides(happened: Happened) -> None:
    notification = Notification(mode="always", recipients=(OPS,), failure_recipients=(BOSS, OPS))
    told = recipients(notification, [happened]).email
    assert told == ((OPS, BOSS) if happened in FAILURES | EXPIRY else (OPS,))


def test_G67_an_address_in_another_case_is_the_same_recipient() -> None:
    notification = Notification(
        mode="failure", recipients=(OPS, "Ops@Example.org"), failure_recipients=("OPS@example.org", BOSS)
    )
    assert recipients(notification, [Happened.FAILED]).email == (OPS, BOSS)


@pytest.mark.parametrize(("field", "happened"), [("on_rejects", "rejected"), ("on_recovery", "recovered")])
def test_rows_7_and_9_are_told_under_failure_to_who_asked_for_them(field: str, happened: str) -> None:
    events = [Happened.SUCCEEDED, Happened(happened)]
    assert recipients(Notification(mode="failure", recipients=(OPS,)), events) == NOBODY
    asked = {field: True}
    assert recipients(Notification(mode="failure", recipients=(OPS,), **asked), events).email == (OPS,)
    assert recipients(Notification(mode="none", recipients=(OPS,), **asked), events) == NOBODY
    assert recipients(Notification(mode="failure", recipients=(OPS,), **asked), [Happened.SUCCEEDED]) == NOBODY


@pytest.mark.parametrize(("mode", "told"), [("none", (ADA,)), ("always", (OPS,)), ("failure", (OPS,))])
def test_G61_who_made_it_is_told_of_its_expiry_with_the_mode_none(mode: str, told: tuple[str, ...]) -> None:
    listed = () if mode == "none" else (OPS,)
    notification = Notification(mode=mode, recipients=listed)
    assert recipients(notification, [Happened.EXPIRES], ADA).email == told
    assert recipients(Notification(), [Happened.SUCCEEDED], ADA) == NOBODY
    assert recipients(Notification(), [Happened.EXPIRED]) == NOBODY
