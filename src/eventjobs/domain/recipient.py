"""
Which e-mail addresses a message may go to: one plain address of ASCII, nothing that a header could read otherwise.

What mail libraries make of names, comments, groups, quotes and encoded words differs from version to version; none of
them is an address here.
"""

import re
from collections.abc import Iterable
from typing import Final

ADDRESS_CHARS_MAX: Final = 254
LOCAL_CHARS_MAX: Final = 64

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS: Final = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@{_LABEL}(?:\.{_LABEL})*")


def distinct(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return each once, as it is written first: two that differ in case alone are one mailbox."""
    found: dict[str, str] = {}
    for address in addresses:
        found.setdefault(address.casefold(), address)
    return tuple(found.values())


def is_address(text: str) -> bool:
    """Tell whether a text is one plain address."""
    found = _ADDRESS.fullmatch(text)
    if found is None or len(text) > ADDRESS_CHARS_MAX or "=?" in text:
        return False
    return len(found[1]) <= LOCAL_CHARS_MAX
