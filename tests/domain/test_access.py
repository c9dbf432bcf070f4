"""What keys allow (R105 to R111)."""

import pytest

from eventjobs.domain.access import ADMINISTRATOR, INITIAL, OPERATOR, OPERATORS, READER, Grant, Key, evolve
from eventjobs.events.access import AttemptRefused, KeyIssued, KeyRevoked

ISSUED = KeyIssued(
    lookup="abc", secret_sha256="0" * 64, roles=("operator",), workspaces=("acme",), read_only=False, expires_at=None
)


def grant(*roles: str, workspaces: tuple[str, ...] = ("acme",), read_only: bool = False) -> Grant:
    return Grant(roles=frozenset(roles), workspaces=frozenset(workspaces), read_only=read_only)


@pytest.mark.parametrize(
    ("rights", "workspace", "may"),
    [
        (grant(OPERATOR), "acme", True),
        (grant(ADMINISTRATOR), "acme", True),
        (grant(READER), "acme", False),
        (grant(OPERATOR), "other", False),
        (grant(OPERATOR), "*", False),
        (grant(OPERATOR, workspaces=("*",)), "other", True),
        (grant(OPERATOR, workspaces=("*",)), "*", True),
        (grant(), "acme", False),
    ],
)
def test_a_role_counts_in_its_workspaces(rights: Grant, workspace: str, may: bool) -> None:
    assert rights.may_write(OPERATORS, workspace) is may


def test_R108_read_only_beats_every_role() -> None:
    rights = grant(OPERATOR, ADMINISTRATOR, read_only=True)
    assert not rights.may_write(OPERATORS, "acme")
    assert rights.may_read(OPERATORS, "acme")


def test_nobody_has_a_role_of_an_empty_set() -> None:
    assert not grant(OPERATOR).may_write(frozenset(), "acme")


def test_a_key_has_rights_from_its_issue_and_is_revoked_for_good() -> None:
    assert INITIAL.grant is None
    key = evolve(INITIAL, ISSUED)
    assert (key.grant, key.revoked, key.definition_version) == (grant(OPERATOR), False, 1)
    revoked = evolve(key, KeyRevoked())
    assert (revoked.revoked, revoked.definition_version) == (True, 2)


def test_a_refused_attempt_changes_no_key() -> None:
    refused = AttemptRefused(workspace="acme", action="RunNow", needed=("operator",))
    assert evolve(INITIAL, refused) == Key()
