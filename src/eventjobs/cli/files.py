"""Files that people name on the command line."""

from pathlib import Path

from eventjobs.errors import UsageWrong


def read_text(file: str) -> str:
    """Return what is written in a file, without a byte order mark; raises `UsageWrong` where it cannot be read."""
    try:
        return Path(file).read_text("utf-8-sig")
    except OSError as error:
        raise UsageWrong(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageWrong(f"{file} is not UTF-8") from None
