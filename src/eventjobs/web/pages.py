"""
The static pages that are shipped: the API's documentation, shown by Swagger UI.

They are read once into a fixed table by path. Nothing in them is inline, and nothing loads from elsewhere.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Final

OWN_ONLY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HTML: Final = "text/html; charset=utf-8"
CSS: Final = "text/css; charset=utf-8"
JS: Final = "text/javascript; charset=utf-8"

_FILES: Final[Mapping[str, tuple[str, str]]] = {
    "/docs": ("docs.html", HTML),
    "/docs/docs.js": ("docs.js", JS),
    "/docs/swagger-ui-bundle.js": ("swagger-ui/swagger-ui-bundle.js", JS),
    "/docs/swagger-ui.css": ("swagger-ui/swagger-ui.css", CSS),
}
_GZIP_LEVEL: Final = 6


@dataclass(frozen=True, kw_only=True)
class StaticPage:
    """A file as it is answered: its bytes, and what it may load."""

    content_type: str
    body: bytes
    policy: str
    etag: str

    @cached_property
    def gzipped(self) -> bytes:
        """The same bytes, compressed when they are first asked for."""
        return gzip.compress(self.body, _GZIP_LEVEL, mtime=0)


def load_pages() -> Mapping[str, StaticPage]:
    """Return every page by its path."""
    root = resources.files("eventjobs") / "web" / "static"
    return {path: _page(root.joinpath(name).read_bytes(), kind) for path, (name, kind) in _FILES.items()}


def _page(body: bytes, content_type: str) -> StaticPage:
    return StaticPage(
        content_type=content_type,
        body=body,
        policy=OWN_ONLY,
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
    )
