"""`eventjobs config`: the settings as the service would read them here."""

import os
from typing import Annotated, Final

from cyclopts import App, Parameter

from eventjobs.cli import exits
from eventjobs.cli.output import fail, print_json, say, table
from eventjobs.cli.target import unknown_settings
from eventjobs.settings import PREFIX, Settings, load_settings

config: Final = App(name="config", help="The settings, as the service would read them here.")


@config.command
def show(*, json: Annotated[bool, Parameter(negative="", help="print them as JSON")] = False) -> int:
    """Show every setting with its present value; secrets are masked."""
    shown = load_settings().show()
    unknown = unknown_settings(os.environ)
    if json:
        print_json({"settings": shown, "unknown": unknown})
        return exits.OK
    about = {f"{PREFIX}{name.upper()}": field.description or "" for name, field in Settings.model_fields.items()}
    table(("setting", "value", "what it is"), [(name, value, about[name]) for name, value in shown.items()])
    say("\nThey are environment variables; options of the command line win over them.")
    for sentence in unknown:
        fail(sentence)
    return exits.OK
