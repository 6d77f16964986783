"""Bodies that are no JSON, or odd JSON: what the gateway reads and what the upstream reads must be the same thing."""
import pytest

from harness import SHARED_DATA, Gateway, make_config
from upstream import ScriptedUpstream
from wire import Connection, chat

PATH = "/v1/chat/completions"


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    upstream = ScriptedUpstream()
    gateway = Gateway(tmp_path_factory.mktemp("json"), make_config(upstream))
    yield gateway, upstream
    upstream.close()
    gateway.finish()


def post(gateway, body):
    with Connection(gateway.port) as connection:
        return connection.ask("POST", PATH, body if isinstance(body, bytes) else body.encode())


@pytest.mark.skipif(not SHARED_DATA.exists(), reason="the shared data folder is absent")
@pytest.mark.parametrize("place", ["alone", "as a value"])
def test_invalid_json_is_refused_and_valid_json_passes_unchanged(stage, place):
    gateway, upstream = stage
    passed = len(upstream.requests)
    for file in sorted((SHARED_DATA / "json").glob("*.json")):
        text = file.read_bytes()
        body = text if place == "alone" else b'{"model":"m","messages":[],"extra":' + text + b"}"
        response = post(gateway, body)
        if file.name.startswith("n_") and place == "alone":
            assert response.status == 400, file.name
            assert response.json()["error"]["type"] == "invalid_request_error"
        elif file.name.startswith("y_") and place == "as a value":
            # Two members of one name are valid JSON, and refused only where the gateway reads them.
            assert response.status == 200, (file.name, response.body)
            passed += 1
            assert upstream.requests[-1].body == body, file.name
        else:
            # A whole document that is no object, an i_ file, or brackets that happen to close in the wrapper.
            assert response.status in (200, 400, 404), file.name
            passed += response.status == 200
        assert len(upstream.requests) == passed, file.name


ODD = {
    "two models": '{"model":"m","model":"other","messages":[]}',
    "two models, one escaped": '{"model":"m","\\u006dodel":"other","messages":[]}',
    "two streams": '{"model":"m","stream":false,"stream":true,"messages":[]}',
    "text behind the object": '{"model":"m","messages":[]} {"model":"other"}',
    "NaN": '{"model":"m","temperature":NaN}',
    "a comment": '{"model":"m" /* x */}',
    "a single quote": "{'model':'m'}",
    "a byte order mark": b'\xef\xbb\xbf{"model":"m"}',
    "bytes that are no UTF-8": b'{"model":"m","user":"\xff\xfe"}',
    "half a surrogate pair, raw": b'{"model":"m","user":"\xed\xa0\x80"}',
    "depth without end": '{"model":"m","a":' + "[" * 5000 + "]" * 5000 + "}",
    "depth without end, open": '{"model":"m","a":' + '{"a":' * 100000,
    "an array": '["model"]',
    "a number": "1",
    "nothing": "",
    "a model that is no text": '{"model":7,"messages":[]}',
    "no model": '{"messages":[]}',
}


@pytest.mark.parametrize("title", ODD)
def test_odd_json_is_refused_before_any_upstream_sees_it(stage, title):
    gateway, upstream = stage
    before = len(upstream.requests)
    response = post(gateway, ODD[title])
    assert response.status == 400
    assert response.json()["error"]["message"]
    assert len(upstream.requests) == before


def test_unknown_fields_numbers_and_spaces_pass_byte_for_byte(stage):
    gateway, upstream = stage
    body = '{ "seed" : 12345678901234567890, "x":1e400 ,"model":"m","messages":[ {"role":"user","content":"\\u4f60\\/好 \\ud83d\\ude00"}],\n"t":0.10000000000000000001}'
    response = post(gateway, body)
    if response.status == 200:  # a number out of range may also be refused, never changed
        assert upstream.requests[-1].body == body.encode()
    else:
        assert response.status == 400
    body = body.replace("1e400", "1e40")
    assert post(gateway, body).status == 200
    assert upstream.requests[-1].body == body.encode()


def test_a_body_of_eight_megabytes_passes_whole(stage):
    gateway, upstream = stage
    body = chat("\u4f60\u597d" * 600_000)  # escaped: 7.2 MB, under the default limit of 8 MiB
    with Connection(gateway.port) as connection:
        response = connection.ask("POST", PATH, body)
    assert response.status == 200
    assert len(upstream.requests[-1].body) > 6_000_000


def test_a_coded_body_is_refused(stage):
    gateway, upstream = stage
    before = len(upstream.requests)
    with Connection(gateway.port) as connection:
        response = connection.ask("POST", PATH, chat(), {"Content-Encoding": "gzip"})
    assert response.status == 415
    assert len(upstream.requests) == before
