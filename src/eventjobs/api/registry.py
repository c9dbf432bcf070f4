"""A route as a value: the application, the checks of rights and the OpenAPI document are all made from these."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from eventjobs.api.connections import network_of
from eventjobs.api.deps import ApiDeps
from eventjobs.api.live import Live
from eventjobs.api.pace import Pace
from eventjobs.auth.keyring import StoredKey
from eventjobs.auth.people import Person
from eventjobs.auth.sessions import KeySession, PersonSession, Session
from eventjobs.commands.context import Context
from eventjobs.domain.access import Grant
from eventjobs.ids import EVERYWHERE


class Query(BaseModel):
    """The parameters of a route: closed, each given once; what reads them is built at the first request."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


NO_PARAMETERS = Query()


class Scope(Enum):
    """What a route's rights are asked for."""

    OPEN = "open"
    """Nobody's: no key is needed."""
    KEY = "key"
    """Any valid key."""
    WORKSPACE = "workspace"
    """The workspace in the path."""
    SIGNED = "signed"
    """Nobody's key is asked for: the handler knows the signature in the path; an address has the pace of a key."""
    SIGN_IN = "sign in"
    """Nobody's yet: the key stands in the body."""
    LINK = "link"
    """The workspace in the path, for a key that is for calendars alone and stands in the address."""
    DEPLOYMENT = "deployment"
    """The whole deployment, `*`."""


Caller: TypeAlias = StoredKey | Person
"""Who may call: a key, or a person who signed in by an identity provider."""


@dataclass(slots=True)
class Call:
    """
    One request on its way: what was asked of what, by whom; `session` is there where a browser's cookie said so.

    `sign_ins` is the pace of wrong keys, and of sign-ins that lead to nothing.
    """

    request: web.Request
    deps: ApiDeps
    live: Live
    request_id: str
    sign_ins: Pace
    who: Caller | None = None
    session: bytes | None = None
    workspace: str = EVERYWHERE
    query: Any = NO_PARAMETERS

    @property
    def address(self) -> str:
        """Where it comes from, as addresses are counted."""
        return network_of(self.request.get_extra_info("peername"))

    @property
    def grant(self) -> Grant:
        """The caller's rights; only for routes that ask who calls."""
        return self.caller.grant

    @property
    def caller(self) -> Caller:
        """Who calls; only for routes that ask for it."""
        if self.who is None:
            raise RuntimeError(f"{self.request.path} does not ask who calls")
        return self.who

    async def is_still_allowed(self) -> bool:
        """Tell whether the caller may still act here, and the session holds if it came with one."""
        match self.caller:
            case StoredKey() as key if self.session is None:
                return await self.deps.keyring.is_valid(key)
            case _:
                present = None if self.session is None else await self.find_session(self.session)
                who = None if present is None else await self.find_caller(present)
                return who is not None and who.grant.covers(self.workspace)

    async def find_session(self, digest: bytes) -> Session | None:
        """Return the session whose secret has this digest, if it is not over."""
        return await self.deps.sessions.find(digest, self.deps.clock.now())

    async def find_caller(self, session: Session) -> Caller | None:
        """Return who a session stands for, as they are now; `None` where they may not act any more."""
        match session:
            case KeySession(lookup):
                return await self.deps.keyring.find_again(lookup)
            case PersonSession() if self.deps.trusts(session.identity.issuer):
                return await self.deps.people.find_again(session.identity, session.position)
            case _:
                return None

    def parameter(self, name: str) -> str:
        """A part of the path."""
        return self.request.match_info[name]

    def context(self, workspace: str, command_id: str | None = None) -> Context:
        """The surroundings of a command that this request sets off; the request's id is its correlation."""
        deps = self.deps
        return Context(
            workspace=workspace,
            now=deps.clock.now(),
            actor=self.caller.actor_in(workspace),
            command_id=command_id or self.request_id,
            ids=deps.ids,
            random=deps.random,
            instance=deps.instance,
            catalog=deps.catalog,
            limits=deps.limits,
            reach=deps.reach,
            grant=self.grant,
            correlation=self.request_id,
        )


Handler: TypeAlias = Callable[[Call], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One successful answer in the document: its status, its meaning, and the model of its body."""

    status: int = 200
    description: str
    model: type[BaseModel] | None = None
    media: str = "application/json"
    is_list: bool = False
    has_etag: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """
    One method of one path.

    `roles`: one of them is needed in the scope (none: any key that covers it). `problems` lists the statuses that it
    may answer besides those that its scope brings along. A route that `is_command` stands in the document once for
    every command. One with a body that does not write takes none of the headers of commands. The answers of one that
    `is_shared` are the same for all with the same rights.
    """

    method: str
    path: str
    name: str
    summary: str
    tag: str
    scope: Scope
    handler: Handler
    answers: Sequence[Answer]
    roles: frozenset[str] = frozenset()
    query: type[Query] = Query
    problems: Sequence[int] = ()
    description: str = ""
    body: type[BaseModel] | None = None
    body_is_list: bool = False
    is_command: bool = False
    writes: bool = True
    is_shared: bool = False
