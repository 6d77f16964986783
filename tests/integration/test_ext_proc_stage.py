"""The stage ext_proc against a processor with Envoy's own schema: every mode both ways, what it may change, and processors
that do everything wrong."""
import json
import threading
import time

import pytest

from harness import api_stages, make_config
from mock_processor import Garbage, MockProcessor, immediate, passed, pb, set_header, until_it_is_left
from test_pools import wait_for
from upstream import answer, chunk
from wire import Connection, chat

REPLY = b'{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"}}]}'


@pytest.fixture
def processor():
    """start(behave): a processor of this test."""
    started = []

    def start(behave=None):
        started.append(MockProcessor(behave))
        return started[-1]

    yield start
    for one in started:
        one.close()
        assert not one.differing


def with_processor(up, p, **options):
    stage = {"target": f"127.0.0.1:{p if isinstance(p, int) else p.port}", "name": "mock", "message_timeout": "2s", **options}
    return make_config(up, routes=[{"name": "api", "match": {"path": "/v1/*"}, "stages": api_stages(before=[{"ext_proc": stage}])}])


def ask(g, headers=None, **more):
    with Connection(g.port) as connection:
        return connection.ask("POST", "/v1/chat/completions", chat(**more), headers)


def outcomes(g, which):
    return g.metric("sluice_ext_proc_requests_total", processor="mock", outcome=which)


MODES = {"none": 0, "streamed": 1, "buffered": 2, "full_duplex": 4}


def replace(body, kind, mode):
    """A body answer that puts `body` in the place of what came."""
    m = pb.ProcessingResponse()
    mutation = getattr(m, kind).response.body_mutation
    if mode == "full_duplex":
        mutation.streamed_response.body, mutation.streamed_response.end_of_stream = body, True
    else:
        mutation.body = body
    return m


@pytest.mark.parametrize("mode", ["streamed", "buffered", "full_duplex"])
def test_bodies_are_shown_and_replaced_both_ways(gateway, upstream, processor, mode):
    up = upstream(otherwise=[answer(REPLY)])
    sent = json.dumps({"model": "m", "messages": [], "changed": True}).encode()

    def behave(m, kind, note, context):
        if not kind.endswith("body"):
            yield passed(kind)
            return
        last = getattr(m, kind).end_of_stream
        whole = mode == "buffered" or last
        if mode == "streamed" and not last:
            yield replace(b"", kind, mode)
        elif whole:
            yield replace(sent if kind == "request_body" else b'{"made":"anew"}', kind, mode)

    p = processor(behave)
    g = gateway(with_processor(up, p, request_body=mode, response_body=mode))
    response = ask(g, content="x" * 150_000)
    assert response.status == 200, response.body
    assert response.body == b'{"made":"anew"}'
    assert up.requests[0].body == sent
    note = p.seen[0]
    assert len(json.loads(note["request_body"])["messages"][0]["content"]) == 150_000
    assert note["response_body"] == REPLY
    first = note["messages"][0].protocol_config
    assert (first.request_body_mode, first.response_body_mode) == (MODES[mode], MODES[mode])
    wait_for(lambda: outcomes(g, "processed") == 1)


def test_without_bodies_only_heads_are_shown_and_changed(gateway, upstream, processor):
    up = upstream(otherwise=[answer(REPLY)])

    def behave(m, kind, note, context):
        out = passed(kind)
        response = getattr(out, kind).response
        set_header(response, "x-seen", "yes")
        set_header(response, "content-length", "1")
        set_header(response, "transfer-encoding", "chunked")
        if kind == "request_headers":
            set_header(response, "host", "evil.example")
            set_header(response, ":method", "DELETE")
            response.header_mutation.remove_headers.append("x-secret")
        else:
            set_header(response, ":status", "203")
        yield out

    p = processor(behave)
    g = gateway(with_processor(up, p, request_attributes=["request.path"]))
    response = ask(g, {"x-secret": "1", "Cookie": "a=b"})
    assert (response.status, response.header("x-seen"), response.body) == (203, "yes", REPLY)
    request = up.requests[0]
    assert request.line.startswith("POST ") and request.header("x-seen") == "yes" and not request.all("x-secret")
    assert request.header("host") == f"127.0.0.1:{up.port}"
    note = p.seen[0]
    assert note["kinds"] == ["request_headers", "response_headers"]
    head = note["request_headers"]
    assert head[":path"] == "/v1/chat/completions" and head["x-secret"] == "1"
    assert "authorization" not in head and "cookie" not in head
    assert note["messages"][0].attributes["envoy.filters.http.ext_proc"].fields["request.path"].string_value == "/v1/chat/completions"
    wait_for(lambda: g.metric("sluice_ext_proc_refused_headers_total", processor="mock") == 6)


def two_models(up, p, **options):
    config = with_processor(up, p, request_body="buffered", **options)
    config["models"] = [{"name": n, "targets": [{"provider": config["providers"][0]["name"], "model": "up-" + n}]} for n in ("m", "chosen")]
    return config


@pytest.mark.parametrize("how", ["body", "x-vsr-selected-model", "x-selected-model"])
def test_the_model_that_the_processor_chooses_is_routed(gateway, upstream, processor, how):
    up = upstream(otherwise=[answer(REPLY)])

    def behave(m, kind, note, context):
        if kind != "request_body":
            yield passed(kind)
        elif how == "body":
            yield replace(json.dumps({**json.loads(m.request_body.body), "model": "chosen"}).encode(), kind, "buffered")
        else:
            out = passed(kind)
            set_header(out.request_body.response, how, "chosen")
            yield out

    g = gateway(two_models(up, processor(behave)))
    assert ask(g).status == 200
    assert json.loads(up.requests[0].body)["model"] == "up-chosen"
    assert g.access_log(1)[0]["model"] == "chosen"


def test_a_client_cannot_say_what_the_processor_chose(gateway, upstream, processor):
    up = upstream(otherwise=[answer(REPLY)])
    g = gateway(two_models(up, processor()))
    assert ask(g, {"x-selected-model": "chosen"}).status == 200
    assert json.loads(up.requests[0].body)["model"] == "up-m"


def test_every_kind_of_message_is_written_as_with_the_whole_schema(gateway, upstream, processor):
    up = upstream(otherwise=[answer(REPLY)])
    p = processor()
    g = gateway(with_processor(up, p, request_body="streamed", response_body="streamed", request_attributes=["source.address"]))
    assert ask(g, {"x-text": "caf\u00e9".encode().decode("latin-1"), "x-empty": ""}).status == 200
    assert set(p.seen[0]["kinds"]) == {"request_headers", "request_body", "response_headers", "response_body"}
    assert not p.differing


@pytest.mark.parametrize("phase", ["request_headers", "request_body", "response_headers", "response_body"])
@pytest.mark.parametrize("status", [200, 429, 503])
def test_an_immediate_response_is_the_reply_in_every_phase(gateway, upstream, processor, phase, status):
    up = upstream(otherwise=[answer(REPLY)])

    def behave(m, kind, note, context):
        yield immediate(status, [("x-why", "asked"), ("content-type", "text/plain")], b"mine") if kind == phase else passed(kind)

    g = gateway(with_processor(up, processor(behave), request_body="buffered", response_body="buffered"))
    response = ask(g)
    assert (response.status, response.header("x-why"), response.body) == (status, "asked", b"mine")
    assert len(up.requests) == (1 if phase.startswith("response") else 0)  # and is not tried again
    wait_for(lambda: outcomes(g, "replied") == 1)


def stream_of(count, gap):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    steps = [head]
    for i in range(count):
        steps += [chunk(f"data: {{\"n\":{i}}}\n\n".encode()), gap]
    return steps + [chunk(b"data: [DONE]\n\n"), b"0\r\n\r\n"]


@pytest.mark.parametrize("mode", ["streamed", "full_duplex"])
def test_streams_stay_streams(gateway, upstream, processor, mode):
    up = upstream(otherwise=stream_of(8, 0.08))

    def behave(m, kind, note, context):
        if kind == "response_body" and mode == "full_duplex":
            out = pb.ProcessingResponse()
            part = out.response_body.response.body_mutation.streamed_response
            part.body, part.end_of_stream = m.response_body.body, m.response_body.end_of_stream
            yield out
        else:
            yield passed(kind)

    g = gateway(with_processor(up, processor(behave), response_body=mode))
    with Connection(g.port) as connection:
        response = connection.request("POST", "/v1/chat/completions", chat(stream=True)).response()
        arrived = [time.monotonic() for _ in response.events()]
    gaps = [b - a for a, b in zip(arrived, arrived[1:])]
    assert len(arrived) == 9 and sum(gap > 0.04 for gap in gaps) >= 6, gaps


def test_an_immediate_response_inside_a_stream_breaks_it_off(gateway, upstream, processor):
    up = upstream(otherwise=stream_of(8, 0.05))

    def behave(m, kind, note, context):
        yield immediate(403) if note["response_body"].count(b"data") > 2 else passed(kind)

    g = gateway(with_processor(up, processor(behave), response_body="streamed"))
    with Connection(g.port) as connection:
        response = connection.request("POST", "/v1/chat/completions", chat(stream=True)).response()
        body = b""
        try:
            for piece in response.pieces():
                body += piece
        except Exception:
            pass
    assert b"[DONE]" not in body and b"error" in body
    assert up.wait_for(lambda u: u.gone or not u.open)


@pytest.mark.parametrize("phase", ["request_headers", "response_headers"])
def test_heads_may_bring_a_body_of_their_own(gateway, upstream, processor, phase):
    up = upstream(otherwise=[answer(REPLY)])
    body = chat("mine")
    body = body if isinstance(body, bytes) else json.dumps(body).encode()

    def behave(m, kind, note, context):
        out = passed(kind)
        if kind == phase:
            out_response = getattr(out, kind).response
            out_response.status = 1
            out_response.body_mutation.body = body
        yield out

    g = gateway(with_processor(up, processor(behave), request_body="buffered", response_body="buffered"))
    response = ask(g)
    assert response.status == 200
    if phase == "request_headers":
        assert json.loads(up.requests[0].body)["messages"][0]["content"] == "mine" and response.body == REPLY
    else:
        assert response.body == body


def test_modes_may_be_overridden_where_it_is_allowed(gateway, upstream, processor):
    up = upstream(otherwise=[answer(REPLY)])

    def behave(m, kind, note, context):
        out = passed(kind)
        if kind == "request_headers":
            out.mode_override.request_body_mode = 2
            out.mode_override.response_header_mode = 2  # skip
        yield out

    for allowed in (True, False):
        p = processor(behave)
        g = gateway(with_processor(up, p, allow_mode_override=allowed))
        assert ask(g, content="x" * 150_000).status == 200
        wanted = ["request_headers", "request_body"] if allowed else ["request_headers", "response_headers"]
        assert p.seen[0]["kinds"] == wanted


def wrong_behaviour(words):
    def behave(m, kind, note, context):
        if words == "hang":
            until_it_is_left(context)
        elif words == "fail":
            context.abort(__import__("grpc").StatusCode.INTERNAL, "no")
        elif words == "garbage":
            yield Garbage(b"\xff\xff\xff\xff\xff")
        elif words == "out of order":
            yield passed("response_headers" if kind.startswith("request") else "request_headers")
        elif words == "too large":
            yield replace(b"x" * 200_000, kind, "buffered") if kind.endswith("body") else passed(kind)
        elif words == "many headers":
            out = passed(kind)
            for i in range(200):
                set_header(getattr(out, kind).response, f"x-{i}", "1")
            yield out
    return behave


@pytest.mark.parametrize("words", ["hang", "fail", "garbage", "out of order", "too large", "many headers"])
@pytest.mark.parametrize("way", ["request", "response"])
@pytest.mark.parametrize("mode", ["open", "closed"])
def test_a_processor_that_is_wrong_never_hangs_an_exchange(gateway, upstream, processor, words, way, mode):
    up = upstream(otherwise=[answer(REPLY)])
    wrong = wrong_behaviour(words)

    def behave(m, kind, note, context):
        yield from wrong(m, kind, note, context) if kind.startswith(way) else [passed(kind)]

    g = gateway(with_processor(up, processor(behave), failure_mode=mode, message_timeout="300ms", request_body="buffered",
                               response_body="buffered", body_bytes_max="64KiB"))
    began = time.monotonic()
    response = ask(g)
    assert time.monotonic() - began < 1.3
    if mode == "open":
        assert (response.status, response.body) == (200, REPLY)
        assert len(up.requests) == 1
    else:
        assert response.status == (504 if words == "hang" else 500), response.body
        assert response.json()["error"]["message"]
        assert len(up.requests) == (0 if way == "request" else 1)  # nothing is tried again
    wait_for(lambda: outcomes(g, "failed") == 1)


def test_one_that_is_not_there_fails_open_or_closed_and_is_left_alone(gateway, upstream, processor):
    up = upstream(otherwise=[answer(REPLY)])
    p = processor()
    p.close()
    opened = gateway(with_processor(up, p.port, failure_mode="open"))
    assert [ask(opened).status for _ in range(8)] == [200] * 8
    assert outcomes(opened, "skipped") >= 1
    closed = gateway(with_processor(up, p.port))
    assert [ask(closed).status for _ in range(7)] == [500] * 7


def test_a_stream_that_it_ends_well_goes_on_without_it(gateway, upstream, processor):
    up = upstream(otherwise=[answer(REPLY)])

    class Leaving(MockProcessor):
        def process(self, requests, context):
            next(requests)
            return
            yield

    p = Leaving()
    try:
        g = gateway(with_processor(up, p, request_body="buffered", response_body="buffered"))
        response = ask(g)
        assert (response.status, response.body) == (200, REPLY)
        wait_for(lambda: outcomes(g, "processed") == 1)
    finally:
        p.close()


def test_bodies_over_the_limit_are_an_error_or_pass_unseen(gateway, upstream, processor):
    large = b'{"text":"' + b"x" * 100_000 + b'"}'
    up = upstream(otherwise=[answer(large)])
    for mode in ("open", "closed"):
        g = gateway(with_processor(up, processor(), failure_mode=mode, request_body="buffered", response_body="buffered",
                                   body_bytes_max="64KiB"))
        response = ask(g)
        assert (response.status, response.body) == (200, large) if mode == "open" else response.status == 500
        response = ask(g, content="x" * 100_000)
        assert response.status == (200 if mode == "open" else 413)


def test_one_that_only_watches_delays_nothing(gateway, upstream, processor):
    up = upstream(otherwise=[answer(REPLY)])
    served = threading.Event()

    def behave(m, kind, note, context):
        served.wait(60)  # longer than the client has patience
        return
        yield

    p = processor(behave)
    g = gateway(with_processor(up, p, observability_mode=True, request_body="streamed", response_body="streamed"))
    response = ask(g)
    assert (response.status, response.body) == (200, REPLY)
    served.set()
    wait_for(lambda: p.seen and p.seen[0]["done"])
    note = p.seen[0]
    assert note["kinds"][:3] == ["request_headers", "request_body", "response_headers"]
    assert note["response_body"] == REPLY and all(m.observability_mode for m in note["messages"])
    wait_for(lambda: outcomes(g, "observed") == 1)
