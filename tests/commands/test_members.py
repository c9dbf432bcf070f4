"""Members: people whose keys have no more rights than they have, and end with their membership (R105 to R111)."""

from typing import Any

import pytest

from eventjobs.commands.spec import CommandFields
from eventjobs.events.access import KeyIssued, KeyRevoked
from eventjobs.events.member import MemberAdded, MemberKeyIssued, MemberRemoved
from tests.support.bodies import workspace
from tests.support.story import Fact, Story, command


def add(**fields: Any) -> CommandFields:
    return command("AddMember", **{"id": "ada", "name": "Ada", "roles": ["operator", "reader"], **fields})


def issue(**fields: Any) -> CommandFields:
    return command("IssueKey", **{"id": "laptop", "member": "ada", "roles": ["operator"], **fields})


def remove(member: str = "ada") -> CommandFields:
    return command("RemoveMember", id=member)


def with_member(**fields: Any) -> Story:
    return Story().given(workspace(), add(**fields))


def test_a_member_is_a_person_with_roles() -> None:
    story = Story().given(workspace())
    story.when(add(email="ada@example.org", roles=["reader", "operator", "reader"])).then(
        ("member:ada", MemberAdded(name="Ada", email="ada@example.org", roles=("operator", "reader")))
    )
    story.when(add(email="ada@example.org")).then_nothing()


def test_a_member_may_be_known_to_an_identity_provider() -> None:
    known = {"issuer": "https://id.example.org", "subject": "248289761001"}
    story = Story().given(workspace())
    story.when(add(**known)).then(
        ("member:ada", MemberAdded(name="Ada", roles=("operator", "reader"), **known)),
    )
    with_member(**known).when(add(subject="another", issuer=known["issuer"])).then_refused("id_taken")


@pytest.mark.parametrize(("given", "missing"), [("subject", "issuer"), ("issuer", "subject")])
def test_issuer_and_subject_come_together(given: str, missing: str) -> None:
    Story().when(add(**{given: "https://id.example.org"})).then_refused("missing", missing)


@pytest.mark.parametrize(
    "other", [{"name": "Bob"}, {"roles": ["reader"]}, {"read_only": True}, {"email": "a@example.org"}]
)
def test_other_content_is_refused_while_they_are_there(other: dict[str, Any]) -> None:
    with_member().when(add(**other)).then_refused("id_taken")


def test_an_address_is_a_plain_one() -> None:
    Story().when(add(email="Ada <ada@example.org>")).then_refused("recipient_invalid", "email")


def test_a_members_key_stands_with_the_member() -> None:
    with_member().when(issue()).then(
        ("access:laptop", Fact(KeyIssued, member="ada", roles=("operator",), workspaces=("acme",))),
        ("member:ada", MemberKeyIssued(key="laptop")),
    )


def test_the_same_key_again_decides_nothing_and_that_of_another_is_refused() -> None:
    story = with_member().given(add(id="bob"), issue())
    story.when(issue()).then_nothing()
    story.when(issue(member="bob")).then_refused("id_taken")
    story.when(issue(member=None)).then_refused("id_taken")


@pytest.mark.parametrize(
    ("beyond", "path"),
    [
        ({"roles": ["operator", "flow_author"]}, "roles"),
        ({"workspaces": ["acme", "beta"]}, "workspaces"),
        ({"workspaces": ["*"]}, "workspaces"),
    ],
)
def test_a_members_key_has_no_more_rights_than_they_have(beyond: dict[str, Any], path: str) -> None:
    with_member().when(issue(**beyond)).then_refused("beyond_member", path)


def test_R108_the_key_of_who_may_only_read_is_read_only() -> None:
    story = with_member(read_only=True)
    story.when(issue()).then_refused("beyond_member", "read_only")
    assert story.when(issue(read_only=True)).refusal is None


def test_a_key_is_issued_to_who_is_there() -> None:
    Story().given(workspace()).when(issue()).then_refused("unknown_member", "member")
    with_member().given(remove()).when(issue()).then_refused("unknown_member", "member")


def test_with_the_member_all_their_keys_end() -> None:
    story = with_member().given(issue(), issue(id="phone"), issue(id="gone"), command("RevokeKey", id="gone"))
    story.given(issue(id="ci", member=None))
    story.when(remove()).then(
        ("member:ada", MemberRemoved()), ("access:laptop", KeyRevoked()), ("access:phone", KeyRevoked())
    )
    story.when(remove()).then_nothing()
    story.when(remove("nobody")).then_refused("not_found")


def test_R108_other_roles_take_effect_with_a_new_key() -> None:
    story = with_member().given(issue(), remove()).given(add(roles=["operator", "flow_author"]))
    story.when(issue(roles=["flow_author"])).then_refused("id_taken")
    assert story.when(issue(id="new", roles=["flow_author"])).refusal is None
    story.when(remove()).then(Fact(MemberRemoved), ("access:new", KeyRevoked()))


def test_a_member_has_so_many_keys_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventjobs.commands.issue_key.KEYS_MAX", 2)
    story = with_member().given(issue(), issue(id="phone"), command("RevokeKey", id="phone"))
    story.when(issue(id="third")).then_refused("too_many_keys")
