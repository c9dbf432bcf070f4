"""Whose turn it is, as a service's facts tell it."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from eventjobs.domain.service import INITIAL, Service, evolve
from eventjobs.events.service import (
    AttemptPolicy,
    ServiceAdded,
    ServiceAttached,
    ServiceAwaited,
    ServiceClaimed,
    ServiceConfigured,
    ServiceDeleted,
    ServiceDetached,
    ServiceJoined,
    ServiceReleased,
    ServiceRunClosed,
    ServiceRunOpened,
    Turn,
)

POLICY = AttemptPolicy(delivery="at_most_once")
A, B, C, D = (Turn(run=name, row=1) for name in "abcd")
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
ADDED = ServiceAdded(name="x", handler="noop", config={}, policy=POLICY)


def after(*events: object) -> Service:
    service = INITIAL
    for event in events:
        service = evolve(service, event)  # type: ignore[arg-type]
    return service


def claimed(turn: Turn) -> ServiceClaimed:
    return ServiceClaimed(turn=turn)


def awaited(turn: Turn) -> ServiceAwaited:
    return ServiceAwaited(turn=turn, deadline=NOON)


def joined(turn: Turn, other: Turn) -> ServiceJoined:
    return ServiceJoined(turn=turn, with_turn=other, deadline=NOON)


def released(turn: Turn) -> ServiceReleased:
    return ServiceReleased(turn=turn)


def test_a_service_lives_from_its_addition_to_its_deletion() -> None:
    assert not INITIAL.alive
    assert after(ADDED).alive
    gone = after(ADDED, ServiceDeleted())
    assert (gone.alive, gone.exists, gone.definition_version) == (False, True, 2)


def test_only_what_a_person_changes_is_a_definition_version() -> None:
    configured = ServiceConfigured(name="y", handler="noop", config={}, policy=POLICY)
    service = after(ADDED, configured, ServiceAttached(schedule="s"), claimed(A), released(A))
    assert (service.definition_version, service.name) == (2, "y")


def test_its_users_are_those_that_have_it_in_their_tables() -> None:
    attached = [ServiceAttached(schedule="a"), ServiceAttached(schedule="b"), ServiceDetached(schedule="a")]
    assert after(ADDED, *attached).users == {"b"}


def test_who_joined_shares_the_turn_when_it_comes() -> None:
    queue = [claimed(A), awaited(B), joined(C, B), joined(D, B)]
    assert (after(*queue).waiting, after(*queue).joined) == (B, (C, D))
    running = after(*queue, released(A), claimed(B))
    assert (running.holder, running.waiting, running.joined, running.sharing) == (B, None, (), (C, D))
    assert after(*queue, released(A), claimed(B), released(B)).sharing == ()


def test_who_shares_may_take_the_place_of_the_holder() -> None:
    queue = [claimed(A), awaited(B), joined(C, B), joined(D, B), released(A), claimed(B)]
    service = after(*queue, claimed(C), released(B))
    assert (service.holder, service.sharing) == (C, (D,))


def test_a_place_in_the_queue_can_be_given_up() -> None:
    queue = [claimed(A), awaited(B), joined(C, B)]
    assert after(*queue, released(C)).joined == ()
    promoted = after(*queue, released(B), awaited(C))
    assert (promoted.holder, promoted.waiting, promoted.joined) == (A, C, ())


def test_a_run_by_itself_is_open_until_it_is_closed() -> None:
    assert after(ADDED, ServiceRunOpened(run="a", cause="manual")).open_run == "a"
    assert after(ServiceRunOpened(run="a", cause="manual"), ServiceRunClosed(run="b", state="failed")).open_run == "a"
    assert after(ServiceRunOpened(run="a", cause="manual"), ServiceRunClosed(run="a", state="failed")).open_run is None


TURNS = st.sampled_from([A, B, C, D])
EVENTS = st.one_of(
    st.just(ADDED),
    st.just(ServiceDeleted()),
    st.just(ServiceAttached(schedule="s")),
    st.just(ServiceDetached(schedule="s")),
    st.just(ServiceRunOpened(run="a", cause="manual")),
    st.just(ServiceRunClosed(run="a", state="failed")),
    TURNS.map(claimed),
    TURNS.map(awaited),
    st.builds(joined, TURNS, TURNS),
    TURNS.map(released),
)


@given(st.lists(EVENTS, max_size=12))
def test_every_fact_is_accepted_in_every_state(events: list[object]) -> None:
    assert isinstance(after(*events), Service)
