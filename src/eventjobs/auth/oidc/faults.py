"""Why nobody was signed in. What is told here may be shown; it holds no code, token or secret."""


class SignInRefused(Exception):
    """The provider refused, or what it sent proves nothing."""


class ProviderAway(Exception):
    """The provider does not answer as one does; later it may."""
