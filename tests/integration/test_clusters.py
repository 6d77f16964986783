"""Several clusters: gateways as endpoints of each other's pools."""
import collections
import threading

import pytest

from harness import SIM_BINARY, Gateway, Process
from test_pools import Load, all_ready, api, ask, endpoints, pool_config, wait_for
from wire import Connection

LOAD = "/load/fleet"


def peer_config(ports, pool=None, load=True, **changes):
    """A gateway with servers of its own, which tells its load."""
    config = pool_config(ports, pool, **changes)
    if load:
        config["routes"].insert(0, {"name": "load", "match": {"path": LOAD},
                                    "stages": [{"auth": {"api_key": {}}}, {"pool_load": {"pool": "fleet"}}]})
    return config


def cluster(g, **more):
    return {"url": f"http://127.0.0.1:{g.port}", "id": more.pop("id", "west"), "cluster": {"load_path": LOAD}, **more}


def at_home(ports, *others, pool=None, **changes):
    """Servers here, and clusters elsewhere."""
    config = peer_config(ports, {"credentials": [{"api_key": "sk-test"}], **(pool or {})}, **changes)
    config["pools"][0]["endpoints"] += others
    return config


def asked(s):
    return sum(s.stats(port)["requests"].get("/v1/chat/completions", {}).get("200", 0) for port in s.ports)


def test_the_load_of_a_pool_is_told_to_those_who_may_know(gateway, sim):
    servers = sim(count=3)
    g = gateway(peer_config(servers.ports))
    all_ready(g, 3)
    with Connection(g.port) as connection:
        response = connection.ask("GET", LOAD)
        assert response.status == 200
        told = response.json()
        assert (told["servers"], told["inflight"], told["queued"]) == (3, 0, 0)
        assert connection.ask("POST", LOAD, {}).status == 405
    with Connection(g.port) as connection:
        assert connection.ask("GET", LOAD, key="sk-wrong").status == 401


def test_home_serves_while_it_can_and_the_other_cluster_what_is_too_much(gateway, sim):
    near, far = sim("--time-scale", "1", "--prefill-us", "2000"), sim("--time-scale", "1", count=4)
    west = gateway(peer_config(far.ports))
    g = gateway(at_home([near.port], cluster(west), pool={"spill": {"margin": "100ms", "hold": "200ms"}}))
    all_ready(west, 4)
    all_ready(g, 2)
    wait_for(lambda: endpoints(g)["west"]["cluster"].get("servers") == 4)
    for i in range(6):
        assert ask(g, f"alone {i}", max_tokens=4).status == 200
    assert (asked(near), asked(far)) == (6, 0)

    # Prompts of 500 tokens take it a second each: all at once are too much for one server.
    text = lambda i: f"{i} " + "word " * 400
    threads = [threading.Thread(target=ask, args=(g, text(i)), kwargs={"max_tokens": 4, "stream": True}) for i in range(12)]
    for i, t in enumerate(threads):
        t.start()
        wait_for(lambda: g.metric("sluice_pool_picks_total", pool="fleet") == 7 + i)
    for t in threads:
        t.join()
    assert asked(far) >= 6, (asked(near), asked(far))
    assert g.metric("sluice_pool_spilled_total", pool="fleet") == asked(far)
    # The other cluster saw where they came from, and its servers did not.
    assert "sluice-hops" not in str([far.stats(port)["last_requests"] for port in far.ports]).lower()

    def all_stay_home():
        spilled = asked(far)
        assert [ask(g, f"alone again {i}", max_tokens=4).status for i in range(6)] == [200] * 6
        return asked(far) == spilled

    wait_for(all_stay_home)


def test_a_cluster_takes_all_when_home_is_gone_and_nothing_fails_when_it_goes_itself(gateway, sim, tmp_path):
    near, far = sim("--time-scale", "0.3", count=2), sim("--time-scale", "0.3", count=2)
    (tmp_path / "west").mkdir()
    west = Gateway(tmp_path / "west", peer_config(far.ports))
    g = gateway(at_home(near.ports, cluster(west)))
    all_ready(west, 2)
    all_ready(g, 3)
    load = Load(g, clients=6, tokens=5)
    load.goes_on()
    for port in near.ports:
        api(g, "POST", f"/fleet/endpoints/127.0.0.1:{port}:drain")
    wait_for(lambda: asked(far) > 20)
    for port in near.ports:
        api(g, "POST", f"/fleet/endpoints/127.0.0.1:{port}:online")
    wait_for(lambda: sum(e["state"] == "ready" for e in endpoints(g).values()) == 3)
    load.goes_on()
    west.finish()
    wait_for(lambda: endpoints(g)["west"]["state"] != "ready")
    load.goes_on()
    answers = load.stop()
    assert all(status == 200 and whole for status, whole, _ in answers), collections.Counter(a[:2] for a in answers)


def test_gateways_that_name_each_other_do_not_send_requests_in_circles(gateway, sim):
    # Neither has a server; each would send to the other.
    first = gateway(at_home([], pool={"check": {"path": ""}}))
    second = gateway(at_home([], cluster(first, id="first"), pool={"check": {"path": ""}}))
    added = api(first, "POST", "/fleet/endpoints", {"url": f"http://127.0.0.1:{second.port}", "id": "second",
                                                    "cluster": {"load_path": LOAD}})
    assert added[0] == 201 and added[1]["cluster"]["load_path"] == LOAD
    response = ask(first)
    assert (response.status, response.json()["error"]["code"]) == (503, "no_target")
    chats = lambda g: [line for line in g.access_log(0) if line["method"] == "POST"]
    # As often as the first one asked, the second was asked; it sent nothing on, and nothing came back.
    wait_for(lambda: len(chats(first)) == 1 and len(chats(second)) == chats(first)[0]["attempts"])
    assert {line["attempts"] for line in chats(second)} == {0}
    assert second.metric("sluice_pool_hop_refusals_total", pool="fleet") == len(chats(second))


@pytest.mark.parametrize("value,status", [("1", 503), ("0", 200), ("x", 400), ("-1", 400), ("16", 400)])
def test_what_a_client_says_of_hops_only_restricts(gateway, sim, value, status):
    far = sim()
    west = gateway(peer_config([far.port]))
    all_ready(west, 1)
    g = gateway(at_home([], cluster(west)))
    all_ready(g, 1)
    assert ask(g, headers={"sluice-hops": value}).status == status


def test_a_standby_serves_while_the_active_one_is_down_and_rests_when_it_is_back_for_good(gateway, sim, tmp_path):
    active, passive = sim(), sim()
    port = active.port
    g = gateway(pool_config([port], {"spill": {"standby_hold": "1s"}, "slow_start": "0s"}))
    all_ready(g, 1)
    added = api(g, "POST", "/fleet/endpoints", {"url": f"http://127.0.0.1:{passive.port}", "standby": True})
    assert added[0] == 201 and added[1]["standby"] is True
    all_ready(g, 2)
    assert [ask(g, f"{i}").status for i in range(6)] == [200] * 6
    assert asked(passive) == 0
    load = Load(g, clients=4, tokens=5)
    load.goes_on()
    active.popen.kill()
    wait_for(lambda: asked(passive) > 20)
    wait_for(lambda: endpoints(g)[f"127.0.0.1:{port}"]["state"] == "not_ready")
    again = Process([SIM_BINARY, "--port", port], tmp_path)
    try:
        wait_for(lambda: endpoints(g)[f"127.0.0.1:{port}"]["state"] == "ready")

        def passive_rests():
            before = asked(passive)
            load.goes_on()
            return asked(passive) == before

        wait_for(passive_rests)
        answers = load.stop()
    finally:
        again.stop()
    whole = [a for a in answers if a[0] == 200 and a[1]]
    broken = [a for a in answers if a not in whole]
    # Only streams that had begun at the one that died may have broken off; nothing failed before its first byte.
    assert len(broken) <= 4 and all(a[0] == 200 and a[2] > 0 for a in broken), broken
    assert len(whole) > 50


def test_any_gateway_that_speaks_the_dialect_can_be_a_cluster(gateway, sim):
    near, far = sim(), sim(count=1)
    g = gateway(at_home([near.port], {"url": f"http://127.0.0.1:{far.port}", "id": "other", "cluster": {}}))
    all_ready(g, 2)
    assert ask(g).status == 200
    assert asked(far) == 0
    api(g, "POST", f"/fleet/endpoints/127.0.0.1:{near.port}:offline")
    assert ask(g).status == 200
    assert asked(far) == 1
    assert endpoints(g)["other"]["cluster"]["round_trip_ms"] > 0


def test_clusters_and_standbys_added_by_the_api_are_kept(gateway, sim, tmp_path):
    far = sim()
    west = gateway(peer_config([far.port]))
    config = at_home([], state_dir=str(tmp_path / "state"))
    g = gateway(config)
    more = {"url": f"http://127.0.0.1:{west.port}", "id": "west", "standby": True, "cluster": {"load_path": LOAD, "home": True}}
    assert api(g, "POST", "/fleet/endpoints", more)[0] == 201
    again = gateway(config)
    wait_for(lambda: "west" in endpoints(again))
    kept = endpoints(again)["west"]
    assert kept["standby"] is True and (kept["cluster"]["load_path"], kept["cluster"]["home"]) == (LOAD, True)
    for bad in ({"cluster": []}, {"cluster": {"load_path": "x"}}, {"cluster": {"colour": 1}}, {"standby": "yes"}):
        assert api(g, "POST", "/fleet/endpoints", {"url": "http://127.0.0.1:9", **bad})[0] == 400
