"""The measurements can be started; what they find is no test's business."""

import subprocess
import sys

from tests.chaos.figures import REPOSITORY


def test_every_measurement_can_be_loaded_and_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--help"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "lateness" in done.stdout
