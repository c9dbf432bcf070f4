"""
The static pages that are shipped: the dashboard, and the API's documentation, shown by Swagger UI.

They are read once into a fixed table by path. Nothing in them is inline, and nothing loads from elsewhere. The
dashboard is built from `web/`; what was built is part of the package, so nobody needs Node to install or run it.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Final

OWN_ONLY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'"
)
DOCS: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""Swagger UI has pictures in its style sheet, and makes elements of text."""
HTML: Final = "text/html; charset=utf-8"
CSS: Final = "text/css; charset=utf-8"
JS: Final = "text/javascript; charset=utf-8"

SVG: Final = "image/svg+xml"

_FILES: Final[Mapping[str, tuple[str, str, str]]] = {
    "/": ("dashboard/index.html", HTML, OWN_ONLY),
    "/signed-in": ("dashboard/index.html", HTML, OWN_ONLY),
    "/app/app.js": ("dashboard/app/app.js", JS, OWN_ONLY),
    "/app/app.css": ("dashboard/app/app.css", CSS, OWN_ONLY),
    "/app/icon.svg": ("dashboard/app/icon.svg", SVG, OWN_ONLY),
    "/docs": ("docs.html", HTML, DOCS),
    "/docs/docs.js": ("docs.js", JS, DOCS),
    "/docs/swagger-ui-bundle.js": ("swagger-ui/swagger-ui-bundle.js", JS, DOCS),
    "/docs/swagger-ui.css": ("swagger-ui/swagger-ui.css", CSS, DOCS),
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
    return {
        path: _page(root.joinpath(name).read_bytes(), kind, policy) for path, (name, kind, policy) in _FILES.items()
    }


def _page(body: bytes, content_type: str, policy: str) -> StaticPage:
    return StaticPage(
        content_type=content_type,
        body=body,
        policy=policy,
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
    )
