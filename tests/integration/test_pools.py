"""Pools of model servers: who gets a request, what happens when servers come, go and fail, and what operators can do."""
import collections
import http.client
import json
import subprocess
import threading
import time

import pytest

from harness import BINARY, SIM_BINARY, Process, make_config, provider
from wire import Connection, chat

BALANCERS = ["picker", "round_robin", "least_request", "two_choices", "peak_ewma", "hash", "session"]


def pool_config(ports, pool=None, **changes):
    """Model m on a pool of servers at those ports."""
    pool = {"name": "fleet", "endpoints": [{"url": f"http://127.0.0.1:{port}"} for port in ports],
            "check": {"interval": "200ms"}, "load": {"interval": "200ms"}, **(pool or {})}
    return make_config(1, **{"providers": [], "pools": [pool],
                             "models": [{"name": "m", "targets": [{"pool": "fleet"}]}], **changes})


def api(g, method, path, body=None):
    """The admin API: (status, JSON)."""
    connection = http.client.HTTPConnection("127.0.0.1", g.admin_port, timeout=10)
    connection.request(method, "/pools" + path, None if body is None else json.dumps(body))
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, json.loads(text)


def endpoints(g):
    return {e["id"]: e for e in api(g, "GET", "/fleet/endpoints")[1]["endpoints"]}


def wait_for(what, within=10):
    deadline = time.monotonic() + within
    while not what():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


def all_ready(g, count):
    wait_for(lambda: sum(e["state"] == "ready" for e in endpoints(g).values()) == count)


def ask(g, text="hello", **options):
    headers = options.pop("headers", None)
    with Connection(g.port) as connection:
        return connection.ask("POST", "/v1/chat/completions",
                              chat(messages=[{"role": "user", "content": text}], **options), headers)


def endpoint_of(g, response):
    """The server that gave an answer."""
    wanted = response.header("x-request-id")
    found = []

    def logged():
        found[:] = [line["endpoint"] for line in g.access_log(0) if line["request_id"] == wanted]
        return found

    wait_for(logged)
    return found[0]


def served_by(g, count=0, since=0):
    """How many requests each server got, once there are `count` lines."""
    return collections.Counter(line["endpoint"] for line in g.access_log(count)[since:])


# --- choosing ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("balancer", BALANCERS)
def test_every_balancer_serves_and_spreads(gateway, sim, balancer):
    servers = sim(count=3)
    g = gateway(pool_config(servers.ports, {"balancer": balancer}))
    all_ready(g, 3)
    for i in range(30):
        response = ask(g, f"question {i} " * 60, headers={"x-session-id": f"s{i}"})
        assert response.status == 200, response.body
    counts = served_by(g, 30)
    assert len(counts) == 3, counts


@pytest.mark.parametrize("balancer", ["picker", "hash"])
def test_prompts_that_share_a_beginning_go_where_it_is_kept(gateway, sim, balancer):
    servers = sim(count=4)
    g = gateway(pool_config(servers.ports, {"balancer": balancer}))
    all_ready(g, 4)
    homes = [endpoint_of(g, ask(g, f"group {group} " * 700 + " turn 0")) for group in range(4)]
    for turn in range(1, 5):
        assert [endpoint_of(g, ask(g, f"group {group} " * 700 + f" turn {turn}")) for group in range(4)] == homes
    if balancer == "picker":
        cached = g.metric("sluice_pool_cached_tokens_total", pool="fleet")
        assert cached >= 0.7 * g.metric("sluice_pool_prompt_tokens_total", pool="fleet") * 0.8


def test_sessions_stay(gateway, sim):
    servers = sim(count=4)
    g = gateway(pool_config(servers.ports, {"balancer": "session"}))
    all_ready(g, 4)
    where = collections.defaultdict(set)
    for i in range(24):
        where[i % 6].add(endpoint_of(g, ask(g, f"{i}", headers={"x-session-id": f"s{i % 6}"})))
    assert all(len(places) == 1 for places in where.values()), where


def test_an_adapter_is_asked_where_it_is(gateway, sim):
    plain, with_adapter = sim(), sim("--loras", "tuned")
    config = pool_config([plain.port, with_adapter.port])
    config["models"].append({"name": "tuned", "targets": [{"pool": "fleet"}]})
    g = gateway(config)
    all_ready(g, 2)
    wait_for(lambda: endpoints(g)[f"127.0.0.1:{with_adapter.port}"]["adapters"] == ["tuned"])
    for i in range(8):
        assert ask(g, f"{i}", model="tuned").status == 200
    assert set(served_by(g, 8)) == {f"127.0.0.1:{with_adapter.port}"}


def test_what_a_client_says_to_pickers_does_not_pass(gateway, sim):
    servers = sim(count=2)
    g = gateway(pool_config(servers.ports))
    names = ["x-gateway-destination-endpoint", "X-Gateway-Destination-Endpoint-Subset", "x-prefiller-host-port",
             "x-data-parallel-host-port", "x-llm-d-model-name-rewrite"]
    assert ask(g, headers={name: "127.0.0.1:1" for name in names}).status == 200
    heads = [head for port in servers.ports for head in servers.stats(port)["last_requests"] if "chat" in json.dumps(head)]
    assert heads and not any(name.lower() in json.dumps(heads).lower() for name in names)


# --- failures ---------------------------------------------------------------------------------------------------

class Load:
    """Clients that ask as long as the load runs; what they got is in `answers`."""

    def __init__(self, g, clients=8, stream=True, tokens=20):
        self.g, self.stream, self.tokens = g, stream, tokens
        self.answers, self.running = [], True
        self.threads = [threading.Thread(target=self.run, args=(i,), daemon=True) for i in range(clients)]
        for t in self.threads:
            t.start()

    def run(self, client):
        n = 0
        while self.running:
            n += 1
            try:
                response = ask(self.g, f"client {client} question {n}", stream=self.stream, max_tokens=self.tokens)
                whole = not getattr(response, "truncated", False) and (not self.stream or b"[DONE]" in response.body)
                self.answers.append((response.status, whole, len(response.body)))
            except Exception as problem:  # what a client sees of a bug
                self.answers.append((0, False, repr(problem)))

    def goes_on(self, answers=30):
        """Until so many more have come."""
        enough = len(self.answers) + answers
        wait_for(lambda: len(self.answers) >= enough, within=30)

    def stop(self):
        self.running = False
        for t in self.threads:
            t.join(20)
        return self.answers


def test_no_request_fails_before_its_first_byte_when_one_of_eight_servers_dies(gateway, sim):
    servers = [sim("--time-scale", "1") for _ in range(8)]
    g = gateway(pool_config([s.port for s in servers]))
    all_ready(g, 8)
    load = Load(g, clients=16)
    time.sleep(1.5)
    servers[3].popen.kill()
    time.sleep(2.5)
    answers = load.stop()
    assert len(answers) > 100
    # Streams that had begun at the one that died break off, honestly; nothing else may be anything but whole.
    assert {status for status, _, _ in answers} == {200}, collections.Counter(a[0] for a in answers)
    broken = [a for a in answers if not a[1]]
    assert len(broken) <= 16 and all(size > 0 for _, _, size in broken), broken
    wait_for(lambda: endpoints(g)[f"127.0.0.1:{servers[3].port}"]["state"] == "not_ready")


def test_a_server_that_comes_back_serves_again(gateway, sim, tmp_path):
    stays = sim()
    dies = sim()
    port = dies.port
    g = gateway(pool_config([stays.port, port], {"slow_start": "500ms"}))
    all_ready(g, 2)
    dies.stop()
    wait_for(lambda: endpoints(g)[f"127.0.0.1:{port}"]["state"] == "not_ready")
    assert all(ask(g, f"{i}").status == 200 for i in range(5))
    again = Process([SIM_BINARY, "--port", port], tmp_path)
    try:
        all_ready(g, 2)

        wait_for(lambda: endpoint_of(g, ask(g, f"{time.monotonic()}")) == f"127.0.0.1:{port}")
    finally:
        again.stop()


def test_all_are_used_when_too_few_are_ready(gateway, sim):
    servers = sim(count=4)
    g = gateway(pool_config(servers.ports, {"panic_percent": 60}))
    all_ready(g, 4)
    for port in servers.ports[1:]:
        servers.fault("status=500;path=/health", port)
    wait_for(lambda: sum(e["state"] == "not_ready" for e in endpoints(g).values()) == 3)
    assert api(g, "GET", "")[1]["pools"][0]["panic"] is True
    for i in range(12):
        assert ask(g, f"question {i}").status == 200
    assert len(served_by(g, 12)) >= 3


def test_a_pool_without_a_server_says_so(gateway):
    g = gateway(pool_config([]))
    response = ask(g)
    assert (response.status, response.json()["error"]["code"]) == (503, "no_target")


def test_a_pool_that_is_full_says_when_to_come_back_and_others_take_over(gateway, sim):
    slow, other = sim("--time-scale", "1"), sim()
    config = pool_config([slow.port])
    config["pools"][0]["endpoints"][0]["max_requests"] = 1
    g = gateway(config)
    all_ready(g, 1)
    busy = threading.Thread(target=ask, args=(g,), kwargs={"max_tokens": 200})
    busy.start()
    wait_for(lambda: next(iter(endpoints(g).values()))["load"]["inflight"] == 1)
    response = ask(g)
    assert (response.status, response.header("retry-after") is not None) == (429, True)
    busy.join()

    config["providers"] = [provider("other", other.port)]
    config["models"][0]["targets"].append({"provider": "other", "model": "m", "priority": 1})
    g = gateway(config)
    all_ready(g, 1)
    busy = threading.Thread(target=ask, args=(g,), kwargs={"max_tokens": 200})
    busy.start()
    wait_for(lambda: next(iter(endpoints(g).values()))["load"]["inflight"] == 1)
    assert ask(g).status == 200
    busy.join()
    assert {line["provider"] for line in g.access_log(2)} == {"fleet", "other"}


def test_a_restarted_server_is_found_out_by_what_it_no_longer_keeps(gateway, sim):
    servers = sim(count=2)
    g = gateway(pool_config(servers.ports, {"load": {"path": ""}}))
    all_ready(g, 2)
    for turn in range(2):
        for group in range(6):
            assert ask(g, f"group {group} " * 700 + f"turn {turn}").status == 200
    assert g.metric("sluice_pool_restarts_detected_total", pool="fleet") == 0
    for port in servers.ports:
        servers.control("POST", "/sim/reset?cache=1", port=port)
    for group in range(6):
        assert ask(g, f"group {group} " * 700 + "turn 2").status == 200
    assert g.metric("sluice_pool_restarts_detected_total", pool="fleet") >= 1


# --- operating --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("action", ["drain", "offline"])
def test_taking_a_server_out_fails_nothing(gateway, sim, action):
    servers = sim("--time-scale", "1", count=4)
    g = gateway(pool_config(servers.ports))
    all_ready(g, 4)
    load = Load(g, clients=12, tokens=30)
    time.sleep(1)
    gone = f"127.0.0.1:{servers.ports[0]}"
    status, e = api(g, "POST", f"/fleet/endpoints/{gone}:{action}")
    assert (status, e["persisted"]) == (200, False)
    wait_for(lambda: endpoints(g)[gone]["state"] == "offline")
    if action == "drain":
        assert endpoints(g)[gone]["load"]["inflight"] == 0
    wait_for(lambda: endpoints(g)[gone]["load"]["inflight"] == 0)
    asked = servers.stats(servers.ports[0])["requests"]["/v1/chat/completions"]
    time.sleep(0.7)
    assert servers.stats(servers.ports[0])["requests"]["/v1/chat/completions"] == asked
    answers = load.stop()
    assert all(status == 200 and whole for status, whole, _ in answers), collections.Counter(a[:2] for a in answers)
    assert api(g, "POST", f"/fleet/endpoints/{gone}:online")[0] == 200
    all_ready(g, 4)


def test_a_drain_ends_with_its_time(gateway, sim):
    servers = sim("--time-scale", "1", count=2)
    g = gateway(pool_config(servers.ports))
    all_ready(g, 2)
    streams = [threading.Thread(target=ask, args=(g, f"{i}"), kwargs={"max_tokens": 300, "stream": True}) for i in range(4)]
    for t in streams:
        t.start()
    wait_for(lambda: all(e["load"]["inflight"] > 0 for e in endpoints(g).values()))
    gone = next(iter(endpoints(g)))
    assert api(g, "POST", f"/fleet/endpoints/{gone}:drain?timeout=300ms")[1]["state"] == "draining"
    wait_for(lambda: endpoints(g)[gone]["state"] == "offline", within=3)
    for t in streams:
        t.join()
    assert {line["status"] for line in g.access_log(4)} == {200}


def test_servers_are_registered_changed_and_removed_while_traffic_runs_and_kept(gateway, sim, tmp_path):
    first, second = sim(), sim()
    config = pool_config([first.port], state_dir=str(tmp_path / "state"))
    g = gateway(config)
    all_ready(g, 1)
    status, added = api(g, "POST", "/fleet/endpoints", {"url": f"http://127.0.0.1:{second.port}", "id": "second",
                                                        "labels": {"zone": "b"}, "max_requests": 50})
    assert (status, added["id"], added["source"], added["persisted"]) == (201, "second", "admin", True)
    all_ready(g, 2)
    for i in range(10):
        assert ask(g, f"question {i} " * 50).status == 200
    assert len(served_by(g, 10)) == 2
    assert api(g, "PATCH", "/fleet/endpoints/second", {"weight": 2.5})[1]["weight"] == 2.5
    assert api(g, "POST", f"/fleet/endpoints/127.0.0.1:{first.port}:offline")[0] == 200

    g = gateway(config)  # another one, which reads what the first has kept
    wait_for(lambda: endpoints(g)["second"]["state"] == "ready")
    kept = endpoints(g)
    assert (kept["second"]["weight"], kept["second"]["labels"]) == (2.5, {"zone": "b"})
    assert kept[f"127.0.0.1:{first.port}"]["state"] == "offline"
    assert endpoint_of(g, ask(g)) == "second"
    assert api(g, "DELETE", "/fleet/endpoints/second") == (200, {"deleted": True, "persisted": True})
    assert ask(g).status == 503


BAD_CALLS = {
    "no such pool": ("GET", "/other/endpoints", None, 404),
    "no such endpoint": ("GET", "/fleet/endpoints/x", None, 404),
    "no url": ("POST", "/fleet/endpoints", {"id": "x"}, 400),
    "a url that is none": ("POST", "/fleet/endpoints", {"url": "10.0.0.1:80"}, 400),
    "a url with a query": ("POST", "/fleet/endpoints", {"url": "http://10.0.0.1/?a"}, 400),
    "an unknown field": ("POST", "/fleet/endpoints", {"url": "http://10.0.0.1", "colour": 1}, 400),
    "an id with a slash": ("POST", "/fleet/endpoints", {"url": "http://10.0.0.1", "id": "a/b"}, 400),
    "a negative weight": ("POST", "/fleet/endpoints", {"url": "http://10.0.0.1", "weight": -1}, 400),
    "labels that are no texts": ("POST", "/fleet/endpoints", {"url": "http://10.0.0.1", "labels": {"a": 1}}, 400),
    "one that is there": ("POST", "/fleet/endpoints", {"url": "http://127.0.0.1:9"}, 400),
    "removing one of the configuration": ("DELETE", "/fleet/endpoints/127.0.0.1:9", None, 400),
    "changing one of the configuration": ("PATCH", "/fleet/endpoints/127.0.0.1:9", {"weight": 2}, 400),
    "a timeout that is none": ("POST", "/fleet/endpoints/127.0.0.1:9:drain?timeout=soon", None, 400),
    "another method": ("PUT", "/fleet/endpoints/127.0.0.1:9", None, 405),
    "a GET of an action": ("GET", "/fleet/endpoints/127.0.0.1:9:drain", None, 405),
}


def test_bad_calls_of_the_admin_api_are_refused_and_change_nothing(gateway):
    g = gateway(pool_config([9], {"check": {"path": ""}}))
    before = api(g, "GET", "/fleet/endpoints")[1]["endpoints"]
    for title, (method, path, body, status) in BAD_CALLS.items():
        got, answer = api(g, method, path, body)
        assert got == status and answer["error"]["message"], (title, got, answer)
    after = api(g, "GET", "/fleet/endpoints")[1]["endpoints"]
    assert [(e["id"], e["state"]) for e in after] == [(e["id"], e["state"]) for e in before] == [("127.0.0.1:9", "ready")]


def test_a_file_of_endpoints_is_watched(gateway, sim, tmp_path):
    first, second = sim(), sim()
    file = tmp_path / "endpoints.yaml"

    def write(*servers):
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps({"endpoints": [{"url": s.url("")} for s in servers]}))
        fresh.rename(file)

    write(first)
    config = pool_config([], {"endpoints_file": str(file)})
    g = gateway(config)
    all_ready(g, 1)
    write(first, second)
    all_ready(g, 2)
    assert {e["source"] for e in endpoints(g).values()} == {"file"}
    write(second)
    wait_for(lambda: set(endpoints(g)) == {f"127.0.0.1:{second.port}"})
    assert ask(g).status == 200
    file.write_text('{"endpoints": [{"urll": "x"}]}')
    g.wait_line(r"endpoints\.yaml:1:\d+.*urll")
    assert ask(g).status == 200


def test_addresses_of_a_name_are_endpoints(gateway, sim):
    server = sim()
    g = gateway(pool_config([], {"dns": {"name": "localhost", "port": server.port}}))
    wait_for(lambda: endpoints(g).get(f"127.0.0.1:{server.port}", {}).get("state") == "ready")
    assert endpoints(g)[f"127.0.0.1:{server.port}"]["source"] == "dns"
    assert ask(g).status == 200


def test_a_reload_keeps_what_was_learned_and_takes_new_servers(gateway, sim):
    servers = sim(count=3)
    config = pool_config(servers.ports[:2])
    g = gateway(config)
    all_ready(g, 2)
    prompt = "a long prompt " * 600
    home = endpoint_of(g, ask(g, prompt + "1"))
    config["pools"][0]["endpoints"].append({"url": f"http://127.0.0.1:{servers.ports[2]}"})
    g.write_config(config)
    all_ready(g, 3)
    assert endpoint_of(g, ask(g, prompt + "2")) == home
    config["pools"] = []
    config["models"][0]["targets"] = [{"provider": "p", "model": "m"}]
    config["providers"] = [provider("p", servers.ports[0])]
    g.write_config(config)
    g.wait_line(r"reloaded", count=2)
    assert ask(g).status == 200
    assert api(g, "GET", "")[1] == {"pools": []}


@pytest.mark.parametrize("engine", ["vllm", "sglang", "trtllm", "tgi"])
def test_metrics_of_engines_are_understood(gateway, sim, engine):
    server = sim("--engine", engine, "--time-scale", "1")
    g = gateway(pool_config([server.port]))
    all_ready(g, 1)
    t = threading.Thread(target=ask, args=(g,), kwargs={"max_tokens": 150})
    t.start()

    def reported():
        e = next(iter(endpoints(g).values()))
        return e.get("reported", {}).get("running") == 1

    wait_for(reported)
    e = next(iter(endpoints(g).values()))["reported"]
    if engine != "tgi":
        assert e["kv_tokens"] == 300000 and 0 < e["kv_use"] < 1
    t.join()


def test_bad_pools_are_refused_with_their_place(gateway, sim):
    g = gateway(pool_config([]))
    for change, wanted in [
        (lambda c: c["pools"][0].update(name="a b"), "a pool's name"),
        (lambda c: c["pools"][0]["endpoints"].append({"url": "ftp://x"}), "url"),
        (lambda c: c["pools"][0].update(balancer="best"), "balancer"),
        (lambda c: c["pools"][0].update(load={"names": {"speed": "x"}}), "is no signal"),
        (lambda c: c["models"][0].update(targets=[{"pool": "flete"}]), "did you mean \"fleet\""),
        (lambda c: c["models"][0].update(targets=[{"pool": "fleet", "provider": "x"}]), "either a provider or a pool"),
        (lambda c: c.update(providers=[provider("fleet", 1)]), "already a provider"),
        (lambda c: c["pools"][0].update(endpoints_file="missing.yaml"), "missing.yaml"),
    ]:
        config = pool_config([])
        change(config)
        path = g.folder / "bad.yaml"
        path.write_text(json.dumps(config, indent=1))
        done = subprocess.run([BINARY, "check", "-c", str(path)], capture_output=True, text=True, timeout=30)
        assert done.returncode == 1 and wanted in done.stdout + done.stderr, done.stdout + done.stderr
