"""Admission to pools: who waits for a model server with room, in which order, for how long, and who is refused."""
import collections
import json
import subprocess
import threading
import time

import pytest

from harness import BINARY, model
from test_pools import all_ready, api, endpoints, pool_config, provider, wait_for
from wire import Connection, chat

KEYS = [{"id": "test-key", "key": "sk-test", "tenant": "test-tenant"}, {"id": "b", "key": "sk-b", "tenant": "modest"},
        {"id": "urgent", "key": "sk-urgent", "tenant": "urgent"}]
ONE_EACH = {"learn": False, "max": 1, "floor": 1, "initial": 1}
CHAT = "/v1/chat/completions"
REASON = "x-llm-d-request-dropped-reason"


def admitted(ports, admission=None, pool=None, **changes):
    """A pool in which each server has one request at a time, and the others wait."""
    admission = {"capacity": ONE_EACH, **(admission or {})}
    return pool_config(ports, {"admission": admission, **(pool or {})}, keys=KEYS, **changes)


class Asked:
    """One request in the background, and when its answer was complete."""

    def __init__(self, g, key="sk-test", headers=None, text="hello", **options):
        self.response = self.at = None
        body = chat(messages=[{"role": "user", "content": text}], **{"max_tokens": 20, **options})

        def run():
            with Connection(g.port) as connection:
                self.response = connection.ask("POST", CHAT, body, headers, key)
            self.at = time.monotonic()

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def done(self):
        self.thread.join(60)
        return self.response


def queued(g):
    return api(g, "GET", "")[1]["pools"][0]["queued"]


def inflight(g):
    return [e["load"]["inflight"] for e in endpoints(g).values()]


def occupied(g, count, seconds=1.5):
    """Requests that keep `count` servers busy for so long."""
    pace = {"x-sim-stream": f"events=50,gap={round(seconds * 20)}ms"}
    asked = [Asked(g, headers=pace, stream=True) for _ in range(count)]
    wait_for(lambda: sum(inflight(g)) == count)
    return asked


def test_those_who_find_every_server_busy_wait_and_are_served(gateway, sim):
    servers = sim("--time-scale", "0.5", count=2)
    g = gateway(admitted(servers.ports))
    all_ready(g, 2)
    asked = [Asked(g, text=f"question {i}") for i in range(16)]
    most, waited = 0, 0
    while any(a.at is None for a in asked):
        most, waited = max(most, *inflight(g)), max(waited, queued(g))
    assert [a.done().status for a in asked] == [200] * 16
    # Workers look at a server's count at the same moment and may both take its last place.
    assert most <= 2 and waited >= 8
    assert queued(g) == 0
    assert g.metric("sluice_pool_queue_seconds_count", pool="fleet") >= 12
    assert g.metric("sluice_pool_refusals_total") == 0


def test_higher_classes_go_first(gateway, sim):
    s = sim("--time-scale", "0.5")
    g = gateway(admitted([s.port], {"classes": [{"keys": ["urgent"], "priority": 7}], "otherwise": {"priority": 2}}))
    all_ready(g, 1)
    first = occupied(g, 1)
    low = [Asked(g) for _ in range(6)]
    wait_for(lambda: queued(g) == 6)
    high = [Asked(g, "sk-urgent") for _ in range(2)]
    wait_for(lambda: queued(g) == 8)
    assert {a.done().status for a in first + low + high} == {200}
    assert max(a.at for a in high) < min(a.at for a in low)


def test_a_tenant_that_asks_much_does_not_shut_out_one_that_asks_little(gateway, sim):
    s = sim("--time-scale", "0.5")
    g = gateway(admitted([s.port], {"queue": {"quantum_tokens": 64}}))
    all_ready(g, 1)
    first = occupied(g, 1)
    greedy = [Asked(g, text="word " * 400) for _ in range(8)]
    wait_for(lambda: queued(g) == 8)
    modest = [Asked(g, "sk-b") for _ in range(2)]
    wait_for(lambda: queued(g) == 10)
    assert {a.done().status for a in first + greedy + modest} == {200}
    later = sum(a.at > max(m.at for m in modest) for a in greedy)
    assert later >= 5, later


def test_a_wait_ends_with_its_time(gateway, sim):
    s = sim("--time-scale", "1")
    g = gateway(admitted([s.port], {"queue": {"ttl": "300ms"}}))
    all_ready(g, 1)
    first = occupied(g, 1)
    before = time.monotonic()
    waited = Asked(g)
    response = waited.done()
    assert (response.status, response.header(REASON)) == (429, "rejected-ttl-expired")
    assert int(response.header("retry-after")) >= 1 and response.json()["error"]["code"] == "rate_limit_exceeded"
    assert 0.25 < waited.at - before < 2
    assert g.metric("sluice_pool_refusals_total", pool="fleet", reason="rejected-ttl-expired") == 1
    assert first[0].done().status == 200 and queued(g) == 0


def test_more_than_may_wait_are_refused_at_once(gateway, sim):
    s = sim("--time-scale", "1")
    limits = {"requests": 3, "requests_per_priority": 3, "requests_per_tenant": 2}
    g = gateway(admitted([s.port], {"queue": limits}))
    all_ready(g, 1)
    first = occupied(g, 1)
    waiting = [Asked(g) for _ in range(2)]
    wait_for(lambda: queued(g) == 2)
    response = Asked(g).done()
    assert (response.status, response.header(REASON)) == (429, "rejected-saturated")
    assert "of your requests" in response.json()["error"]["message"]
    other = Asked(g, "sk-b")
    wait_for(lambda: queued(g) == 3)
    assert Asked(g, "sk-urgent").done().status == 429
    assert {a.done().status for a in first + waiting + [other]} == {200}


def test_without_a_queue_they_are_refused(gateway, sim):
    s = sim("--time-scale", "1")
    g = gateway(admitted([s.port], {"queue": {"enabled": False}}))
    all_ready(g, 1)
    first = occupied(g, 1)
    response = Asked(g).done()
    assert (response.status, response.header(REASON)) == (429, "rejected-saturated")
    assert first[0].done().status == 200


def test_who_may_be_shed_is_refused_when_its_promise_cannot_be_kept(gateway, sim):
    s = sim("--time-scale", "1")
    batch = {"keys": ["b"], "priority": 1, "sheddable": True}
    g = gateway(admitted([s.port], {"classes": [batch]}))
    all_ready(g, 1)
    assert Asked(g, "sk-b", {"x-llm-d-slo-ttft-ms": "5000"}).done().status == 200
    # No server begins within a twentieth of a millisecond.
    response = Asked(g, "sk-b", {"x-slo-ttft-ms": "0.05"}).done()
    assert (response.status, response.header(REASON)) == (429, "rejected-saturated")
    assert response.header("retry-after") is not None
    # Who may not be shed comes late.
    assert Asked(g, headers={"x-slo-ttft-ms": "0.05"}).done().status == 200


@pytest.mark.parametrize("headers", [{"x-slo-ttft-ms": "soon"}, {"x-llm-d-slo-tpot-ms": "-1"}, {"x-slo-tpot-ms": "1e9"}])
def test_a_promise_that_is_none_is_an_error(gateway, sim, headers):
    g = gateway(admitted(sim().ports))
    all_ready(g, 1)
    response = Asked(g, headers=headers).done()
    assert (response.status, response.json()["error"]["param"]) == (400, next(iter(headers)))


def test_what_clients_say_of_their_urgency_does_not_reach_servers_nor_choose_their_class(gateway, sim):
    s = sim("--time-scale", "0.5")
    classes = {"classes": [{"objective": "gold", "priority": 7}], "trust_headers": True}
    said = {"x-llm-d-inference-objective": "gold", "x-gateway-inference-fairness-id": "me", "x-slo-ttft-ms": "60000"}
    g = gateway(admitted([s.port], classes))
    all_ready(g, 1)
    assert Asked(g, headers=said).done().status == 200
    heads = str(s.stats()["last_requests"]).lower()
    assert "chat/completions" in heads and not any(name in heads for name in said)
    # Where they are trusted they choose.
    first = occupied(g, 1)
    low = [Asked(g) for _ in range(4)]
    wait_for(lambda: queued(g) == 4)
    high = Asked(g, headers=said)
    assert {a.done().status for a in first + low + [high]} == {200}
    assert high.at < min(a.at for a in low)


def test_a_client_that_hangs_up_while_it_waits_is_gone(gateway, sim):
    s = sim("--time-scale", "1")
    g = gateway(admitted([s.port]))
    all_ready(g, 1)
    first = occupied(g, 1)
    with Connection(g.port) as connection:
        connection.request("POST", CHAT, chat())
        wait_for(lambda: queued(g) == 1)
    wait_for(lambda: queued(g) == 0, within=2)
    assert first[0].done().status == 200
    assert s.stats()["requests"][CHAT] == {"200": 1}
    wait_for(lambda: g.metric("sluice_pool_refusals_total", reason="rejected-context-cancelled") == 1)
    assert Asked(g).done().status == 200


def test_a_fallback_takes_those_that_are_refused(gateway, sim):
    s, other = sim("--time-scale", "1"), sim()
    config = admitted([s.port], {"queue": {"ttl": "200ms"}}, providers=[provider("other", other.port)])
    config["models"] = [model("m", {"pool": "fleet"}, {"provider": "other", "model": "m", "priority": 1})]
    g = gateway(config)
    all_ready(g, 1)
    first = occupied(g, 1)
    response = Asked(g).done()
    assert response.status == 200 and response.header(REASON) is None
    assert first[0].done().status == 200
    assert collections.Counter(line["provider"] for line in g.access_log(2)) == {"fleet": 1, "other": 1}


def test_those_who_wait_go_to_a_server_that_comes(gateway, sim):
    s, late = sim("--time-scale", "1"), sim()
    g = gateway(admitted([s.port], pool={"slow_start": "0s"}))
    all_ready(g, 1)
    first = occupied(g, 1, 3)
    waiting = [Asked(g) for _ in range(3)]
    wait_for(lambda: queued(g) == 3)
    assert api(g, "POST", "/fleet/endpoints", {"url": f"http://127.0.0.1:{late.port}"})[0] == 201
    assert [a.done().status for a in waiting] == [200] * 3
    assert first[0].at is None, "they were served before the busy server had room"
    assert first[0].done().status == 200


def test_a_server_that_dies_leaves_nobody_waiting(gateway, sim):
    servers = [sim("--time-scale", "0.5") for _ in range(2)]
    g = gateway(admitted([s.port for s in servers]))
    all_ready(g, 2)
    asked = [Asked(g, text=f"{i}") for i in range(10)]
    wait_for(lambda: queued(g) >= 6)
    servers[0].popen.kill()
    statuses = [a.done().status for a in asked]
    # The answer that was under way had not begun: it is asked for again.
    assert statuses == [200] * 10
    assert queued(g) == 0


def test_a_reload_with_other_limits_loses_nobody(gateway, sim):
    s = sim("--time-scale", "0.5")
    g = gateway(admitted([s.port]))
    all_ready(g, 1)
    asked = [Asked(g, text=f"{i}") for i in range(6)]
    wait_for(lambda: queued(g) >= 4)
    for n, queue in enumerate([{"ttl": "50s"}, {"ttl": "40s"}], 1):
        g.write_config(admitted([s.port], {"queue": queue}))
        g.wait_line(r"reloaded \(", n)
        asked.append(Asked(g))
    config = admitted([s.port])
    del config["pools"][0]["admission"]
    g.write_config(config)
    g.wait_line(r"reloaded \(", 3)
    asked.append(Asked(g))
    assert [a.done().status for a in asked] == [200] * 9


def test_a_server_that_says_it_is_full_gets_less(gateway, sim):
    full, other = sim(), sim()
    g = gateway(pool_config([full.port, other.port], {"admission": {"capacity": {"initial": 32}}, "balancer": "round_robin"}))
    all_ready(g, 2)
    limit = lambda s: endpoints(g)[f"127.0.0.1:{s.port}"]["load"]["limit"]
    assert (limit(full), limit(other)) == (32, 32)
    full.fault("status=429")
    for i in range(4):
        assert Asked(g, text=f"{i}").done().status == 200
    wait_for(lambda: limit(full) < 32)
    assert limit(other) == 32


BAD_CONFIG = {
    "floor above max": {"capacity": {"floor": 9, "max": 8}},
    "a class without a condition": {"classes": [{"priority": 3}]},
    "an objective that nobody can set": {"classes": [{"objective": "x", "priority": 3}]},
    "a priority that is none": {"otherwise": {"priority": 8}},
}


@pytest.mark.parametrize("admission", BAD_CONFIG.values(), ids=BAD_CONFIG.keys())
def test_bad_settings_are_refused_with_their_place(tmp_path, admission):
    path = tmp_path / "sluice.yaml"
    path.write_text(json.dumps(pool_config([1], {"admission": admission}), indent=1))
    done = subprocess.run([BINARY, "check", "-c", path], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "sluice.yaml:" in done.stdout + done.stderr, done
