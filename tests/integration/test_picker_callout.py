"""A pool's endpoints, ordered by an HTTP service of the operator's."""
import http.server
import json
import threading
import time

import pytest

from test_pools import all_ready, ask, endpoint_of, pool_config


class Orderer:
    """Answers each POST with what `answer(question)` returns: (status, bytes)."""

    def __init__(self, answer):
        self.asked = []
        orderer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                question = json.loads(self.rfile.read(int(self.headers["content-length"])))
                orderer.asked.append(question)
                status, body = answer(question)
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def orderer():
    started = []

    def start(answer):
        started.append(Orderer(answer if callable(answer) else lambda _: answer))
        return started[-1]

    yield start
    for one in started:
        one.close()


def with_callout(servers, o, **more):
    port = o if isinstance(o, int) else o.server.server_address[1]
    return pool_config(servers.ports, {"picker_callout": {"url": f"http://127.0.0.1:{port}/order", "timeout": "1s", **more}})


def order(*names, **more):
    return 200, json.dumps({"endpoints": names, **more}).encode()


def test_requests_go_where_the_service_says_and_on_when_that_fails(gateway, sim, orderer):
    servers = sim(count=3)
    keys = [f"127.0.0.1:{port}" for port in servers.ports]
    o = orderer(order(keys[2], keys[1], "10.9.9.9:1"))
    g = gateway(with_callout(servers, o, headers=["x-team"]))
    all_ready(g, 3)
    for _ in range(5):
        assert endpoint_of(g, ask(g, "hello " * 200, headers={"x-team": "a", "x-other": "b"})) == keys[2]
    question = o.asked[-1]
    assert question["pool"] == "fleet" and question["model"] == "m" and question["headers"] == {"x-team": "a"}
    assert sorted(c["id"] for c in question["candidates"]) == sorted(keys)
    assert len(question["prefix"]) == 4 and question["prompt_tokens"] > 200
    assert question["candidates"][0]["expected_ttft_ms"] > 0 and question["candidates"][0]["id"] == keys[2]
    assert g.metric("sluice_picker_callout_unknown_endpoints_total", pool="fleet") == 5
    servers.fault("status=503;path=/v1", servers.ports[2])
    assert endpoint_of(g, ask(g)) == keys[1]
    servers.fault("status=503;path=/v1", servers.ports[1])
    assert endpoint_of(g, ask(g)) == keys[0]  # its advice is spent: the pool chooses


@pytest.mark.parametrize("answer", [(204, b""), (500, b"no"), (200, b"nonsense"), (200, b'{"endpoints":["elsewhere"]}'), (200, b"{}")])
def test_without_a_usable_answer_the_pool_chooses(gateway, sim, orderer, answer):
    servers = sim(count=2)
    o = orderer(answer)
    g = gateway(with_callout(servers, o))
    all_ready(g, 2)
    assert ask(g).status == 200 and len(o.asked) == 1


def test_a_late_or_missing_service_costs_its_deadline_and_then_nothing(gateway, sim, orderer):
    servers = sim()
    o = orderer(lambda _: (time.sleep(0.5), order())[1])
    g = gateway(with_callout(servers, o, timeout="60ms"))
    all_ready(g, 1)
    began = time.monotonic()
    assert [ask(g).status for _ in range(8)] == [200] * 8
    assert time.monotonic() - began < 1.5 and len(o.asked) == 5
    assert g.metric("sluice_picker_callout_requests_total", outcome="failed") == 5
    gone = gateway(with_callout(servers, 1))
    all_ready(gone, 1)
    assert [ask(gone).status for _ in range(8)] == [200] * 8


def test_the_service_can_refuse(gateway, sim, orderer):
    servers = sim()
    o = orderer((200, b'{"status":429,"headers":{"retry-after":"7"},"body":{"error":{"message":"full"}}}'))
    g = gateway(with_callout(servers, o))
    response = ask(g)
    assert (response.status, response.header("retry-after"), response.json()["error"]["message"]) == (429, "7", "full")


def test_answers_are_kept_for_their_time(gateway, sim, orderer):
    servers = sim(count=2)
    keys = [f"127.0.0.1:{port}" for port in servers.ports]
    o = orderer(order(keys[1], ttl_ms=60000))
    config = with_callout(servers, o, cache_header="x-session-id")
    config["workers"] = 1
    g = gateway(config)
    all_ready(g, 2)
    for session in ("a", "a", "b", "a", "b"):
        assert endpoint_of(g, ask(g, headers={"x-session-id": session})) == keys[1]
    assert len(o.asked) == 2
    assert ask(g).status == 200 and len(o.asked) == 3
