"""`python -m tests.simulation`: any number of seeds, a line each, and one JSON line of figures at the end."""

import sys

from tests.simulation.cli import main

sys.exit(main(sys.argv[1:]))
