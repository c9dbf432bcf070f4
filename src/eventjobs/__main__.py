"""`eventjobs` and `python -m eventjobs`."""

import gc
import sys
from typing import Final

from eventjobs.cli.main import run

LOADING: Final = (100_000, 20, 50)
"""Thresholds of the collector: what loading makes stays, and looking through it is a tenth of a start."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    gc.set_threshold(*LOADING)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
