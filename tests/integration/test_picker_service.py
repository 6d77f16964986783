"""Outside endpoint pickers (ext-proc): the conformance cases of the Gateway API inference extension's data plane against a
picker with Envoy's own schema, and pickers that do everything wrong."""
import collections
import json
import threading
import time

import pytest

from mock_epp import MockPicker
from test_pools import all_ready, api, endpoint_of, endpoints, pool_config, wait_for
from wire import Connection, chat


@pytest.fixture
def picker():
    """start(endpoints): a picker of this test."""
    started = []

    def start(endpoints, **options):
        started.append(MockPicker(endpoints, **options))
        return started[-1]

    yield start
    for one in started:
        one.close()


def keys(servers):
    return [f"127.0.0.1:{port}" for port in servers.ports]


def with_picker(servers, p, service=None, **changes):
    service = {"address": f"127.0.0.1:{p if isinstance(p, int) else p.port}", "first_response": "1s", **(service or {})}
    return pool_config(servers.ports, {"picker_service": service, "balancer": "round_robin"}, **changes)


def ask(g, epp="", text="hello", headers=None, stream=False, **more):
    headers = {**({"x-epp": epp} if epp else {}), **(headers or {})}
    with Connection(g.port) as connection:
        return connection.ask("POST", "/v1/chat/completions",
                              chat(messages=[{"role": "user", "content": text}], stream=stream, **more), headers)


def asked(servers):
    """How many chats each has answered, in the order of their ports."""
    return [servers.stats(port)["requests"].get("/v1/chat/completions", {}).get("200", 0) for port in servers.ports]


def land_where_the_picker_says(g, servers, chosen):
    """A hundred requests, ten at a time, for which the picker names the first `chosen` servers, and the others get none."""
    wanted = "+".join(keys(servers)[:chosen])
    answers = []

    def client():
        for _ in range(10):
            answers.append(ask(g, headers={"test-epp-endpoint-selection": wanted}))

    threads = [threading.Thread(target=client) for _ in range(10)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert [a.status for a in answers] == [200] * 100
    assert {a.header("x-conformance-test-served-endpoint") for a in answers} <= set(keys(servers)[:chosen])
    counts = asked(servers)
    assert sum(counts) == 100 and not any(counts[chosen:])


# --- conformance ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("chosen", [1, 2, 3])
def test_requests_land_only_where_the_picker_says(gateway, sim, picker, chosen):
    servers = sim(count=3)
    p = picker(keys(servers))
    g = gateway(with_picker(servers, p))
    all_ready(g, 3)
    land_where_the_picker_says(g, servers, chosen)


def test_the_served_endpoint_is_told_and_is_the_second_when_the_first_is_dead(gateway, sim, picker):
    servers, dead = sim(), sim()
    p = picker([f"127.0.0.1:{dead.port}", f"127.0.0.1:{servers.port}"])
    config = with_picker(servers, p)
    config["pools"][0]["endpoints"].append({"url": f"http://127.0.0.1:{dead.port}"})
    config["pools"][0]["check"] = {"path": ""}
    dead.stop()
    g = gateway(config)
    response = ask(g)
    assert response.status == 200
    assert response.header("x-conformance-test-served-endpoint") == f"127.0.0.1:{servers.port}"
    assert p.seen[0]["served"] == f"127.0.0.1:{servers.port}" and len(p.seen) == 1
    assert g.access_log(1)[0]["attempts"] == 2


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize("shadow", [False, True])
def test_the_picker_sees_promises_and_the_rest_only_of_those_who_are_trusted(gateway, sim, picker, trusted, shadow):
    servers = sim()
    p = picker(keys(servers))
    config = with_picker(servers, p, {"shadow": shadow})
    config["pools"][0]["admission"] = {"trust_headers": trusted}
    g = gateway(config)
    all_ready(g, 1)
    promise = {"x-llm-d-slo-ttft-ms": "900"}
    claims = {"x-llm-d-inference-objective": "gold", "x-gateway-inference-fairness-id": "me"}
    assert ask(g, headers={**promise, **claims}).status == 200
    wait_for(lambda: p.seen and "headers" in p.seen[0])
    seen = p.seen[0]["headers"]
    assert promise.items() <= seen.items()
    assert set(claims) & set(seen) == (set(claims) if trusted else set())
    heads = json.dumps(servers.stats()["last_requests"]).lower()
    assert "chat/completions" in heads and "x-llm-d" not in heads and "fairness" not in heads


def test_a_picker_that_is_not_there_fails_open_or_closed(gateway, sim, picker):
    servers = sim(count=2)
    p = picker(keys(servers))
    port = p.port
    p.close()
    opened = gateway(with_picker(servers, port, {"on_failure": "open"}))
    all_ready(opened, 2)
    began = time.monotonic()
    assert [ask(opened).status for _ in range(12)] == [200] * 12
    assert time.monotonic() - began < 2
    assert opened.metric("sluice_picker_service_requests_total", outcome="native") == 12
    closed = gateway(with_picker(servers, port))
    all_ready(closed, 2)
    response = ask(closed)
    assert (response.status, response.header("retry-after")) == (503, "1")


def test_weighted_pools_share_the_requests_and_each_asks_its_own_picker(gateway, sim, picker):
    first, second = sim(), sim()
    p, q = picker(keys(first)), picker(keys(second))
    config = with_picker(first, p)
    config["pools"].append({**json.loads(json.dumps(config["pools"][0])), "name": "other",
                            "endpoints": [{"url": f"http://127.0.0.1:{second.port}"}]})
    config["pools"][1]["picker_service"]["address"] = f"127.0.0.1:{q.port}"
    config["models"] = [{"name": "m", "targets": [{"pool": "fleet", "weight": 70}, {"pool": "other", "weight": 30}]},
                        {"name": "only", "targets": [{"pool": "other"}]}]
    g = gateway(config)
    counts = collections.Counter(ask(g).header("x-conformance-test-served-endpoint") for _ in range(200))
    assert set(counts) == {*keys(first), *keys(second)}
    assert abs(counts[keys(first)[0]] / 200 - 0.7) < 0.146  # 4.5 sigma
    assert len(p.seen) == counts[keys(first)[0]] and len(q.seen) == counts[keys(second)[0]]
    assert ask(g, model="only").header("x-conformance-test-served-endpoint") == keys(second)[0]


def test_what_the_picker_is_told_and_what_it_may_change(gateway, sim, picker):
    servers = sim()
    p = picker(keys(servers))
    g = gateway(with_picker(servers, p))
    text = "words " * 40_000  # several pieces
    response = ask(g, "rewrite", text, headers={"x-gateway-destination-endpoint": "10.9.9.9:1", "x-mine": "1"})
    assert response.status == 200 and response.header("x-went-into-resp-headers") == "true"
    seen = p.seen[0]
    assert seen["headers"][":method"] == "POST" and seen["headers"][":path"] == "/v1/chat/completions"
    assert "authorization" not in seen["headers"]
    assert seen["headers"]["x-request-id"] == response.header("x-request-id")
    assert seen["headers"]["x-mine"] == "1" and "x-gateway-destination-endpoint" not in seen["headers"]
    assert seen["first"].protocol_config.request_body_mode == 4 and seen["first"].protocol_config.response_body_mode == 4
    assert json.loads(seen["body"])["messages"][0]["content"] == text
    assert seen["messages"].count("request_body") > 3
    head = next(h for h in servers.stats()["last_requests"] if "chat" in h["target"])
    sent = {name.lower(): value for name, value in head["headers"]}
    assert sent["x-from-picker"] == "yes" and sent["x-prefiller-host-port"] == "10.0.0.9:1"
    assert sent["host"] == keys(servers)[0]
    assert int(sent["content-length"]) == head["body_bytes"] == len(json.dumps({**json.loads(seen["body"]), "picked": True}, sort_keys=True))
    assert json.loads(seen["reply_body"]) == response.json()


def test_streams_pass_piece_by_piece(gateway, sim, picker):
    servers = sim()
    p = picker(keys(servers))
    g = gateway(with_picker(servers, p))
    with Connection(g.port) as connection:
        response = connection.request("POST", "/v1/chat/completions", chat(stream=True), {
            "x-sim-stream": "events=10,bytes=200,gap=60ms"}).response()
        arrived = [time.monotonic() for _ in response.events()]
    gaps = [b - a for a, b in zip(arrived, arrived[1:])]
    assert sum(gap > 0.03 for gap in gaps) >= 8, gaps  # none waits for the next one
    assert b"[DONE]" in p.seen[0]["reply_body"]


def test_a_translated_reply_is_shown_as_the_server_gave_it(gateway, sim, picker):
    servers = sim()
    p = picker(keys(servers))
    config = with_picker(servers, p)
    g = gateway(config)
    for stream in (False, True):
        with Connection(g.port) as connection:
            response = connection.ask("POST", "/v1/messages", {"model": "m", "max_tokens": 9, "stream": stream,
                                                               "messages": [{"role": "user", "content": "hi"}]})
        assert response.status == 200, response.body
        assert (b"message_stop" in response.body) == stream
        assert b"chat.completion" in p.seen[-1]["reply_body"]


# --- pickers that fail ------------------------------------------------------------------------------------------

WRONG = {  # the script, and whether the request failed before the picker had all of it
    "hang-early": "it hangs before the end of the request",
    "hang": "it hangs behind the end of the request",
    "fail": "it fails",
    "reset": "it resets the stream",
    "garbage": "it says what cannot be read",
    "body-first": "it answers the body before the headers",
    "picks=10.0.0.1:80": "it picks an endpoint that is none of the pool",
    "picks=localhost:80": "it picks a name",
    "picks=": "it picks nothing",
    "differ": "header and metadata differ",
    "no-pick": "it forgets to pick",
    "empty": "it says nothing, often",
    "half,leave-after-pick": "it leaves in the middle of a body",
}


@pytest.mark.parametrize("words", WRONG)
@pytest.mark.parametrize("mode", ["open", "closed"])
def test_a_picker_that_is_wrong_never_hangs_a_request(gateway, sim, picker, words, mode):
    servers = sim(count=2)
    p = picker(keys(servers))
    g = gateway(with_picker(servers, p, {"on_failure": mode, "first_response": "400ms", "message_timeout": "400ms"}))
    all_ready(g, 2)
    began = time.monotonic()
    response = ask(g, words)
    assert time.monotonic() - began < 2
    if mode == "open":
        assert response.status == 200, response.body
    else:
        assert (response.status, response.header("retry-after")) == (503, "1"), response.body
    assert g.metric("sluice_picker_service_requests_total", outcome="failed") == 1
    if words.startswith("picks=10"):
        assert g.metric("sluice_picker_service_unknown_endpoints_total", pool="fleet") == 1
    assert ask(g).status == 200  # the next one is served as ever


ODD = ["twice", "bytes", "as-it-came", "no-metadata", "no-header", "header-only,leave-after-pick", "leave-after-pick",
       "rewrite,bytes", "leave"]


@pytest.mark.parametrize("words", ODD)
def test_what_is_odd_and_allowed_works(gateway, sim, picker, words):
    servers = sim(count=2)
    p = picker(keys(servers)[1:])
    g = gateway(with_picker(servers, p))
    all_ready(g, 2)
    for stream in (False, True):
        response = ask(g, words, stream=stream)
        assert response.status == 200, response.body
        if words != "leave":
            assert endpoint_of(g, response) == keys(servers)[1]


def test_immediate_responses_reach_the_client(gateway, sim, picker):
    servers = sim()
    p = picker(keys(servers))
    g = gateway(with_picker(servers, p))
    early = ask(g, "immediate-early")
    assert (early.status, early.header("x-llm-d-request-dropped-reason"), early.body) == (429, "rejected-saturated", b"busy")
    refused = ask(g, "immediate")
    assert (refused.status, refused.json()["error"]["message"]) == (403, "not you")
    late = ask(g, "immediate-late", headers={"x-sim-fault": "delay=300ms"})
    assert (late.status, late.header("x-llm-d-request-dropped-reason")) == (429, "evicted")
    denied = ask(g, "reply-denied")
    assert (denied.status, denied.body) == (451, b"no")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("words,opened,closed", [("reply-hang", 200, 503), ("reply-leave", 200, 200), ("reply-fail", 200, None)])
def test_a_picker_that_fails_at_the_reply(gateway, sim, picker, words, opened, closed, stream):
    servers = sim()
    p = picker(keys(servers))
    for mode, wanted in (("open", opened), ("closed", closed)):
        g = gateway(with_picker(servers, p, {"on_failure": mode, "message_timeout": "300ms"}))
        with Connection(g.port) as connection:
            response = connection.request("POST", "/v1/chat/completions", chat(stream=stream), {"x-epp": words}).response()
            body = b"".join(response.pieces()) if hasattr(response, "pieces") else response.body
        if wanted == 200:
            assert response.status == 200 and not response.truncated and body, (mode, body)
        elif wanted is None:
            assert response.truncated or response.status >= 500 or b"error" in body
        else:
            assert response.status == wanted


def test_a_picker_that_keeps_failing_is_left_alone_for_a_while(gateway, sim, picker):
    servers = sim()
    p = picker(keys(servers))
    g = gateway(with_picker(servers, p, {"on_failure": "open", "first_response": "100ms"}))
    all_ready(g, 1)
    for _ in range(5):
        assert ask(g, "hang").status == 200
    asked = len(p.seen)
    began = time.monotonic()
    assert [ask(g, "hang").status for _ in range(5)] == [200] * 5
    assert time.monotonic() - began < 0.5 and len(p.seen) == asked
    time.sleep(1.1)
    assert ask(g).status == 200 and len(p.seen) == asked + 1
    assert ask(g).status == 200 and len(p.seen) == asked + 2


def test_a_shadow_picker_is_compared_and_decides_nothing(gateway, sim, picker):
    servers = sim(count=2)
    p = picker(keys(servers)[:1])
    g = gateway(with_picker(servers, p, {"shadow": True}))
    all_ready(g, 2)
    for _ in range(10):
        assert ask(g).status == 200
    outcome = lambda name: g.metric("sluice_picker_service_requests_total", outcome=name)
    wait_for(lambda: outcome("shadow_agreed") + outcome("shadow_differed") == 10)
    assert 3 <= outcome("shadow_agreed") <= 7  # it always says the first; each worker takes turns of its own
    assert ask(g, "hang").status == 200


def test_a_picker_restarts_and_is_found_again(gateway, sim, picker):
    servers = sim()
    p = picker(keys(servers))
    g = gateway(with_picker(servers, p, {"on_failure": "open"}))
    all_ready(g, 1)
    assert ask(g).header("x-went-into-resp-headers") == "true"
    p.close()
    assert ask(g).status == 200
    again = picker(keys(servers), port=p.port)
    wait_for(lambda: ask(g).header("x-went-into-resp-headers") == "true")
    assert again.seen


@pytest.mark.parametrize("request_body,response_body", [("buffered", "none"), ("none", "none"), ("streamed", "buffered"), ("buffered", "streamed")])
def test_other_body_modes_are_announced(gateway, sim, picker, request_body, response_body):
    servers = sim()
    p = picker(keys(servers))
    g = gateway(with_picker(servers, p, {"request_body": request_body, "response_body": response_body, "on_failure": "open",
                                         "message_timeout": "300ms"}))
    assert ask(g).status == 200
    modes = {"none": 0, "streamed": 1, "buffered": 2}
    first = p.seen[0]["first"].protocol_config
    assert (first.request_body_mode, first.response_body_mode) == (modes[request_body], modes[response_body])
