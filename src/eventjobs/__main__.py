"""`eventjobs` and `python -m eventjobs`."""

import gc
import sys

from eventjobs.cli.main import run
from eventjobs.telemetry.garbage import THRESHOLDS


def main() -> None:
    """Run the command line and leave with its exit code."""
    gc.set_threshold(*THRESHOLDS)  # what loading makes stays, and looking through it is a tenth of a start
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
