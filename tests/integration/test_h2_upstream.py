"""HTTP/2 towards model servers (h2c), by a server on a library that is not ours."""
import threading
import time

import pytest

from h2_server import H2Server
from mock_epp import MockPicker
from test_pools import all_ready, ask, endpoint_of, pool_config, wait_for
from wire import Connection, chat

CHAT = "/v1/chat/completions"


@pytest.fixture
def server():
    """start(...): a server of this test."""
    started = []

    def start(**options):
        started.append(H2Server(**options))
        return started[-1]

    yield start
    for one in started:
        one.close()


def h2_config(*servers, pool=None, **changes):
    return pool_config([s.port for s in servers], {"http_version": "2", "balancer": "round_robin", **(pool or {})}, **changes)


def do(what):
    return {"x-do": what}


def stands_still(value, looks=10, within=10):
    """Until it has not changed for so many looks."""
    last, same = value(), 0

    def still():
        nonlocal last, same
        now = value()
        last, same = now, same + 1 if now == last else 0
        return same >= looks

    wait_for(still, within)


def test_plain_and_streamed_answers_pass_and_checks_speak_the_same(gateway, server):
    s = server()
    g = gateway(h2_config(s))
    all_ready(g, 1)
    plain = ask(g, headers={"X-Mixed-Case": "Value", "connection": "keep-alive"})
    assert (plain.status, plain.json()["choices"][0]["message"]["content"]) == (200, "hello")
    assert plain.header("x-spoken") == "h2"
    streamed = ask(g, stream=True)
    assert streamed.status == 200 and streamed.body.endswith(b"data: [DONE]\n\n") and streamed.body.count(b"w") == 10
    assert streamed.header("x-trailer") is None
    head = s.requests[0]
    assert (head[":method"], head[":path"], head[":scheme"], head[":authority"]) == ("POST", CHAT, "http", f"127.0.0.1:{s.port}")
    assert head["x-mixed-case"] == "Value" and int(head["content-length"]) == s.body_bytes[0]
    assert not {"connection", "host", "transfer-encoding", "authorization"} & set(head)
    assert any(line.get("output_tokens") == 2 for line in g.access_log(2))


def test_many_requests_share_few_connections(gateway, server):
    s = server(streams_max=60)
    g = gateway(h2_config(s))
    all_ready(g, 1)
    made = s.connections
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(ask(g, headers=do("wait=0.5")).status)) for _ in range(100)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert answers == [200] * 100
    # Two workers, each with the connections that 100 requests on either need, and the one of checks.
    assert s.connections - made <= 4, (made, s.connections)
    assert 20 <= s.most_at_once <= 60


def test_a_server_that_goes_away_fails_nothing(gateway, server):
    s = server(goaway_after=7)
    g = gateway(h2_config(s, workers=1))
    all_ready(g, 1)
    answers = []

    def client(n):
        for i in range(10):
            answers.append(ask(g, f"{n} {i}", headers=do("wait=0.02")).status)

    threads = [threading.Thread(target=client, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert answers == [200] * 80
    assert s.connections >= 80 // 60


def test_what_was_reset_before_its_answer_is_asked_of_another(gateway, server):
    bad, good = server(), server()
    g = gateway(h2_config(bad, good))
    all_ready(g, 2)
    # Each asks whoever is next; the header makes both of them reset it but the good one only refuses.
    statuses = [ask(g, f"{i}", headers=do("refuse" if i % 2 else "reset")).status for i in range(4)]
    assert set(statuses) <= {502}, "both reset it"
    assert len(bad.requests) >= 2 and len(good.requests) >= 2, "the other one was asked, too"
    assert ask(g).status == 200


def test_a_stream_that_breaks_ends_honestly(gateway, server):
    s = server()
    g = gateway(h2_config(s))
    all_ready(g, 1)
    response = ask(g, stream=True, headers=do("break"))
    assert response.status == 200 and b"w4" in response.body
    assert b"[DONE]" not in response.body and b'"error"' in response.body
    short = ask(g, headers=do("short"))
    assert short.status == 502 or short.truncated


def test_a_client_that_goes_cancels_its_stream(gateway, server):
    s = server()
    g = gateway(h2_config(s))
    all_ready(g, 1)
    for what in ("hang", "slow"):
        with Connection(g.port) as connection:
            connection.request("POST", CHAT, chat(stream=True), do(what))
            wait_for(lambda: len(s.requests) == (1 if what == "hang" else 2))
            if what == "slow":
                next(connection.response().events())
            before = len(s.cancelled)
            gone = time.monotonic()
        wait_for(lambda: len(s.cancelled) > before, within=2)
        assert s.cancelled[-1] - gone < 0.5
    assert ask(g).status == 200


def test_times_hold(gateway, server):
    s = server()
    g = gateway(h2_config(s, pool={"timeouts": {"first_byte": "300ms"}}))
    all_ready(g, 1)
    began = time.monotonic()
    response = ask(g, headers=do("hang"))
    assert response.status == 504 and time.monotonic() - began < 3


def test_large_bodies_pass_both_ways_in_bounded_memory(gateway, server):
    s = server()
    g = gateway(h2_config(s, workers=1))
    all_ready(g, 1)
    assert ask(g, "x" * 5_000_000).status == 200
    assert s.body_bytes[-1] > 5_000_000
    before = g.memory()
    with Connection(g.port, receive_buffer=65536) as connection:
        connection.request("POST", CHAT, chat(), do("large"))
        response = connection.response("POST")
        # Nobody reads: so all that is between has filled up, and the server may send no more.
        wait_for(lambda: s.sent[CHAT] > 0)
        stands_still(lambda: s.sent[CHAT])
        assert s.sent[CHAT] < 16 << 20
        assert g.memory() - before < 16 << 20
        response.read()
        assert len(response.body) > 30_000_000 and not response.truncated


def test_an_answer_before_the_body_is_complete_is_passed_on(gateway, server):
    s = server()
    g = gateway(h2_config(s))
    all_ready(g, 1)
    assert ask(g, "x" * 3_000_000, headers=do("early")).status == 413
    assert ask(g).status == 200


def test_pools_speak_what_their_servers_speak_behind_pickers(gateway, sim, server):
    """The conformance case of app protocols: pools of h2c and HTTP/1.1, each with its own picker."""
    new, old = server(), sim()
    pickers = [MockPicker([f"127.0.0.1:{new.port}"]), MockPicker([f"127.0.0.1:{old.port}"])]
    config = h2_config(new, pool={"picker_service": {"address": f"127.0.0.1:{pickers[0].port}"}})
    config["pools"].append({"name": "old", "endpoints": [{"url": f"http://127.0.0.1:{old.port}"}], "check": {"interval": "200ms"},
                            "picker_service": {"address": f"127.0.0.1:{pickers[1].port}"}})
    config["models"].append({"name": "o", "targets": [{"pool": "old", "model": "m"}]})
    try:
        g = gateway(config)
        all_ready(g, 1)
        for stream in (False, True):
            for name, served in (("m", new), ("o", old)):
                response = ask(g, model=name, stream=stream)
                assert response.status == 200, response.body
                assert endpoint_of(g, response) == f"127.0.0.1:{served.port}"
                assert response.header("x-spoken") == ("h2" if served is new else None)
    finally:
        for p in pickers:
            p.close()


def test_a_server_of_the_older_version_is_an_error(gateway, sim):
    s = sim()
    g = gateway(h2_config(s, pool={"check": {"path": ""}}))
    response = ask(g)
    assert response.status == 502
