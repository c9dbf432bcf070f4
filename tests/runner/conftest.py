"""What these tests make the service say goes nowhere: traces of handlers that break on purpose are long."""

from collections.abc import Iterator

import pytest

from tests.support.capturing import capture_logs


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with capture_logs():
        yield
