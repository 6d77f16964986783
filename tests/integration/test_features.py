"""What the gateway offers on a route: who may call, how much, and every endpoint of the API."""
import base64
import hashlib
import hmac
import json
import os
import struct
import threading
import time

import pytest

from harness import api_stages, b64url, make_config
from upstream import RST, answer
from wire import Connection, chat

# --- who may call ---------------------------------------------------------------------------------------------

FORMS = {
    "Authorization: Bearer": {"Authorization": "Bearer sk-test"},
    "authorization: bearer": {"authorization": "bearer sk-test"},
    "x-api-key": {"x-api-key": "sk-test"},
    "api-key": {"api-key": "sk-test"},
}
NO_FORMS = {
    "nothing": {},
    "Basic": {"Authorization": "Basic c2stdGVzdA=="},
    "an empty Bearer": {"Authorization": "Bearer "},
    "another key": {"Authorization": "Bearer sk-tesT"},
    "a key with a tail": {"Authorization": "Bearer sk-test-1"},
    "64 KB": {"Authorization": "Bearer " + "x" * 20000},
    "SQL": {"Authorization": "Bearer ' OR 1=1 --"},
}


@pytest.mark.parametrize("title", FORMS)
def test_a_key_is_taken_in_every_usual_form_and_stays_here(gateway, upstream, title):
    up = upstream()
    config = make_config(up)
    config["routes"][0]["stages"] = api_stages(auth={"api_key": {"headers": ["authorization", "x-api-key", "api-key"]}})
    g = gateway(config)
    with Connection(g.port) as connection:
        assert connection.ask("POST", "/v1/chat/completions", chat(), FORMS[title], key=None).status == 200
    assert b"sk-test" not in up.requests[0].head


@pytest.mark.parametrize("title", NO_FORMS)
def test_anything_else_is_a_401(gateway, upstream, title):
    up = upstream()
    g = gateway(make_config(up))
    with Connection(g.port) as connection:
        response = connection.ask("POST", "/v1/chat/completions", chat(), NO_FORMS[title], key=None)
        assert response.status == 401
        assert response.json()["error"]["code"] == "invalid_api_key"
        assert response.header("www-authenticate") == "Bearer"
    assert up.requests == []


def test_two_keys_that_differ_are_no_key(gateway, upstream):
    up = upstream()
    g = gateway(make_config(up))
    with Connection(g.port) as connection:
        response = connection.ask("POST", "/v1/chat/completions", chat(), {"x-api-key": "sk-other"})
    assert response.status == 400
    assert up.requests == []


def test_a_key_that_is_disabled_or_expired_is_refused(gateway, upstream):
    keys = [{"id": "off", "key": "sk-off", "tenant": "t", "disabled": True}, {"id": "old", "key": "sk-old", "tenant": "t", "expires": "2020-01-01"}]
    g = gateway(make_config(upstream(), keys=keys))
    with Connection(g.port) as connection:
        for key in ("sk-off", "sk-old"):
            assert connection.ask("POST", "/v1/chat/completions", chat(), key=key).status == 401


def token(claims, secret=b"k" * 32, algorithm="HS256"):
    head = b64url(json.dumps({"alg": algorithm, "typ": "JWT", "kid": "one"}).encode())
    signed = head + "." + b64url(json.dumps(claims).encode())
    return signed + "." + (b64url(hmac.new(secret, signed.encode(), hashlib.sha256).digest()) if algorithm != "none" else "")


def test_a_signed_token_is_taken_and_a_forged_one_is_not(gateway, upstream):
    jwks = json.dumps({"keys": [{"kty": "oct", "kid": "one", "alg": "HS256", "k": b64url(b"k" * 32)}]})
    issuer = {"issuer": "https://issuer.test", "audiences": ["sluice"], "jwks": jwks, "algorithms": ["HS256"]}
    config = make_config(upstream())
    config["routes"][0]["stages"] = api_stages(auth={"jwt": [issuer]})
    g = gateway(config)
    now = int(time.time())
    good = {"iss": "https://issuer.test", "aud": "sluice", "sub": "someone", "exp": now + 600, "nbf": now - 10}
    bad = {
        "expired": token({**good, "exp": now - 600}),
        "not yet valid": token({**good, "nbf": now + 600}),
        "for another audience": token({**good, "aud": "other"}),
        "of another issuer": token({**good, "iss": "https://other.test"}),
        "signed with another key": token(good, b"x" * 32),
        "unsigned": token(good, algorithm="none"),
        "without an end": token({k: v for k, v in good.items() if k != "exp"}),
        "cut off": token(good)[:-3],
    }
    with Connection(g.port) as connection:
        assert connection.ask("POST", "/v1/chat/completions", chat(), key=token(good)).status == 200
        for title, text in bad.items():
            assert connection.ask("POST", "/v1/chat/completions", chat(), key=text).status == 401, title
    assert g.access_log(1)[0]["key_id"] == "someone"


# --- how much -------------------------------------------------------------------------------------------------


def with_quota(up, **rule):
    config = make_config(up, keys=[{"id": "a", "key": "sk-test", "tenant": "t"}, {"id": "b", "key": "sk-b", "tenant": "t"}])
    config["routes"][0]["stages"] = api_stages(before=[{"quota": rule}])
    return config


def test_requests_over_the_quota_are_a_429_with_a_time_to_wait(gateway, upstream):
    up = upstream()
    g = gateway(with_quota(up, per="key", requests_per_minute=3))
    with Connection(g.port) as connection:
        answers = [connection.ask("POST", "/v1/chat/completions", chat()) for _ in range(5)]
        assert [a.status for a in answers] == [200, 200, 200, 429, 429]
        assert 1 <= int(answers[3].header("retry-after")) <= 60
        assert answers[3].json()["error"]["code"] == "rate_limit_exceeded"
        assert answers[0].header("x-ratelimit-limit-requests") == "3"
        assert [a.header("x-ratelimit-remaining-requests") for a in answers] == ["2", "1", "0", "0", "0"]
        assert connection.ask("POST", "/v1/chat/completions", chat(), key="sk-b").status == 200
    assert len(up.requests) == 4


def test_a_failure_says_what_is_left_as_an_answer_does(gateway, upstream):
    up = upstream(otherwise=[RST])
    g = gateway(with_quota(up, per="key", requests_per_minute=2, tokens_per_minute=10000))
    with Connection(g.port) as connection:
        failed = connection.ask("POST", "/v1/chat/completions", chat(max_tokens=100))
        assert failed.status == 502
        assert (failed.header("x-ratelimit-limit-requests"), failed.header("x-ratelimit-remaining-requests")) == ("2", "1")
        assert failed.header("x-ratelimit-limit-tokens") == "10000"
        missing = connection.ask("POST", "/v1/chat/completions", chat(max_tokens=100) | {"model": "nobody"})
        assert (missing.status, missing.header("x-ratelimit-remaining-requests")) == (404, "0")
        refused = connection.ask("POST", "/v1/chat/completions", chat(max_tokens=100))
    assert refused.status == 429
    assert 1 <= int(refused.header("retry-after")) <= 30
    assert (refused.header("x-ratelimit-limit-requests"), refused.header("x-ratelimit-remaining-requests")) == ("2", "0")
    assert refused.header("x-ratelimit-reset-requests").endswith("s")
    assert len(refused.all("x-ratelimit-limit-requests")) == 1


def test_too_many_at_the_same_time_are_a_429_with_a_time_to_wait(gateway, upstream):
    release = threading.Event()
    up = upstream([release, answer(b"{}")])
    g = gateway(with_quota(up, per="key", concurrency=1, requests_per_minute=60))
    with Connection(g.port) as first, Connection(g.port) as second:
        first.request("POST", "/v1/chat/completions", chat())
        assert up.wait_for(lambda u: u.requests)
        refused = second.ask("POST", "/v1/chat/completions", chat())
        release.set()
        assert first.response().status == 200
    assert (refused.status, refused.header("retry-after")) == (429, "1")
    assert refused.header("x-ratelimit-limit-requests") == "60"


def test_tokens_count_as_they_were_used(gateway, sim):
    g = gateway(with_quota(sim(), per="tenant", tokens_per_minute=2000))
    with Connection(g.port) as connection:
        first = connection.ask("POST", "/v1/chat/completions", chat("hello", max_tokens=100))
        assert first.status == 200
        used = first.json()["usage"]["total_tokens"]
        again = connection.ask("POST", "/v1/chat/completions", chat("hello", max_tokens=100), key="sk-b")
        assert again.status == 200
        left = int(again.header("x-ratelimit-remaining-tokens"))
        assert left <= 2000 - used
        assert connection.ask("POST", "/v1/chat/completions", chat("hello", max_tokens=3000)).status == 429


# --- endpoints ------------------------------------------------------------------------------------------------


@pytest.fixture
def open_gateway(gateway, sim):
    config = make_config(sim())
    config["routes"][0]["stages"] = api_stages(route={"default_provider": "p"}, relay={"upgrade": True})
    return gateway(config)


def multipart(fields):
    boundary = "----boundary"
    body = b""
    for name, value in fields.items():
        file = isinstance(value, tuple)
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        body += (f'; filename="{value[0]}"\r\nContent-Type: application/octet-stream'.encode() if file else b"") + b"\r\n\r\n"
        body += (value[1] if file else value.encode()) + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


PLAIN = {
    "completions": ("/v1/completions", {"model": "m", "prompt": "Once", "max_tokens": 5}, lambda r: r["choices"][0]["text"]),
    "embeddings": ("/v1/embeddings", {"model": "m", "input": ["a", "b"]}, lambda r: len(r["data"]) == 2),
    "moderations": ("/v1/moderations", {"model": "m", "input": "I will attack"}, lambda r: r["results"][0]["flagged"]),
    "rerank": ("/v1/rerank", {"model": "m", "query": "a", "documents": ["a", "b"]}, lambda r: len(r["results"]) == 2),
    "images": ("/v1/images/generations", {"model": "m", "prompt": "a river"}, lambda r: r["data"][0]["b64_json"]),
    "responses": ("/v1/responses", {"model": "m", "input": "hello", "max_output_tokens": 5}, lambda r: r["output"]),
}


@pytest.mark.parametrize("title", PLAIN)
def test_every_endpoint_of_a_model_is_served(open_gateway, title):
    path, body, holds = PLAIN[title]
    with Connection(open_gateway.port) as connection:
        response = connection.ask("POST", path, body)
    assert response.status == 200, response.body
    assert holds(response.json())
    line = open_gateway.access_log(1)[0]
    assert (line["model"], line["provider"]) == ("m", "p")


def test_speech_comes_back_as_bytes(open_gateway):
    with Connection(open_gateway.port) as connection:
        response = connection.ask("POST", "/v1/audio/speech", {"model": "m", "input": "hello", "voice": "alloy"})
    assert response.status == 200 and response.header("content-type").startswith("audio/")


def test_an_upload_names_its_model_in_a_form(open_gateway):
    body, headers = multipart({"model": "m", "file": ("a.wav", os.urandom(100000))})
    with Connection(open_gateway.port) as connection:
        response = connection.ask("POST", "/v1/audio/transcriptions", body, headers)
    assert response.status == 200 and "100000" in response.json()["text"]


def test_files_and_batches_go_to_the_provider_of_the_route(open_gateway):
    body, headers = multipart({"purpose": "batch", "file": ("in.jsonl", b'{"custom_id":"1"}\n')})
    with Connection(open_gateway.port) as connection:
        uploaded = connection.ask("POST", "/v1/files", body, headers).json()
        assert connection.ask("GET", "/v1/files").json()["data"][0]["id"] == uploaded["id"]
        assert connection.ask("GET", f"/v1/files/{uploaded['id']}/content").body == b'{"custom_id":"1"}\n'
        batch = connection.ask("POST", "/v1/batches", {"input_file_id": uploaded["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h"}).json()
        assert connection.ask("GET", f"/v1/batches/{batch['id']}").json()["status"] == "completed"
        assert connection.ask("DELETE", f"/v1/files/{uploaded['id']}").json()["deleted"] is True


# --- WebSocket ------------------------------------------------------------------------------------------------


class WebSocket:
    """As much of RFC 6455 as a client of text messages needs."""

    def __init__(self, port, path, headers=None):
        self.connection = Connection(port)
        key = base64.b64encode(os.urandom(16)).decode()
        fields = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key, **(headers or {})}
        self.response = self.connection.request("GET", path, headers=fields).response("GET")
        if self.response.status == 101:
            expected = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
            assert self.response.header("sec-websocket-accept") == expected

    def send(self, text, opcode=1):
        data, mask = text.encode(), os.urandom(4)
        size = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0x80 | 126]) + struct.pack(">H", len(data)) if len(data) < 65536 else bytes([0x80 | 127]) + struct.pack(">Q", len(data))
        self.connection.send(bytes([0x80 | opcode]) + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def receive(self):
        """The next message: its opcode and its text or bytes."""
        final, kind, whole = self._frame()
        while not final:
            final, _, more = self._frame()
            whole += more
        return kind, whole.decode() if kind == 1 else whole

    def _frame(self):
        first, size = self.connection.take(2)
        if size == 126:
            (size,) = struct.unpack(">H", self.connection.take(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self.connection.take(8))
        return bool(first & 0x80), first & 15, self.connection.take(size)


def test_a_realtime_session_passes_both_ways(open_gateway):
    ws = WebSocket(open_gateway.port, "/v1/realtime?model=m")
    assert ws.response.status == 101
    assert json.loads(ws.receive()[1])["type"] == "session.created"
    ws.send(json.dumps({"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}}))
    ws.send(json.dumps({"type": "response.create"}))
    kinds = []
    while not kinds or kinds[-1] != "response.done":
        kinds.append(json.loads(ws.receive()[1])["type"])
    assert "response.output_text.delta" in kinds
    ws.connection.close()


def test_a_realtime_session_without_a_key_is_refused(open_gateway):
    with Connection(open_gateway.port) as connection:
        fields = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "x" * 24}
        assert connection.request("GET", "/v1/realtime?model=m", headers=fields, key="wrong").response("GET").status == 401


# --- services that are no models ------------------------------------------------------------------------------


def http_config(port, **http):
    config = make_config(port)
    config["routes"].insert(0, {"name": "service", "match": {"path": ["/service/*", "/ws/*", "/sse/*"]}, "stages": [
        {"auth": {"api_key": {}}}, {"http": {"url": f"http://127.0.0.1:{port}", **http}}, {"relay": {"upgrade": True}}]})
    return config


def test_a_service_gets_its_own_credential_and_never_the_clients(gateway, sim):
    s = sim()
    g = gateway(http_config(s.port, credentials=[{"api_key": "service-key", "header": "x-service-key"}], headers={"x-tenant": "acme"}, strip_prefix="/service"))
    with Connection(g.port) as connection:
        seen = connection.ask("POST", "/service/echo/a?b=c", {"a": 1}, {"Cookie": "a=b", "X-Forwarded-For": "9.9.9.9"}).json()
    fields = {name.lower(): value for name, value in (seen["headers"].items() if isinstance(seen["headers"], dict) else seen["headers"])}
    assert seen["method"] == "POST" and seen["target"].endswith("/echo/a?b=c")
    assert fields["x-service-key"] == "service-key" and fields["x-tenant"] == "acme"
    assert "authorization" not in fields and "cookie" not in fields
    assert fields.get("x-forwarded-for") == "127.0.0.1"


def test_a_websocket_of_a_service_passes(gateway, sim):
    s = sim()
    g = gateway(http_config(s.port))
    ws = WebSocket(g.port, "/ws/echo")
    assert ws.response.status == 101
    for text in ("hello", "\u4f60\u597d", "x" * 4000):  # one frame: the service sends larger texts in several
        ws.send(text)
        assert ws.receive()[1] == text
    ws.connection.close()


def test_events_of_a_service_pass(gateway, sim):
    s = sim()
    g = gateway(http_config(s.port))
    with Connection(g.port) as connection:
        response = connection.request("GET", "/sse/echo").response("GET")
        assert response.header("content-type").startswith("text/event-stream")
        assert json.loads(next(response.events()))["method"] == "GET"
