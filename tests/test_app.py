"""What the parts of an instance know of each other from its first moment on."""

from pathlib import Path

import pytest
import structlog

from eventjobs.app import Service
from eventjobs.settings import load_settings

PASSWORD = "the-word-of-the-mail-server"


class Begun(Service):
    """Notes where callbacks lead when the loops begin, and with them the first attempts."""

    callbacks_then = ""

    def _start_loops(self) -> None:
        self.callbacks_then = self.callbacks.base
        super()._start_loops()


async def test_the_first_attempts_know_where_to_be_answered_and_a_secret_from_a_file_stays_out_of_the_log(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    given = {
        "database_url": database_url,
        "data_dir": tmp_path / "data",
        "port": 0,
        "unsafe": True,
        "log_level": "error",
        "public_url": "https://jobs.example.org/",
        "smtp_url": "smtps://jobs@mail.example.org",
        "smtp_password_file": file,
        "mail_from": "jobs@example.org",
    }
    service = await Begun.start(load_settings(given))
    try:
        structlog.get_logger("test").error("fault", said=f"no {PASSWORD} here")
    finally:
        await service.stop()

    assert isinstance(service, Begun)
    assert service.callbacks_then == service.callbacks.base == "https://jobs.example.org"
    said = capsys.readouterr().err
    assert "no [secret] here" in said
    assert PASSWORD not in said
