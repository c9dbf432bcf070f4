"""Keys: issued once, shown once, revoked for good (R105 to R111)."""

import hashlib
from typing import Any

import pytest
from pydantic import ValidationError

from eventjobs.domain.access import Grant
from eventjobs.events.access import KeyIssued, KeyRevoked
from tests.support.story import CODEC, Story, command, operator


def issue(**fields: Any) -> Any:
    return command("IssueKey", **{"id": "ci", "roles": ["operator"], **fields})


def revoke(key: str = "ci") -> Any:
    return command("RevokeKey", id=key)


def administrator(*workspaces: str, **grant: Any) -> Grant:
    return Grant(roles=frozenset({"administrator"}), workspaces=frozenset(workspaces), **grant)


def test_a_key_is_for_the_workspace_it_is_issued_in() -> None:
    outcome = Story().when(issue(roles=["operator", "reader", "operator"]))
    outcome.then(("access:ci", outcome.facts[0]))
    issued: KeyIssued = outcome.facts[0]
    assert (issued.roles, issued.workspaces, issued.read_only) == (("operator", "reader"), ("acme",), False)
    assert outcome.answer == {"id": "ci"}


def test_the_secret_is_in_the_answer_and_its_hash_in_the_log() -> None:
    outcome = Story().when(issue())
    prefix, lookup, secret = outcome.secrets["secret"].split("_", 2)
    issued: KeyIssued = outcome.facts[0]
    assert prefix == "ej"
    assert issued.lookup == lookup
    assert issued.secret_sha256 == hashlib.sha256(secret.encode()).hexdigest()
    assert secret.encode() not in CODEC.encode(issued)


def test_two_keys_share_nothing() -> None:
    story = Story()
    first, second = story.when(issue()), story.when(issue(id="other"))
    assert first.facts[0].lookup != second.facts[0].lookup
    assert first.secrets != second.secrets


def test_the_same_key_again_decides_nothing_and_shows_no_secret() -> None:
    outcome = Story().given(issue()).when(issue(workspaces=["acme"]))
    outcome.then_nothing()
    assert outcome.secrets == {"secret": None}


@pytest.mark.parametrize(
    "other", [{"roles": ["reader"]}, {"read_only": True}, {"workspaces": ["b"]}, {"expires_at": "2027-01-01T00:00:00Z"}]
)
def test_the_same_id_with_other_rights_is_taken(other: dict[str, Any]) -> None:
    Story().given(issue()).when(issue(**other)).then_refused("id_taken")


def test_a_key_may_end_by_itself() -> None:
    story = Story()
    story.when(issue(expires_at="2026-12-01T12:00:00Z")).then_refused("in_the_past", "expires_at")
    story.when(issue(expires_at="2026-12-02T12:00:00")).then_refused("no_offset", "expires_at")
    assert story.when(issue(expires_at="2026-12-01T12:00:01Z")).refusal is None


def test_an_administrator_grants_only_where_they_are_one() -> None:
    story = Story()
    for wanted in (["b"], ["acme", "b"], ["*"]):
        story.when(issue(workspaces=wanted), grant=administrator("acme")).then_refused("forbidden")
    assert story.when(issue(workspaces=["acme"]), grant=administrator("acme")).refusal is None
    assert story.when(issue(id="all", workspaces=["*"]), grant=administrator("*")).refusal is None


def test_R108_who_may_only_read_issues_nothing() -> None:
    story = Story()
    story.when(issue(), grant=administrator("acme", read_only=True)).then_refused("forbidden")
    story.when(issue(), grant=operator()).then_refused("forbidden")


def test_a_key_is_revoked_once_and_its_id_stays_taken() -> None:
    story = Story().given(issue())
    story.when(revoke()).then(("access:ci", KeyRevoked()))
    story.when(revoke()).then_nothing()
    story.when(issue()).then_refused("id_taken")


def test_an_unknown_key_cannot_be_revoked() -> None:
    Story().when(revoke()).then_refused("not_found")


def test_an_administrator_revokes_only_keys_of_their_own_workspaces() -> None:
    story = Story().given(issue(workspaces=["acme", "b"]), issue(id="all", workspaces=["*"]))
    story.when(revoke(), grant=administrator("acme")).then_refused("forbidden")
    story.when(revoke("all"), grant=administrator("acme", "b")).then_refused("forbidden")
    assert story.when(revoke(), grant=administrator("acme", "b")).refusal is None
    assert story.when(revoke("all"), grant=administrator("*")).refusal is None


@pytest.mark.parametrize(
    "wrong", [{"roles": []}, {"roles": ["king"]}, {"workspaces": ["A"]}, {"workspaces": ["**"]}, {"secret": "x"}]
)
def test_wrong_fields_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        issue(**wrong)
