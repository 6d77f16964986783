"""What upstreams do wrong, and what the client gets instead: an honest error, never a made-up answer."""
import json
import threading
import time

import pytest

from harness import SANITIZER, make_config
from upstream import FIN, RST, STREAM_END, STREAM_HEAD, answer, chunk, event
from wire import Connection, chat


def ask(gateway, body=None, **options):
    with Connection(gateway.port) as connection:
        return connection.ask("POST", "/v1/chat/completions", body or chat(), **options)


# --- before the first byte ------------------------------------------------------------------------------------

DEATHS = {
    "resets on accept": [RST],
    "closes without an answer": [FIN],
    "resets after the status line": [b"HTTP/1.1 200 OK\r\n", RST],
    "closes inside the head": [b"HTTP/1.1 200 OK\r\nContent-Ty", FIN],
    "resets inside the head": [b"HTTP/1.1 200 OK\r\nContent-Ty", RST],
}


@pytest.mark.parametrize("title", DEATHS)
def test_an_upstream_that_dies_before_its_answer_is_a_502(gateway, upstream, title):
    g = gateway(make_config(upstream(otherwise=DEATHS[title])))
    response = ask(g)
    assert response.status == 502
    error = response.json()["error"]
    assert error["type"] == "api_error" and error["code"].startswith("upstream_")
    assert response.header("x-request-id")


def test_an_upstream_that_is_not_there_is_a_502(gateway, upstream):
    up = upstream()
    up.close()
    response = ask(gateway(make_config(up)))
    assert response.status == 502
    assert response.json()["error"]["code"] == "upstream_connect"


GARBLED = {
    "no HTTP at all": b"\x16\x03\x01 this is not HTTP\r\n\r\n",
    "Content-Length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "two different Content-Lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "a negative Content-Length": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}",
    "a Content-Length of 2^64 + 2": b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551618\r\n\r\n{}",
    "gzip under chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "an unknown coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n{}",
    "a status below 100": b"HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\n{}",
    "a space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n{}",
    "a field without a colon": b"HTTP/1.1 200 OK\r\nContent-Length\r\n\r\n{}",
    "NUL in a field": b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 2\r\n\r\n{}",
    "a bare CR in a field": b"HTTP/1.1 200 OK\r\nX-A: a\rSet-Cookie: b\r\nContent-Length: 2\r\n\r\n{}",
    "HTTP/3.0": b"HTTP/3.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "a switch of protocols nobody asked for": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhello",
    "a head without end": b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 300000,
    "a hundred thousand fields": b"HTTP/1.1 200 OK\r\n" + b"A: 1\r\n" * 100000 + b"\r\n",
    "an endless row of interim answers": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000,
}


@pytest.mark.parametrize("title", GARBLED)
def test_a_garbled_answer_is_a_502_and_its_connection_never_used_again(gateway, upstream, title):
    up = upstream([GARBLED[title]])
    g = gateway(make_config(up))
    response = ask(g)
    assert response.status == 502, response.body
    assert response.json()["error"]["code"] in ("upstream_protocol", "upstream_reset")
    assert ask(g).status == 200
    assert [r.connection for r in up.requests] == [1, 2]


TAKEN = {
    "interim answers first": (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + answer(b'{"a":1}'), b'{"a":1}'),
    "no reason phrase": (b"HTTP/1.1 200\r\nContent-Length: 7\r\n\r\n" + b'{"a":1}', b'{"a":1}'),
    "no length": ([b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"a":1}', FIN], b'{"a":1}'),
    "HTTP/1.0": ([b'HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\n{"a":1}', FIN], b'{"a":1}'),
    "a chunk extension and trailers": (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7;x=y\r\n{"a":1}\r\n0\r\nX-T: 1\r\n\r\n', b'{"a":1}'),
    "an empty body": (answer(b""), b""),
}


@pytest.mark.parametrize("title", TAKEN)
def test_an_odd_but_clear_answer_is_passed_on_in_our_framing(gateway, upstream, title):
    script, body = TAKEN[title]
    g = gateway(make_config(upstream(script if isinstance(script, list) else [script])))
    response = ask(g)
    assert (response.status, response.body, response.truncated) == (200, body, False)
    assert response.header("link") is None and response.header("x-t") is None


def test_an_upstreams_error_passes_with_its_status_and_body(gateway, upstream):
    body = b'{"error":{"message":"no such deployment","type":"x","param":null,"code":"y"}}'
    g = gateway(make_config(upstream(otherwise=[answer(body, "418 I'm a teapot")])))
    response = ask(g)
    assert (response.status, response.body) == (418, body)


def test_fields_of_the_upstream_that_are_its_own_affair_stay_there(gateway, upstream):
    g = gateway(make_config(upstream([answer(b"{}", headers=["Set-Cookie: a=b", "Server: x", "openai-organization: org-1", "Connection: X-Hop", "X-Hop: 1", "Keep-Alive: timeout=5"])])))
    response = ask(g)
    for name in ("set-cookie", "server", "openai-organization", "x-hop", "keep-alive"):
        assert response.header(name) is None, name


def test_an_answer_that_ends_early_is_cut_not_completed(gateway, upstream):
    g = gateway(make_config(upstream([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", FIN])))
    response = ask(g)
    assert response.status == 502 or response.truncated


def test_a_pooled_connection_that_died_unseen_costs_no_request(gateway, upstream):
    up = upstream([answer(b"{}")], [RST], [answer(b'{"second":1}')])
    g = gateway(make_config(up, workers=1))  # the pool of another worker would be empty
    assert ask(g).status == 200
    response = ask(g)  # goes out on the pooled connection, which is reset before it answers
    assert (response.status, response.body) == (200, b'{"second":1}')


def test_pooled_connections_are_reused(gateway, upstream):
    up = upstream()
    g = gateway(make_config(up, workers=1))
    for _ in range(20):
        assert ask(g).status == 200
    assert up.connections == 1


# --- streams --------------------------------------------------------------------------------------------------

WORDS = ["one ", "two ", "three ", "\u56db ", "\U0001f600"]


def check_broken(response, whole):
    """A stream that broke says so, or is cut; and never pretends to be whole."""
    events = list(response.events())
    errors = [e for e in events if e.startswith('{"error"')]
    assert errors or response.truncated
    assert response.truncated, "a broken stream has no last chunk"
    assert "[DONE]" not in events
    assert not any('"finish_reason":"' in e for e in events)
    rest = [e for e in events if e not in errors]
    assert rest == whole[: len(rest)]
    assert events[len(rest):] == errors
    return rest, errors


@pytest.mark.parametrize("how", [FIN, RST])
def test_a_stream_that_dies_at_any_event_or_inside_one_ends_in_an_error(gateway, upstream, how):
    parts = [event(w) for w in WORDS]
    whole = [p.split(b"\r\n", 1)[1].strip()[6:].decode() for p in parts]
    cuts = []
    for i in range(len(parts) + 1):
        cuts.append((i, b"".join(parts[:i])))
        if i < len(parts):
            cuts += [(i, b"".join(parts[:i]) + parts[i][:k]) for k in (1, 5, len(parts[i]) // 2, len(parts[i]) - 3, len(parts[i]) - 1)]
    up = upstream()
    g = gateway(make_config(up))
    for count, sent in cuts:
        # The event that says the client has seen enough keeps a reset from overtaking what was sent.
        seen = threading.Event()
        up.scripts.append([STREAM_HEAD + sent, seen, how] if count else [STREAM_HEAD + sent, how])
        with Connection(g.port) as connection:
            response = connection.request("POST", "/v1/chat/completions", chat(stream=True)).response()
            if response.status == 502 and count == 0:
                response.read()
                continue
            assert response.status == 200
            if count:
                pieces = response.pieces()
                got = b""
                while got.count(b"\n\n") < count:
                    got += next(pieces)
                seen.set()
                response.pieces = lambda: (yield from [got, *pieces])
            rest, errors = check_broken(response, whole)
            assert len(rest) >= count
            assert json.loads(errors[0])["error"]["code"].startswith("upstream_")


def test_a_stream_passes_byte_for_byte_however_it_is_cut(gateway, upstream):
    body = "".join(f'data: {{"choices":[{{"delta":{{"content":"{w}"}}}}]}}\n\n' for w in WORDS) + ": a comment\nid: 7\nretry: 1\nunknown: x\ndata: [DONE]\n\n"
    raw = body.encode()
    up = upstream()
    g = gateway(make_config(up))
    scripts = [[STREAM_HEAD + chunk(raw[:i]) + chunk(raw[i:]) + STREAM_END] for i in range(1, len(raw), 7)]
    scripts.append([STREAM_HEAD + b"".join(chunk(bytes([b])) for b in raw) + STREAM_END])
    scripts.append([STREAM_HEAD] + [chunk(bytes([b])) for b in raw] + [STREAM_END])
    up.scripts.extend(scripts)
    with Connection(g.port) as connection:
        for _ in scripts:
            response = connection.ask("POST", "/v1/chat/completions", chat(stream=True))
            assert (response.body, response.truncated) == (raw, False)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_line_end_of_an_event_stream_passes(gateway, upstream, line_end):
    raw = f"data: a{line_end}{line_end}: c{line_end}data: b{line_end}data: c{line_end}{line_end}data: [DONE]{line_end}{line_end}".encode()
    g = gateway(make_config(upstream([STREAM_HEAD, *[chunk(bytes([b])) for b in raw], STREAM_END])))
    response = ask(g, chat(stream=True))
    assert (response.body, response.truncated) == (raw, False)


def test_a_stream_without_its_last_blank_line_keeps_its_bytes(gateway, upstream):
    raw = b"data: a\n\ndata: b\n"
    g = gateway(make_config(upstream([STREAM_HEAD + chunk(raw) + STREAM_END])))
    assert ask(g, chat(stream=True)).body == raw


def test_json_that_is_none_inside_an_event_passes(gateway, upstream):
    raw = b'data: {"choices": [{"delta\n\ndata: [DONE]\n\n'
    g = gateway(make_config(upstream([STREAM_HEAD + chunk(raw) + STREAM_END])))
    assert ask(g, chat(stream=True)).body == raw


def test_an_event_over_the_limit_ends_the_stream_and_takes_no_memory(gateway, upstream):
    piece = b"x" * 65536
    up = upstream()
    g = gateway(make_config(up))
    assert ask(g).status == 200
    before = g.memory()
    up.scripts.append([STREAM_HEAD + event("one"), chunk(b'data: "'), *[chunk(piece)] * 1600])
    with Connection(g.port) as connection:
        response = connection.request("POST", "/v1/chat/completions", chat(stream=True)).response()
        events = list(response.events())
    assert json.loads(events[-1])["error"]["code"] == "upstream_event_too_large"
    assert response.truncated and "[DONE]" not in events
    assert g.memory() - before < (256 if SANITIZER else 24) << 20  # the limit of an event is 1 MB


def test_a_client_that_leaves_cancels_its_upstream_within_100_ms(gateway, sim):
    s = sim()
    g = gateway(make_config(s))
    for leave in ("close", "reset"):
        connection = Connection(g.port)
        connection.request("POST", "/v1/chat/completions", chat(stream=True), {"x-sim-stream": "events=10000,gap=5ms"})
        events = connection.response().events()
        for _ in range(3):
            next(events)
        s.control("POST", "/sim/mark")
        getattr(connection, leave)()
        deadline = time.monotonic() + 10
        aborts = []
        while not aborts and time.monotonic() < deadline:
            aborts = s.stats()["aborts"]["recent"] if isinstance(s.stats()["aborts"], dict) else s.stats()["aborts"]
        assert aborts, "the upstream was not cancelled"
        assert aborts[-1]["since_mark_ms"] < 100
        s.control("POST", "/sim/reset")


def test_a_client_that_leaves_before_the_first_byte_cancels_its_upstream(gateway, upstream):
    up = upstream([60.0])
    g = gateway(make_config(up))
    connection = Connection(g.port)
    connection.request("POST", "/v1/chat/completions", chat())
    assert up.wait_for(lambda u: u.requests)
    left = time.monotonic()
    connection.close()
    assert up.wait_for(lambda u: u.gone)
    assert up.gone[0] - left < 0.5
    assert g.access_log(1)[0]["status"] == 499


def test_a_client_that_reads_nothing_stops_its_upstream_and_takes_no_memory(gateway, upstream):
    up = upstream()
    g = gateway(make_config(up))
    assert ask(g).status == 200
    before = g.memory()
    big = event("x" * 16000)
    up.otherwise = [STREAM_HEAD, *[big] * 1000, STREAM_END]  # 16 MB each, if anybody took it
    slow = []
    for i in range(8):
        # The first is read in the end: 16 MB through the smallest window would be thousands of round trips.
        connection = Connection(g.port, receive_buffer=4096 if i else 65536)
        connection.request("POST", "/v1/chat/completions", chat(stream=True))
        slow.append(connection)
    assert up.wait_for(lambda u: len(u.requests) == 9)
    # The others are served meanwhile, and in the end the slow one gets every byte.
    for _ in range(20):
        up.scripts.append([answer(b"{}")])
        assert ask(g).status == 200
    assert g.memory() - before < (256 if SANITIZER else 40) << 20  # sanitizers keep what was freed
    response = slow[0].response()
    response.read()
    assert not response.truncated and len(response.body) > 1000 * 16000
    for connection in slow:
        connection.close()


def test_a_client_that_takes_nothing_for_too_long_is_cut_off(gateway, upstream):
    up = upstream(otherwise=[STREAM_HEAD, *[event("x" * 16000)] * 2000, STREAM_END])
    config = make_config(up)
    config["routes"][0]["limits"] = {"write_stall": "500ms"}
    g = gateway(config)
    connection = Connection(g.port, receive_buffer=4096)
    connection.request("POST", "/v1/chat/completions", chat(stream=True))
    line = g.access_log(1, within=20)[0]
    assert line["error"] == "client_write_stall"
    connection.close()


def test_a_whole_answer_may_be_huge(gateway, upstream):
    body = b'{"data":"' + b"z" * (20 << 20) + b'"}'
    g = gateway(make_config(upstream([answer(body)])))
    assert ask(g).body == body


def test_pings_keep_a_silent_stream_alive_but_not_its_deadline(gateway, upstream):
    go_on = threading.Event()
    config = make_config(upstream([STREAM_HEAD + event("one"), go_on, event("two") + chunk("data: [DONE]\n\n") + STREAM_END]))
    config["routes"][0]["stages"][-1] = {"relay": {"ping": "50ms"}}
    g = gateway(config)
    with Connection(g.port) as connection:
        response = connection.request("POST", "/v1/chat/completions", chat(stream=True)).response()
        pings = 0
        for piece in response.pieces():
            pings += piece.count(b": ping\n\n")
            if pings >= 2:
                go_on.set()
    assert pings >= 2 and response.body.endswith(b"data: [DONE]\n\n")
    assert not response.truncated
