"""What is refused of a body's text before any model sees it."""

import pytest

from eventjobs.api.json_text import DEPTH_MAX, INTEGER_MAX, read_json
from eventjobs.api.problems import HttpRefusal
from tests.api.rig import Rig

REFUSED = {
    "a hundred thousand brackets": (b"[" * 100_000, 400, "too_deep"),
    "depth 33": (b"[" * 33 + b"]" * 33, 400, "too_deep"),
    "objects of depth 33": (b'{"a":' * 33 + b"1" + b"}" * 33, 400, "too_deep"),
    "mixed brackets": (b'[{"a":' * 17 + b"1" + b"}]" * 17, 400, "too_deep"),
    "depth behind a text with quotes": (b'{"a":"\\"[","b":' + b"[" * 33 + b"]" * 33 + b"}", 400, "too_deep"),
    "many digits": (b'{"a": ' + b"9" * 5_000 + b"}", 422, "number_out_of_range"),
    "integer beyond": (b'{"a": 9007199254740992}', 422, "number_out_of_range"),
    "negative integer beyond": (b'{"a": -9007199254740992}', 422, "number_out_of_range"),
    "NaN": (b'{"a": NaN}', 422, "number_out_of_range"),
    "Infinity": (b'{"a": Infinity}', 422, "number_out_of_range"),
    "-Infinity": (b'{"a": -Infinity}', 422, "number_out_of_range"),
    "1e400": (b'{"a": 1e400}', 422, "number_out_of_range"),
    "1e100000": (b'{"a": 1e100000}', 422, "number_out_of_range"),
    "1e-31": (b'{"a": 1e-31}', 422, "number_out_of_range"),
    "signed zero": (b'{"a": -0.0}', 422, "number_out_of_range"),
    "31 digits": (b'{"a": 0.' + b"1" * 31 + b"}", 422, "number_out_of_range"),
    "twice the same name": (b'{"a": 1, "a": 1}', 400, "duplicate_key"),
    "twice, deep": (b'{"x": [{"a": 1, "b": 2, "a": 3}]}', 400, "duplicate_key"),
    "twice, escaped": (b'{"a": 1, "\\u0061": 1}', 400, "duplicate_key"),
    "NUL": (b'{"a": "\\u0000"}', 400, "bad_text"),
    "NUL behind a backslash": (b'{"a": "\\\\\\u0000"}', 400, "bad_text"),
    "NUL in a name": (b'{"\\u0000": 1}', 400, "bad_text"),
    "half a pair": (b'{"a": "\\ud800"}', 400, "bad_text"),
    "half a pair in a name": (b'{"\\udc00": 1}', 400, "bad_text"),
    "not UTF-8": (b'{"a": "\xff"}', 400, "bad_text"),
    "UTF-16": ('{"a": 1}'.encode("utf-16-le"), 400, "not_json"),
    "a byte order mark": (b'\xef\xbb\xbf{"a": 1}', 400, "bad_text"),
    "a control character": (b'{"a": "\x01"}', 400, "bad_text"),
    "nothing": (b"", 400, "not_json"),
    "no JSON": (b"{'a': 1}", 400, "not_json"),
    "two documents": (b"{} {}", 400, "not_json"),
    "a trailing comma": (b'{"a": 1,}', 400, "not_json"),
    "a comment": (b'{"a": 1} // x', 400, "not_json"),
    "half a million values": (b"[" + b"0," * 500_000 + b"0]", 422, "too_many_values"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused(case: str) -> None:
    body, status, code = REFUSED[case]

    with pytest.raises(HttpRefusal) as refused:
        read_json(body)

    assert (refused.value.status, refused.value.code) == (status, code)


READ = {
    "depth 32": b"[" * DEPTH_MAX + b"]" * DEPTH_MAX,
    "many siblings": b"[" + b"[]," * 1_000 + b"{}]",
    "nothing but a text of brackets": b'"' + b"[" * 100 + b'"',
    "brackets in a text": b'{"a": "' + b"[{" * 1_000 + b'"}',
    "the greatest integer": str(INTEGER_MAX).encode(),
    "a small number": b'{"a": 1.5e-30}',
    "a pair": b'{"a": "\\ud83d\\ude00"}',
    "an escaped backslash": b'{"a": "\\\\u0000"}',
    "commas in a text": b'{"a": "' + b"," * 200_000 + b'"}',
    "names of objects": b'{"__proto__": {}, "constructor": 1, "__class__": 2}',
}


@pytest.mark.parametrize("case", READ)
def test_it_is_read(case: str) -> None:
    read_json(READ[case])


@pytest.mark.parametrize("case", ["depth 33", "twice, deep", "NaN", "NUL", "not UTF-8", "no JSON", "many digits"])
async def test_over_http_it_is_a_problem_that_leaves_no_event(rig: Rig, case: str) -> None:
    body, status, code = REFUSED[case]
    before = rig.log.known_head.position

    for path in ("/v1/acme/commands/AddService", "/v1/acme/commands", "/v1/workspaces"):
        refused = await rig.post(path, body)
        assert (refused.status, refused.code) == (status, code)

    assert rig.log.known_head.position == before
