"""What stands on the wire: requests that two parsers could read in two ways are refused, and nothing of them
reaches an upstream. Each row is a payload, the status it earns, and what is wrong with it."""
import socket
import time

import pytest

from harness import Gateway, api_stages, make_config
from upstream import ScriptedUpstream, answer
from wire import Connection, chat, render_request

POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer sk-test\r\nContent-Type: application/json\r\n"
BODY = b'{"model":"m","messages":[{"role":"user","content":"hello"}]}'
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
LENGTH = b"Content-Length: %d\r\n" % len(BODY)


def post(*fields, body=BODY):
    return POST + b"".join(f + b"\r\n" for f in fields) + b"\r\n" + body


def get(target=b"/v1/models", *fields, version=b"1.1", host=b"Host: a\r\n"):
    return b"GET " + target + b" HTTP/" + version + b"\r\n" + host + b"".join(f + b"\r\n" for f in fields) + b"\r\n"


REFUSED = {
    "Content-Length and Transfer-Encoding": (400, post(LENGTH[:-2], b"Transfer-Encoding: chunked", body=CHUNKED)),
    "two equal Content-Lengths": (400, post(LENGTH[:-2], LENGTH[:-2])),
    "a list of equal Content-Lengths": (400, post(b"Content-Length: 3, 3", body=b"{} ")),
    "Content-Length with a plus": (400, post(b"Content-Length: +3", body=b"{} ")),
    "Content-Length below nothing": (400, post(b"Content-Length: -3", body=b"{} ")),
    "Content-Length in hexadecimal": (400, post(b"Content-Length: 0x3", body=b"{} ")),
    "Content-Length with an underscore": (400, post(b"Content-Length: 3_0", body=b"{} ")),
    "an empty Content-Length": (400, post(b"Content-Length: ", body=b"{} ")),
    "a Content-Length of 2^64": (400, post(b"Content-Length: 18446744073709551616", body=b"{} ")),
    "a Content-Length of 2^64 + 3": (400, post(b"Content-Length: 18446744073709551619", body=b"{} ")),
    "Transfer-Encoding xchunked": ((400, 501), post(b"Transfer-Encoding: xchunked", body=CHUNKED)),
    "Transfer-Encoding identity": ((400, 501), post(b"Transfer-Encoding: identity")),
    "an empty Transfer-Encoding": (400, post(b"Transfer-Encoding: ", body=CHUNKED)),
    "a quoted Transfer-Encoding": ((400, 501), post(b'Transfer-Encoding: "chunked"', body=CHUNKED)),
    "chunked before identity": ((400, 501), post(b"Transfer-Encoding: chunked, identity", body=CHUNKED)),
    "identity and a Content-Length": ((400, 501), post(b"Transfer-Encoding: identity", LENGTH[:-2])),
    "chunked with a parameter": ((400, 501), post(b"Transfer-Encoding: chunked;q=1", body=CHUNKED)),
    "gzip under chunked": (501, post(b"Transfer-Encoding: gzip, chunked", body=CHUNKED)),
    "two Transfer-Encodings": (400, post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=CHUNKED)),
    "identity, then chunked in a second field": ((400, 501), post(b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked", body=CHUNKED)),
    "a space before the colon": (400, post(b"Content-Length : 60")),
    "a field without a name": (400, post(LENGTH[:-2], b": x")),
    "a bare CR in a value": (400, post(LENGTH[:-2], b"X-A: 1\rX-B: 2")),
    "a folded field": (400, post(LENGTH[:-2], b"X-A: 1\r\n 2")),
    "a folded field, by tab": (400, post(LENGTH[:-2], b"X-A: 1\r\n\t2")),
    "Transfer-Encoding in HTTP/1.0": (400, POST.replace(b"HTTP/1.1", b"HTTP/1.0") + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKED),
    "NUL in a value": (400, post(LENGTH[:-2], b"X-A: a\0b")),
    "a chunk line that ends in LF": (400, post(b"Transfer-Encoding: chunked", body=CHUNKED.replace(b"\r\n", b"\n", 1))),
    "a space after a chunk size": (400, post(b"Transfer-Encoding: chunked", body=CHUNKED.replace(b"\r\n", b" \r\n", 1))),
    "a chunk size that is no number": (400, post(b"Transfer-Encoding: chunked", body=b"xyz\r\n" + CHUNKED)),
    "a chunk size of 2^64 + 3": (400, post(b"Transfer-Encoding: chunked", body=b"10000000000000003\r\n{} \r\n0\r\n\r\n")),
    "chunk data longer than said": (400, post(b"Transfer-Encoding: chunked", body=b"3\r\n{}  \r\n0\r\n\r\n")),
    "a chunk extension without end": (400, post(b"Transfer-Encoding: chunked", body=b"3;" + b"x" * 20000 + b"\r\n{} \r\n0\r\n\r\n")),
    "trailers without end": (400, post(b"Transfer-Encoding: chunked", body=CHUNKED[:-2] + b"X-T: " + b"x" * 40000 + b"\r\n\r\n")),
    "no Host": (400, get(host=b"")),
    "two Hosts": (400, get(host=b"Host: a\r\nHost: a\r\n")),
    "a Host with a path": (400, get(host=b"Host: a/b\r\n")),
    "a Host with a user": (400, get(host=b"Host: u@a\r\n")),
    "a Host with a space": (400, get(host=b"Host: a b\r\n")),
    "an absolute target that differs from Host": (400, get(b"http://b/v1/models")),
    "a fragment in the target": (400, get(b"/v1/models#x")),
    "8-bit bytes in the target": (400, get(b"/v1/m\xf6dels")),
    "lines that end in LF": (400, get().replace(b"\r\n", b"\n")),
    "a method in lower case and braces": (400, b"{}" + get()),
    "no target": (400, b"GET HTTP/1.1\r\nHost: a\r\n\r\n"),
    "HTTP/2.0 in a line": (505, get(version=b"2.0")),
    "HTTP/0.9": (400, b"GET /\r\n\r\n"),
    "a TLS handshake": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 80 + b"\r\n\r\n"),
}

# The outcome of these is a choice: they are taken, and what they carry beside the message is dropped.
ACCEPTED = {
    "a chunk extension": post(b"Transfer-Encoding: chunked", body=CHUNKED.replace(b"\r\n", b";name=value\r\n", 1)),
    "trailers": post(b"Transfer-Encoding: chunked", body=CHUNKED[:-2] + b"Authorization: Bearer evil\r\n\r\n"),
    "one empty line before the request": b"\r\n" + post(LENGTH[:-2]),
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """One gateway for all payloads: whatever came before, it must serve the next. And what its upstream saw."""
    upstream = ScriptedUpstream()
    gateway = Gateway(tmp_path_factory.mktemp("framing"), make_config(upstream))
    yield gateway, upstream
    upstream.close()
    gateway.finish()


@pytest.mark.parametrize("title", REFUSED)
def test_an_ambiguous_request_is_refused_and_its_connection_closed(stage, title):
    gateway, upstream = stage
    expected, payload = REFUSED[title]
    before = len(upstream.requests)
    with Connection(gateway.port) as connection:
        connection.send(payload)
        response = connection.response()
        response.read()
        assert response.status in (expected if isinstance(expected, tuple) else (expected,))
        assert response.json()["error"]["type"] == "invalid_request_error" or response.status == 501
        assert connection.ended()
    # What follows on another connection is served: nothing was left behind.
    with Connection(gateway.port) as connection:
        assert connection.ask("POST", "/v1/chat/completions", chat()).status == 200
    assert len(upstream.requests) == before + 1


@pytest.mark.parametrize("title", ACCEPTED)
def test_an_odd_request_is_served_without_its_oddity(stage, title):
    gateway, upstream = stage
    with Connection(gateway.port) as connection:
        assert connection.send(ACCEPTED[title]).response().status == 200
    seen = upstream.requests[-1]
    assert BODY.split(b",", 1)[1] in seen.body
    assert seen.header("authorization") == "Bearer sk-upstream"
    assert b"name=value" not in seen.head + seen.body and b"evil" not in seen.head + seen.body


def test_requests_sent_at_once_are_answered_in_order(stage):
    gateway, _ = stage
    with Connection(gateway.port) as connection:
        one = render_request("POST", "/v1/chat/completions", chat())
        other = render_request("GET", "/v1/unknown/path", key="wrong")
        connection.send(one + other + one)
        statuses = []
        for method in ("POST", "GET", "POST"):
            response = connection.response(method)
            response.read()
            statuses.append(response.status)
    assert statuses == [200, 401, 200]


UNREAD = {
    "a body with a length": post(LENGTH[:-2]),
    "a chunked body": post(b"Transfer-Encoding: chunked", body=CHUNKED),
    "a chunked body in many chunks": post(b"Transfer-Encoding: chunked", body=b"".join(b"1\r\n%c\r\n" % c for c in BODY) + b"0\r\n\r\n"),
    "a body that looks like a request": post(b"Content-Length: %d" % len(get(b"/v1/smuggled")), body=get(b"/v1/smuggled")),
}


@pytest.mark.parametrize("title", UNREAD)
@pytest.mark.parametrize("pieces", [1, 2, 50])
def test_the_body_of_a_refused_request_is_not_taken_for_the_next(stage, title, pieces):
    gateway, upstream = stage
    before = len(upstream.requests)
    refused = UNREAD[title].replace(b"Bearer sk-test", b"Bearer sk-evil")
    payload = refused + render_request("POST", "/v1/chat/completions", chat())
    with Connection(gateway.port) as connection:
        size = -(-len(payload) // pieces)
        for i in range(0, len(payload), size):
            connection.send(payload[i : i + size])
        first = connection.response()
        first.read()
        second = connection.response()
        second.read()
        assert (first.status, second.status) == (401, 200)
        assert connection.ended(0.05) is False
    assert len(upstream.requests) == before + 1


SMUGGLED = render_request("POST", "/v1/chat/completions", chat("smuggled"))
# What is refused before its body was read, and how the body is sent.
REJECTED = {"no key": (401, b"/v1/chat/completions"), "no route": (404, b"/nowhere"), "over the limit": (413, b"/v1/tight"), "over the quota": (429, b"/v1/poor")}
BODIES = {
    "a length": (b"Content-Length: %d" % len(SMUGGLED), SMUGGLED),
    "chunks": (b"Transfer-Encoding: chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)),
    "a large length": (b"Content-Length: 300000", SMUGGLED + b"x" * (300000 - len(SMUGGLED))),
    "large chunks": (b"Transfer-Encoding: chunked", b"%x\r\n%s\r\n" % (len(SMUGGLED), SMUGGLED) + b"8000\r\n%s\r\n" % (b"x" * 0x8000) * 9 + b"0\r\n\r\n"),
    "a length, partly sent": (b"Content-Length: %d" % (len(SMUGGLED) + 10000), SMUGGLED),
    "chunks, partly sent": (b"Transfer-Encoding: chunked", b"%x\r\n%s" % (len(SMUGGLED) + 10000, SMUGGLED)),
}


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A gateway that rejects for every reason, and what its upstream saw."""
    upstream = ScriptedUpstream()
    config = make_config(upstream)
    config["routes"] = [
        {"name": "tight", "match": {"path": "/v1/tight"}, "limits": {"body_bytes": 64}, "stages": api_stages()},
        {"name": "poor", "match": {"path": "/v1/poor"}, "stages": api_stages(before=[{"quota": {"requests_per_hour": 1}}])},
        {"name": "api", "match": {"path": "/v1/chat/*"}, "stages": api_stages()}]
    gateway = Gateway(tmp_path_factory.mktemp("strict"), config)
    with Connection(gateway.port) as connection:
        assert connection.ask("POST", "/v1/poor", chat()).status == 200
    yield gateway, upstream
    upstream.close()
    gateway.finish()


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("why", REJECTED)
def test_a_rejected_body_is_never_read_as_a_request(strict, why, body):
    gateway, upstream = strict
    (status, target), (framing, sent) = REJECTED[why], BODIES[body]
    key = b"sk-evil" if why == "no key" else b"sk-test"
    before = len(upstream.requests)
    rejected = b"POST %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n%s\r\n\r\n" % (target, key, framing) + sent
    with Connection(gateway.port) as connection:
        # The second request follows in the same breath: within the body, where that has not all been sent.
        connection.send(rejected + render_request("POST", "/v1/chat/completions", chat("second"), {"Connection": "close"}))
        first = connection.response()
        first.read()
        # Not before: a client that ends its side is gone, and gets no answer.
        connection.socket.shutdown(socket.SHUT_WR) if "partly" in body else None
        rest = connection.rest()
    assert first.status == status, first.head
    seen = upstream.requests[before:]
    assert not [request for request in seen if b"smuggled" in request.body]
    if rest:
        assert first.header("connection") != "close" and "partly" not in body
        assert rest.startswith(b"HTTP/1.1 200 ") and rest.count(b"HTTP/1.1 ") == 1
        assert [b"second" in request.body for request in seen] == [True]
    else:
        assert not seen
        # Small bodies that came whole cost nobody a connection, but for one that broke the limit.
        assert "large" in body or "partly" in body or status == 413


def test_a_request_in_single_bytes_is_served(stage):
    gateway, _ = stage
    payload = post(b"Transfer-Encoding: chunked", body=CHUNKED)
    with Connection(gateway.port) as connection:
        for byte in payload:
            connection.send(bytes([byte]))
        assert connection.response().status == 200


def test_a_client_that_expects_100_continue_is_told_to_go_on(stage):
    gateway, upstream = stage
    with Connection(gateway.port) as connection:
        connection.send(post(LENGTH[:-2], b"Expect: 100-continue", body=b""))
        assert connection.response().status == 100
        connection.send(BODY)
        assert connection.response().status == 200
    assert upstream.requests[-1].header("expect") is None


def test_a_client_that_expects_100_continue_is_refused_before_its_body(stage):
    gateway, upstream = stage
    before = len(upstream.requests)
    with Connection(gateway.port) as connection:
        connection.send(post(LENGTH[:-2], b"Expect: 100-continue", body=b"").replace(b"sk-test", b"sk-wrong"))
        response = connection.response()
        response.read()
        assert response.status == 401
        assert connection.ended()
    assert len(upstream.requests) == before


def test_hop_by_hop_fields_end_here(stage):
    gateway, upstream = stage
    with Connection(gateway.port) as connection:
        connection.ask("POST", "/v1/chat/completions", chat(), {
            "Connection": "keep-alive, X-Secret-Hop", "X-Secret-Hop": "1", "Keep-Alive": "timeout=5", "TE": "trailers",
            "Proxy-Authorization": "Basic eA==", "Proxy-Connection": "keep-alive", "Upgrade": "h2c", "Cookie": "a=b",
            "X-Forwarded-For": "1.2.3.4", "X-Kept": "yes"})
    seen = upstream.requests[-1]
    for name in ("x-secret-hop", "keep-alive", "te", "proxy-authorization", "proxy-connection", "upgrade", "cookie"):
        assert seen.header(name) is None, name
    assert seen.header("x-kept") == "yes"
    assert seen.header("authorization") == "Bearer sk-upstream"


def test_a_head_request_gets_no_body(stage):
    gateway, _ = stage
    with Connection(gateway.port) as connection:
        response = connection.request("HEAD", "/v1/nothing", key="wrong").response("HEAD")
        assert response.status == 401
        assert connection.ask("POST", "/v1/chat/completions", chat()).status == 200


# --- limits ---------------------------------------------------------------------------------------------------


def test_limits_hold_at_the_limit_and_refuse_beyond_it(gateway, upstream, connect):
    g = gateway(make_config(upstream(), listeners=[{"address": "127.0.0.1:0", "head_bytes": 4096, "header_fields": 20, "target_bytes": 512}]))

    def status_of(payload):
        with Connection(g.port) as connection:
            response = connection.send(payload).response("GET")
            response.read()
            assert connection.ended() == (response.status in (400, 414, 431))
            return response.status

    def status_kept(payload):
        with Connection(g.port) as connection:
            return connection.send(payload).response("GET").status

    def fields(count):
        return [b"X-%d: 1" % i for i in range(count)]

    assert status_kept(get(b"/v1/models", *fields(19))) == 401  # with Host that is 20
    assert status_of(get(b"/v1/models", *fields(20))) == 431
    assert status_kept(get(b"/" + b"a" * 511)) == 404
    assert status_of(get(b"/" + b"a" * 512)) == 414
    room = 4096 - len(get(b"/v1/models", b"X-A: "))
    assert status_kept(get(b"/v1/models", b"X-A: " + b"a" * room)) == 401
    assert status_of(get(b"/v1/models", b"X-A: " + b"a" * (room + 1))) == 431
    assert status_of(get(b"/v1/models", b"X-A: " + b"a" * 200000)) == 431


def limited(upstream, **limits):
    config = make_config(upstream)
    config["routes"][0]["limits"] = limits
    return config


def test_a_body_that_declares_too_much_is_refused_before_it_is_read(gateway, upstream, connect):
    up = upstream()
    g = gateway(limited(up, body_bytes=1000))
    started = time.monotonic()
    response = connect(g.port).send(POST + b"Content-Length: 1000000000\r\n\r\n").response()
    response.read()
    assert response.status == 413
    assert time.monotonic() - started < 2
    assert response.json()["error"]["code"] == "payload_too_large"
    assert up.requests == []


def test_a_chunked_body_that_grows_too_large_is_refused_on_the_way(gateway, upstream, connect):
    up = upstream()
    g = gateway(limited(up, body_bytes=1000))
    connection = connect(g.port)
    connection.send(POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"384\r\n" + b" " * 900 + b"\r\n" + b"384\r\n" + b" " * 900)
    response = connection.response()
    response.read()
    assert response.status == 413
    assert connection.ended()
    assert up.requests == []


def test_a_body_of_exactly_the_limit_is_served(gateway, upstream, connect):
    up = upstream()
    g = gateway(limited(up, body_bytes=1000))
    body = BODY + b" " * (1000 - len(BODY))
    assert connect(g.port).ask("POST", "/v1/chat/completions", body).status == 200
    assert connect(g.port).ask("POST", "/v1/chat/completions", body + b" ").status == 413


# --- slow clients ---------------------------------------------------------------------------------------------


def test_a_head_that_does_not_come_to_its_end_times_out(gateway, upstream, connect):
    g = gateway(make_config(upstream(), listeners=[{"address": "127.0.0.1:0", "header_timeout": "300ms"}]))
    connection = connect(g.port)
    connection.send(b"GET /v1/models HT")
    response = connection.response()
    response.read()
    assert response.status == 408
    assert connection.ended()


def test_a_byte_now_and_then_does_not_extend_the_time_for_a_head(gateway, upstream, connect):
    g = gateway(make_config(upstream(), listeners=[{"address": "127.0.0.1:0", "header_timeout": "500ms"}]))
    connection = connect(g.port)
    started = time.monotonic()
    connection.send_slowly(b"GET /v1/models HTTP/1.1\r\nX-Slow: " + b"a" * 200, 0.05)
    assert connection.response().status == 408
    # The answer lay there long before the client stopped sending, and the gateway served others meanwhile.
    assert g.metric("sluice_requests_refused_total", reason="header_timeout") == 1
    assert time.monotonic() - started < 15


def test_two_hundred_slow_clients_hold_nobody_up(gateway, upstream, connect):
    g = gateway(make_config(upstream(), listeners=[{"address": "127.0.0.1:0", "header_timeout": "5s"}]))
    slow = [connect(g.port).send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nX-") for _ in range(200)]
    started = time.monotonic()
    assert connect(g.port).ask("POST", "/v1/chat/completions", chat()).status == 200
    assert time.monotonic() - started < 3
    assert len(slow) == 200


def test_a_body_that_stalls_times_out(gateway, upstream, connect):
    up = upstream()
    g = gateway(limited(up, body_stall="300ms"))
    connection = connect(g.port)
    connection.send(POST + b"Content-Length: 100\r\n\r\n{")
    response = connection.response()
    response.read()
    assert response.status == 408
    assert connection.ended()
    assert up.requests == []
