"""
The command line: which commands there are, and what an error becomes.

Every command's module is imported when the command is called, so that `--help` costs next to nothing.
"""

import sys
from collections.abc import Sequence
from typing import Final

from cyclopts import App, Group

from eventjobs.cli import exits
from eventjobs.errors import (
    CliFault,
    CopyRefused,
    DatabaseFault,
    Interrupted,
    LogFault,
    ServiceRefused,
    ServiceUnreachable,
    SettingsInvalid,
    UnsafeDatabase,
)

RUNNING: Final = Group("Run it", sort_key=1)
CALLING: Final = Group("Call a running service", sort_key=2)
CHECKING: Final = Group("Check", sort_key=3)
KEEPING: Final = Group("Keep it", sort_key=4)

HELP: Final = """
An event-sourced scheduling service: every occurrence that was due has exactly one recorded outcome.

Where the service is: --url, --key and --workspace, or EVENTJOBS_URL, EVENTJOBS_KEY and EVENTJOBS_WORKSPACE, or what
`serve` and `demo` left in the data folder.

Exit codes: 0 done, 1 refused or broken, 2 wrong usage, 3 nobody answers.
"""


COMMANDS: Final = (
    ("serve", RUNNING, "Run the service."),
    ("demo", RUNNING, "Run it with an example that loads real files."),
    ("migrate", RUNNING, "Bring a database to this version."),
    ("backup", KEEPING, "Copy the database to a file, while the service runs."),
    ("restore", KEEPING, "Read such a file into an empty database, with all starts held."),
    ("rebuild", KEEPING, "Build views again beside the ones that answer, while the service runs."),
    ("do", CALLING, "Send a command, e.g. do RunNow --owner.kind schedule --owner.id nightly."),
    ("view", CALLING, "Show a page or a thing, now or as of then."),
    ("runs", CALLING, "List runs, or show one in detail."),
    ("history", CALLING, "Tell what happened; --live follows."),
    ("why", CALLING, "Tell why an owner ran or did not run, at any past moment."),
    ("search", CALLING, "Find anything by id or text."),
    ("integrations", CALLING, "Plan, apply and export definitions; list and sync registrations."),
    ("import", CALLING, "Bring what another scheduler has: import crontab FILE, import ics FILE."),
    ("keys", CALLING, "List, issue and revoke keys."),
    ("notifications", CALLING, "List messages, and try whether they arrive."),
    ("simulate", CHECKING, "Tell what would happen, without waiting for it."),
    ("audit", CHECKING, "Prove that the log is whole."),
    ("config", CHECKING, "Show the settings."),
)
"""Name, group and help; the command `x` is the object `x` in the module `eventjobs.cli.x`."""

MODULES: Final = {"import": "importing"}
"""Commands whose name is a word of Python's."""


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415 slow, and seldom asked

    return version("eventjobs")


def build() -> App:
    """Return the application; no command's module is imported for it."""
    app = App(name="eventjobs", help=HELP, version=_version, help_format="plaintext", result_action="return_value")
    for name, group, help_text in COMMANDS:
        module = MODULES.get(name, name)
        app.command(f"eventjobs.cli.{module}:{module}", name=name, group=group, help=help_text)
    return app


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; an expected error becomes a sentence."""
    try:
        answer = build()(list(arguments))
    except (KeyboardInterrupt, Interrupted):
        return exits.INTERRUPTED
    except (CliFault, DatabaseFault, LogFault, SettingsInvalid) as error:
        return report(error, as_json="--json" in arguments)
    except BrokenPipeError:
        sys.stderr.close()
        return exits.OK
    return answer if isinstance(answer, int) else exits.OK


def report(error: Exception, *, as_json: bool = False) -> int:
    """Print what went wrong and return the exit code for it."""
    from eventjobs.cli.output import fail, print_json, tell_problem  # noqa: PLC0415 only where something failed

    match error:
        case ServiceRefused() if as_json:
            print_json(error.problem)
            return exits.REFUSED
        case ServiceRefused():
            tell_problem(error.problem)
            return exits.REFUSED
        case ServiceUnreachable():
            code = exits.UNREACHABLE
        case CliFault() | SettingsInvalid() | UnsafeDatabase():
            code = exits.USAGE
        case DatabaseFault() if not isinstance(error, CopyRefused):
            code = exits.UNREACHABLE
        case _:
            code = exits.REFUSED
    fail(str(error))
    return code
