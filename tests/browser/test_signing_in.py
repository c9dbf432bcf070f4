"""People sign in by their identity provider, act by their roles, and are out when they are removed."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from eventjobs.auth.oidc.client import OidcClient, OidcSettings
from eventjobs.auth.oidc.metadata import Provider
from eventjobs.clock import SystemClock
from eventjobs.web.pages import load_pages
from tests.api.postgres_rig import on_postgres
from tests.api.rig import Rig, with_workspace
from tests.browser.conftest import Complaints, Open, sign_in
from tests.browser.test_dashboard import serious
from tests.support.identity_provider import CLIENT, SECRET, IdentityProvider

SUBJECT = "248289761001"


@pytest.fixture(scope="module")
async def idp() -> AsyncIterator[IdentityProvider]:
    async with IdentityProvider.running() as provider:
        yield provider


@pytest.fixture(scope="module")
async def served(database_url: str, idp: IdentityProvider) -> AsyncIterator[Rig]:
    """A server where people sign in by the provider; nobody is a member yet."""
    known = OidcSettings(
        issuer=idp.issuer,
        client_id=CLIENT,
        client_secret=SECRET,
        scopes=("openid",),
        name="Example Org",
        public_url="http://127.0.0.1",
    )
    client = OidcClient(known, Provider(idp.issuer, SystemClock().monotonic))
    async with on_postgres(database_url, pages=load_pages(), provider=client) as rig:
        client._settings = replace(known, public_url=rig.url)
        await with_workspace(rig)
        yield rig


@pytest.fixture
async def admins(browser: Browser, served: Rig) -> AsyncIterator[Page]:
    """The Members page, before an administrator in a browser of their own."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    try:
        await sign_in(context, served)
        page = await context.new_page()
        await page.goto(f"{served.url}/#/acme/members")
        await expect(page.get_by_text("Nobody is a member yet")).to_be_visible()
        yield page
    finally:
        await context.close()


async def test_a_person_signs_in_by_the_provider_acts_by_role_and_is_out_when_removed(
    opened: Open, served: Rig, idp: IdentityProvider, admins: Page, context: BrowserContext, complaints: Complaints
) -> None:
    page = await opened("jobs?tab=services", key=None)
    await page.get_by_role("button", name="Sign in with Example Org").click()
    await page.get_by_label("Name").fill(SUBJECT)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="You are no member yet")).to_be_visible()
    await expect(page.get_by_text(SUBJECT)).to_be_visible()
    assert "code=" not in page.url
    assert await serious(page, "no member") == []

    await added_by(admins, idp)
    await page.get_by_role("button", name="I was added: sign in again").click()
    await page.get_by_label("Name").fill(SUBJECT)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    assert page.url == f"{served.url}/#/acme/jobs?tab=services"
    await expect(page.get_by_text("Ada Lovelace")).to_be_visible()
    await expect(page.get_by_role("link", name="Members")).to_have_count(0)
    head = served.log.known_head.position
    await page.get_by_role("button", name="Run now: load").click()
    await page.get_by_role("dialog").get_by_role("button", name="Run now").click()
    await expect(page.get_by_text("Started: Run load now.")).to_be_visible()
    assert {fact.actor for fact in await served.facts(after=head)} == {"member:acme/ada"}
    await page.get_by_role("button", name="More about load").click()
    await expect(page.get_by_role("menuitem", name="Delete")).to_contain_text("flow_author")
    await page.keyboard.press("Escape")

    row = admins.get_by_role("row").filter(has_text="Ada Lovelace")
    await row.get_by_role("button", name="Remove: Ada Lovelace").click()
    dialog = admins.get_by_role("dialog", name="Remove Ada Lovelace?")
    await expect(dialog).to_contain_text("The member ada was removed")
    await dialog.get_by_role("button", name="Remove").click()
    await expect(admins.get_by_text("Nobody is a member yet")).to_be_visible()
    await expect(page.get_by_role("heading", name="You are no member yet")).to_be_visible()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("button", name="Sign in with Example Org")).to_be_visible()
    assert await context.cookies(served.url) == []
    elsewhere = re.compile(rf"^asked elsewhere: {idp.issuer}/(authorize|end|favicon.ico)|^error: .* 40[14] ")
    complaints.found[:] = [one for one in complaints.found if not elsewhere.match(one)]


async def added_by(admins: Page, idp: IdentityProvider) -> None:
    """Have the administrator add who was shown that subject, seeing before what it does."""
    await admins.get_by_role("button", name="Add member").click()
    form = admins.get_by_role("dialog", name="Add a member")
    await expect(form.get_by_label("Issuer")).to_have_value(idp.issuer)
    await form.get_by_label("Id").fill("ada")
    await form.get_by_label("Name").fill("Ada Lovelace")
    await form.get_by_label("Subject").fill(SUBJECT)
    await form.get_by_label("Operator").check()
    await expect(form).to_contain_text(f"who signs in as {SUBJECT}")
    await form.get_by_role("button", name="Add", exact=True).click()
    await expect(admins.get_by_role("row").filter(has_text="Ada Lovelace")).to_contain_text(SUBJECT)


async def test_what_the_provider_refuses_is_told_where_one_signs_in(
    opened: Open, served: Rig, idp: IdentityProvider, complaints: Complaints
) -> None:
    page = await opened("jobs", key=None)
    await page.get_by_role("button", name="Sign in with Example Org").click()
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("alert")).to_contain_text("did not sign you in: it answered access_denied")
    assert page.url.startswith(f"{served.url}/")
    assert "signed-in" not in page.url
    await page.goto(f"{served.url}/signed-in?code=x&state=y")
    await expect(page.get_by_role("alert")).to_contain_text("not begun")
    complaints.found[:] = [one for one in complaints.found if not re.search(f"{idp.issuer}/|error: .* 40[14] ", one)]


async def test_roles_are_changed_by_a_form_that_says_what_ends(opened: Open, served: Rig) -> None:
    member = {"id": "bob", "name": "Bob", "roles": ["operator"], "issuer": "https://id.example.org", "subject": "bob"}
    assert (await served.command("AddMember", member)).status == 201
    assert (await served.command("IssueKey", {"id": "laptop", "member": "bob", "roles": ["operator"]})).status == 201
    page = await opened("members")
    await expect(page.get_by_role("table", name="Keys").get_by_role("row").filter(has_text="laptop")).to_contain_text(
        "of bob"
    )
    assert await serious(page, "members") == []

    await page.get_by_role("button", name="Change Bob").press("Enter")
    form = page.get_by_role("dialog", name="Change Bob")
    await form.get_by_label("Auditor").check()
    await expect(form).to_contain_text("all their keys were revoked")
    await expect(form).to_contain_text("auditor and operator")
    assert await serious(page, "the form of a member") == []
    await form.get_by_role("button", name="Change", exact=True).press("Enter")

    row = page.get_by_role("table", name="Members").get_by_role("row").filter(has_text="Bob")
    await expect(row).to_contain_text("auditor")
    await expect(row).to_contain_text("none")
    await expect(page.get_by_text("1 more key was revoked")).to_be_visible()
    await page.get_by_role("button", name="More about Bob").press("Enter")
    await page.get_by_role("menuitem", name="Show what was done about them").press("Enter")
    await expect(page.get_by_text("The member bob was removed")).to_be_visible()
    await served.command("RemoveMember", {"id": "bob"})


async def test_who_may_not_manage_members_is_told_why(opened: Open, served: Rig) -> None:
    page = await opened("members", key=await served.issue("auditor"))
    await page.get_by_role("button", name="Add member").press("Enter")
    await expect(page.get_by_text("Add member is not possible: it needs one of: administrator.")).to_be_visible()
    await page.close()
    other = await opened("members", key=await served.issue("operator"))
    await expect(other.get_by_text("Your roles do not show the members")).to_be_visible()
