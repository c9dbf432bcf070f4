import asyncio
import io
import logging
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
import structlog

from eventjobs.telemetry.logging import configure_logging, log_context
from eventjobs.telemetry.redaction import BLANK, KnownSecrets

SECRET = 'pa"ss wörd/+'


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_level_and_instant(stream: io.StringIO) -> None:
    configure_logging(KnownSecrets(), stream=stream)
    structlog.get_logger().warning("disk_low", free=17)
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["free"]) == ("disk_low", "warning", 17)
    assert line["at"].endswith("Z")


def test_lines_below_the_level_are_not_written(stream: io.StringIO) -> None:
    configure_logging(KnownSecrets(), level="warning", stream=stream)
    structlog.get_logger().info("quiet")
    logging.getLogger("library").info("quiet too")
    assert stream.getvalue() == ""


def test_libraries_log_the_same_way(stream: io.StringIO) -> None:
    configure_logging(KnownSecrets([SECRET]), stream=stream)
    logging.getLogger("library").error("could not use %s", SECRET, extra={"tries": 3})
    (line,) = lines(stream)
    assert (line["logger"], line["level"], line["tries"]) == ("library", "error", 3)
    assert line["event"] == f"could not use {BLANK}"


async def test_ids_stand_in_every_line_of_a_request_and_of_the_tasks_it_starts(stream: io.StringIO) -> None:
    configure_logging(KnownSecrets(), stream=stream)
    log = structlog.get_logger()

    async def work() -> None:
        log.info("inside a task")

    with log_context(request_id="r1", correlation="c1"):
        with log_context(command_id="k1"):
            await asyncio.gather(work())
        log.info("after the command")
    log.info("after the request")
    ids = [{key: line.get(key) for key in ("request_id", "command_id", "correlation")} for line in lines(stream)]
    assert ids == [
        {"request_id": "r1", "command_id": "k1", "correlation": "c1"},
        {"request_id": "r1", "command_id": None, "correlation": "c1"},
        {"request_id": None, "command_id": None, "correlation": None},
    ]


def test_a_known_secret_is_blanked_wherever_it_hides(stream: io.StringIO) -> None:
    secrets = KnownSecrets()
    configure_logging(secrets, stream=stream)
    secrets.add(SECRET)
    try:
        _refuse(SECRET)
    except ValueError as error:
        structlog.get_logger().exception(
            f"no {SECRET}",
            nested={"list": [SECRET, {SECRET: 1}], "tuple": (f"x{SECRET}x",)},
            document=orjson.dumps({"password": SECRET}),
            url="https://me:pa%22ss%20w%C3%B6rd%2F%2B@host",
            error=error,
            odd=[Odd(SECRET), Odd(SECRET.encode())],
        )
    text = stream.getvalue()
    (line,) = lines(stream)
    assert line["nested"] == {"list": [BLANK, {BLANK: 1}], "tuple": [f"x{BLANK}x"]}
    assert line["url"] == f"https://me:{BLANK}@host"
    assert "Traceback" in line["exception"]
    for part in ("ss w", "wörd", "w%C3", "\\u00f6"):
        assert part not in text


def test_pretty_lines_blank_secrets_too(stream: io.StringIO) -> None:
    configure_logging(KnownSecrets([SECRET]), log_format="pretty", stream=stream)
    structlog.get_logger().info("hello", key=SECRET)
    assert "hello" in stream.getvalue()
    assert "ss w" not in stream.getvalue()


@pytest.mark.parametrize("log_format", ["json", "pretty"])
def test_no_text_that_is_logged_makes_a_line_of_its_own_or_paints_the_terminal(
    stream: io.StringIO, log_format: str
) -> None:
    configure_logging(KnownSecrets([]), log_format=log_format, stream=stream)
    forged = "a\r\n2026-11-22 [error] forged\x1b[31m\x9b31m\u2028"
    structlog.get_logger().info(forged, value=forged)
    logging.getLogger("a.library").warning("said %s", forged)
    structlog.get_logger().error("broke", exc_info=ValueError("painted \x1b[31m"))
    text = stream.getvalue()
    assert text.count("forged") == 3
    assert not [line for line in text.splitlines() if line.startswith("2026-11-22")]
    assert "\x1b" not in text
    assert "\x9b" not in text


def test_a_value_too_short_to_be_told_from_chance_is_left_alone() -> None:
    assert KnownSecrets(["a", "abc"]).redact("abracadabra abc") == "abracadabra abc"


def test_of_two_secrets_one_in_the_other_nothing_remains() -> None:
    assert KnownSecrets(["hunter", "hunter2-long"]).redact("is hunter2-long") == f"is {BLANK}"


@dataclass
class Odd:
    """Anything that a line may hold and JSON cannot."""

    content: object


def _refuse(password: str) -> None:
    raise ValueError(f"the password {password} is wrong")


class Full(io.StringIO):
    """A disk that takes nothing for a while."""

    is_full = False

    def write(self, text: str) -> int:
        if self.is_full:
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_a_line_that_cannot_be_written_disturbs_nobody_and_is_counted_when_the_next_one_can(
    stream: io.StringIO,  # noqa: ARG001 it restores what was configured
) -> None:
    disk = Full()
    configure_logging(KnownSecrets(), stream=disk)
    log = structlog.get_logger()
    log.info("before")
    disk.is_full = True
    log.info("lost")
    logging.getLogger("library").error("lost too")
    disk.is_full = False
    log.info("after")
    assert [(line["event"], line.get("count")) for line in lines(disk)] == [
        ("before", None),
        ("log_lines_dropped", 2),
        ("after", None),
    ]
