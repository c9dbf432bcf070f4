"""The identity provider that an installation has, by its settings."""

from collections.abc import Callable

from eventjobs.auth.oidc.client import OidcClient, OidcSettings
from eventjobs.auth.oidc.metadata import Provider, is_safe
from eventjobs.errors import SettingsInvalid
from eventjobs.settings import Settings

OPENID = "openid"


def provider_of(settings: Settings, monotonic: Callable[[], float]) -> OidcClient | None:
    """Return the client of the provider, `None` without one; raises `SettingsInvalid` where something is missing."""
    if settings.oidc_issuer is None:
        return None
    if settings.oidc_client_id is None:
        raise SettingsInvalid("EVENTJOBS_OIDC_CLIENT_ID is needed with EVENTJOBS_OIDC_ISSUER")
    if settings.public_url is None or not is_safe(settings.public_url):
        raise SettingsInvalid("EVENTJOBS_PUBLIC_URL is needed with EVENTJOBS_OIDC_ISSUER, with https or on loopback")
    known = OidcSettings(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=client_secret(settings),
        scopes=tuple(dict.fromkeys((OPENID, *settings.oidc_scopes))),
        name=settings.oidc_name,
        public_url=settings.public_url,
    )
    return OidcClient(known, Provider(settings.oidc_issuer, monotonic))


def client_secret(settings: Settings) -> str | None:
    """Return the secret that the provider knows; raises `SettingsInvalid` where its file has none."""
    if settings.oidc_client_secret is not None:
        return settings.oidc_client_secret.get_secret_value()
    if settings.oidc_client_secret_file is None:
        return None
    try:
        secret = settings.oidc_client_secret_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise SettingsInvalid(f"EVENTJOBS_OIDC_CLIENT_SECRET_FILE cannot be read: {type(fault).__name__}") from None
    if not secret:
        raise SettingsInvalid("EVENTJOBS_OIDC_CLIENT_SECRET_FILE is empty")
    return secret
