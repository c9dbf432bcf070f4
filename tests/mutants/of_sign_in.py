"""Builds that believe more than an identity provider proves, or let people stay who were removed."""

from typing import Final

from tests.mutants.mutant import Mutant

TESTS: Final = "tests/api/test_provider_sign_in.py"

MUTANTS: Final = (
    Mutant(
        name="nonce-not-checked",
        promise="an ID token counts for the sign-in that asked for it alone",
        file="auth/oidc/id_token.py",
        old="not hmac.compare_digest(nonce.encode(), expected.nonce.encode())",
        new="not nonce",
        tests=(f"{TESTS}::test_a_token_that_says_anything_else_than_it_must_signs_nobody_in[another nonce]",),
    ),
    Mutant(
        name="audience-not-checked",
        promise="an ID token counts for whom it is made out alone",
        file="auth/oidc/id_token.py",
        old="or expected.client_id not in audiences",
        new="",
        tests=(f"{TESTS}::test_a_token_that_says_anything_else_than_it_must_signs_nobody_in[another audience]",),
    ),
    Mutant(
        name="state-not-compared",
        promise="a sign-in is finished by the browser that began it",
        file="auth/oidc/client.py",
        old="or not hmac.compare_digest(answer.state.encode(), attempt.state.encode())",
        new="",
        tests=(f"{TESTS}::test_an_answer_is_taken_once_in_time_and_from_the_browser_that_asked",),
    ),
    Mutant(
        name="old-session-has-new-roles",
        promise="a membership counts in the sessions that began after it alone",
        file="auth/people.py",
        old=" if one.since <= position",
        new="",
        tests=(f"{TESTS}::test_who_is_removed_is_out_at_once_and_new_roles_need_a_new_session",),
    ),
)
