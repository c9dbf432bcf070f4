"""
Signing in by an identity provider.

It is OpenID Connect's authorization code flow with PKCE (RFC 6749, 7636, 9207), as RFC 9700 advises.
"""
