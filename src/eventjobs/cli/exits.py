"""
What the exit codes mean, for every command.

Usage errors that the parser itself finds leave with 2 as well.
"""

from typing import Final

OK: Final = 0
REFUSED: Final = 1
"""The service said no, or a proof failed; what was said is printed."""
USAGE: Final = 2
"""The command line or a setting is wrong; nothing was sent."""
UNREACHABLE: Final = 3
"""Nobody answered at the address."""
INTERRUPTED: Final = 130
"""Ended by Ctrl-C before it was done."""
