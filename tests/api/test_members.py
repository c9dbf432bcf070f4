"""Members over HTTP: who is there, with which keys, and what becomes of the keys when they go."""

from collections.abc import AsyncIterator

import pytest

from tests.api.postgres_rig import on_postgres
from tests.api.rig import Rig

ADA = {"id": "ada", "name": "Ada Lovelace", "email": "ada@example.org", "roles": ["operator", "reader"]}
KNOWN = {"issuer": "https://id.example.org", "subject": "248289761001"}
LAPTOP = {"id": "ada-laptop", "member": "ada", "roles": ["operator"]}


@pytest.fixture(scope="module")
async def pg(database_url: str) -> AsyncIterator[Rig]:
    """A workspace for each test, with nobody in it."""
    async with on_postgres(database_url) as rig:
        for workspace in ("acme", "beta", "gamma"):
            await rig.post("/v1/workspaces", {"id": workspace})
        yield rig


async def done(rig: Rig, name: str, fields: object, workspace: str) -> int:
    answered = await rig.command(name, fields, workspace=workspace)
    assert answered.status == 201, answered.body
    return int(answered.json["position"])


async def test_a_members_keys_act_until_the_member_is_removed(pg: Rig) -> None:
    await done(pg, "AddMember", ADA, "acme")
    secret = (await pg.command("IssueKey", LAPTOP)).json["secret"]
    me = (await pg.get("/v1/me", key=secret)).json
    assert (me["actor"], me["member"], me["roles"]) == ("key:acme/ada-laptop", "ada", ["operator"])

    await done(pg, "RemoveMember", {"id": "ada"}, "acme")
    assert (await pg.get("/v1/me", key=secret)).status == 401


async def test_members_are_listed_with_their_keys_as_of_any_moment(pg: Rig) -> None:
    added = await done(pg, "AddMember", ADA, "beta")
    await done(pg, "IssueKey", LAPTOP, "beta")
    there = await done(
        pg, "AddMember", {**ADA, **KNOWN, "id": "bob", "name": "Bob", "email": None, "read_only": True}, "beta"
    )
    gone = await done(pg, "RemoveMember", {"id": "ada"}, "beta")

    async def members(position: int) -> list[tuple[str, list[str]]]:
        page = (await pg.get(f"/v1/beta/members?as_of={position}&wait_for={gone}")).json
        return [(one["id"], one["keys"]) for one in page["items"]]

    assert await members(added) == [("ada", [])]
    assert await members(there) == [("ada", ["ada-laptop"]), ("bob", [])]
    assert await members(gone) == [("bob", [])]
    ada = await pg.get("/v1/beta/members/ada")
    assert (ada.json["removed_at"] is not None, ada.json["version"], ada.headers["ETag"]) == (True, 2, '"2"')
    assert ada.json["actions"] == {"remove": True}
    bob = (await pg.get("/v1/beta/members?q=BOB")).json["items"][0]
    assert (bob["name"], bob["email"], bob["roles"], bob["read_only"]) == ("Bob", None, ["operator", "reader"], True)
    assert (bob["issuer"], bob["subject"]) == (KNOWN["issuer"], KNOWN["subject"])
    by_subject = await pg.get("/v1/beta/members?q=248289")
    assert [one["id"] for one in by_subject.json["items"]] == ["bob"]
    assert (await pg.get("/v1/beta/keys/ada-laptop")).json["member"] == "ada"
    assert [key["member"] for key in (await pg.get("/v1/beta/keys")).json["items"]] == ["ada"]


async def test_R106_administrators_manage_members_and_auditors_see_them(pg: Rig) -> None:
    await done(pg, "AddMember", ADA, "gamma")
    operator, auditor, admin = [
        await pg.issue(role, workspaces=("gamma",)) for role in ("operator", "auditor", "administrator")
    ]

    assert (await pg.get("/v1/gamma/members", key=operator)).status == 403
    for key, may in ((auditor, False), (admin, True)):
        (ada,) = (await pg.get(f"/v1/gamma/members?wait_for={pg.log.known_head.position}", key=key)).json["items"]
        assert (ada["actions"]["remove"] is True) is may
    assert (await pg.command("RemoveMember", {"id": "ada"}, workspace="gamma", key=auditor)).status == 403
    assert (await pg.command("RemoveMember", {"id": "ada"}, workspace="gamma", key=admin)).status == 201
