"""The register of persons, from the view of members and from the log alone."""

from eventjobs.auth.people import Identity, People, Person
from eventjobs.auth.viewed_people import ViewedPeople
from eventjobs.domain.streams import member_stream
from eventjobs.events.member import MemberAdded, MemberRemoved
from eventjobs.postgres.pool import TimedPool
from tests.support.views import Writer, new_log, project_all, projector_on

ISSUER = "https://id.example.org"
ADA, BOB, EVE, NEW = (Identity(ISSUER, name) for name in ("ada", "bob", "eve", "new"))


def added(subject: str | None, *roles: str, issuer: str = ISSUER) -> MemberAdded:
    whose = {"issuer": issuer, "subject": subject} if subject else {}
    return MemberAdded(name="A person", roles=roles or ("reader",), read_only=not roles, **whose)


async def test_people_of_the_view_are_those_of_the_log(pool: TimedPool) -> None:
    log = new_log()
    writer, projector = Writer(log), projector_on(log, pool)
    assert await ViewedPeople(pool).load() == (0, [])
    await writer.append([(member_stream("acme", "ada"), added("ada", "operator"))])
    await writer.append([(member_stream("beta", "ada"), added("ada"))])
    await writer.append([(member_stream("acme", "bob"), added("bob"))])
    await writer.append([(member_stream("acme", "bob"), MemberRemoved())])
    await writer.append([(member_stream("acme", "carl"), added(None))])
    await writer.append([(member_stream("acme", "eve"), added("eve"))])
    await writer.append([(member_stream("acme", "eve"), MemberRemoved())])
    await writer.append([(member_stream("acme", "eve"), added(None))])
    await project_all(projector)
    position = log.known_head.position
    await writer.append([(member_stream("acme", "new"), added("new"))])

    loaded, _ = await ViewedPeople(pool).load()
    from_view, from_log = People(log, ViewedPeople(pool)), People(log)
    await from_view.load()
    await from_log.load()

    assert loaded == position
    for one in (ADA, BOB, EVE, NEW):
        assert await from_view.find(one) == await from_log.find(one)
    ada = await from_view.find(ADA)
    assert isinstance(ada, Person)
    assert (ada.actor_in("acme"), ada.actor_in("beta"), ada.actor_in("*")) == (
        "member:acme/ada",
        "member:beta/ada",
        "member:acme/ada",
    )
    assert ada.grant.may_write(frozenset({"operator"}), "acme")
    assert not ada.grant.may_read(frozenset({"operator"}), "beta")
    assert not ada.grant.may_write(frozenset({"reader"}), "beta")
    assert not ada.grant.covers("*")
    assert [await from_view.find(one) for one in (BOB, EVE)] == [None, None]
    assert await from_view.find(NEW) is not None


async def test_found_again_is_what_was_known_then_and_still_holds() -> None:
    log = new_log()
    writer = Writer(log)
    await writer.append([(member_stream("acme", "ada"), added("ada"))])
    known = log.known_head.position
    people = People(log)
    await people.load()
    assert people.position == known

    async def where(position: int) -> list[str]:
        person = await people.find_again(ADA, position)
        return [] if person is None else sorted(person.memberships)

    assert (await where(known), await where(known - 1)) == (["acme"], [])
    await writer.append([(member_stream("beta", "ada"), added("ada"))])
    later = log.known_head.position
    assert (await where(known), await where(later)) == (["acme"], ["acme", "beta"])
    await writer.append([(member_stream("acme", "ada"), MemberRemoved())])
    assert (await where(known), await where(later)) == ([], ["beta"])
