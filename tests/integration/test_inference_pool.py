"""Pools that manifests of the Gateway API inference extension describe, and pickers that name endpoints nobody else knows."""
import collections
import json
import subprocess
import threading

import pytest

from harness import BINARY
from test_picker_service import ask, asked, keys, land_where_the_picker_says, picker  # noqa: F401 (a fixture)
from test_pools import all_ready, api, endpoint_of, endpoints, pool_config, wait_for


def manifest(ports, failure_mode="FailClose", with_picker=True, name="llama"):
    """An InferencePool among objects of other kinds, as a chart renders them."""
    spec = {"selector": {"matchLabels": {"app": "vllm"}}, "targetPorts": [{"number": p} for p in ports], "appProtocol": "http"}
    if with_picker:
        spec["endpointPickerRef"] = {"name": f"{name}-epp", "port": {"number": 9002}, "failureMode": failure_mode}
    return "\n---\n".join(json.dumps(o, indent=1) for o in [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "epp"}},
        {"apiVersion": "inference.networking.k8s.io/v1", "kind": "InferencePool",
         "metadata": {"name": name, "namespace": "serving", "labels": {"app": "x"}}, "spec": spec},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "epp"}, "spec": {"replicas": 1}}])


def slices(*addresses):
    """What `kubectl get endpointslices -o yaml` writes."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": [{
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "vllm-x", "generation": 2}, "addressType": "IPv4",
        "endpoints": [{"addresses": [a], "conditions": {"ready": True, "serving": True, "terminating": False},
                       "targetRef": {"kind": "Pod", "name": "p"}} for a in addresses], "ports": [{"name": "http", "port": 80}]}]})


@pytest.fixture
def write(tmp_path):
    """write(name, text): a file, replaced as a whole, as a configuration map is."""
    def one(name, text):
        fresh = tmp_path / (name + ".new")
        fresh.write_text(text)
        fresh.rename(tmp_path / name)
        return str(tmp_path / name)

    return one


def imported(file, service=None, pool=None, **more):
    """Model m on the InferencePool of a file. `service`: what picker_service says beside the manifest."""
    pool = {"inference_pool": {"file": file, "addresses": ["127.0.0.1"], **more}, "balancer": "round_robin", **(pool or {})}
    if service is not None:
        pool["picker_service"] = {"first_response": "1s", **service}
    config = pool_config([], pool)
    del config["pools"][0]["endpoints"]
    return config


def at(p):
    return {"address": f"127.0.0.1:{p if isinstance(p, int) else p.port}"}


# --- manifests --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("chosen", [1, 2, 3])
def test_each_port_is_an_endpoint_and_requests_land_only_where_the_picker_says(gateway, sim, picker, write, chosen):  # noqa: F811
    servers = sim(count=3)  # data-parallel ranks: one address, three ports
    p = picker(keys(servers))
    g = gateway(imported(write("pool.yaml", manifest(servers.ports)), at(p)))
    all_ready(g, 3)
    assert set(endpoints(g)) == set(keys(servers)) and {e["source"] for e in endpoints(g).values()} == {"file"}
    land_where_the_picker_says(g, servers, chosen)


@pytest.mark.parametrize("mode,status", [("FailOpen", 200), ("FailClose", 503)])
def test_the_manifest_says_what_follows_when_its_picker_is_gone(gateway, sim, picker, write, mode, status):  # noqa: F811
    servers = sim(count=2)
    p = picker(keys(servers))
    p.close()
    g = gateway(imported(write("pool.yaml", manifest(servers.ports, mode)), at(p.port)))
    all_ready(g, 2)
    assert [ask(g).status for _ in range(4)] == [status] * 4


def test_what_the_configuration_says_of_failures_comes_first(gateway, sim, picker, write):  # noqa: F811
    servers = sim()
    p = picker(keys(servers))
    p.close()
    g = gateway(imported(write("pool.yaml", manifest(servers.ports)), {**at(p.port), "on_failure": "open"}))
    all_ready(g, 1)
    assert ask(g).status == 200


def test_without_a_picker_the_gateway_chooses_itself(gateway, sim, write):
    servers = sim(count=3)
    g = gateway(imported(write("pool.yaml", manifest(servers.ports, with_picker=False)), pool={"balancer": "picker"}))
    all_ready(g, 3)
    assert [ask(g, text=f"{i} " * 200).status for i in range(6)] == [200] * 6
    # A picker that the manifest names may be left aside: nothing would answer at llama-epp.serving.svc.
    again = gateway(imported(write("other.yaml", manifest(servers.ports)), ask_picker=False))
    all_ready(again, 3)
    assert [ask(again).status for _ in range(6)] == [200] * 6


def test_weighted_pools_of_one_file_ask_their_own_pickers(gateway, sim, picker, write):  # noqa: F811
    first, second = sim(), sim()
    p, q = picker(keys(first)), picker(keys(second))
    file = write("pools.yaml", manifest(first.ports) + "\n---\n" + manifest(second.ports, name="canary"))
    config = imported(file, at(p), name="llama")
    config["pools"].append({**imported(file, at(q), name="canary")["pools"][0], "name": "other"})
    config["models"][0]["targets"] = [{"pool": "fleet", "weight": 70}, {"pool": "other", "weight": 30}]
    g = gateway(config)
    all_ready(g, 1)
    counts = collections.Counter(ask(g).header("x-conformance-test-served-endpoint") for _ in range(200))
    assert set(counts) == {*keys(first), *keys(second)}
    assert abs(counts[keys(first)[0]] / 200 - 0.7) < 0.146  # 4.5 sigma
    assert len(p.seen) == counts[keys(first)[0]] and len(q.seen) == counts[keys(second)[0]]


def test_manifests_that_change_under_traffic_fail_no_request(gateway, sim, write):
    servers = sim(count=3)
    a, b, c = servers.ports
    file = write("pool.yaml", manifest([a, b], with_picker=False))
    config = imported(file, addresses=[], addresses_file=write("slices.yaml", slices("127.0.0.1")))
    g = gateway(config)
    all_ready(g, 2)
    answers, done = [], threading.Event()

    def client():
        while not done.is_set():
            answers.append(ask(g).status)

    threads = [threading.Thread(target=client) for _ in range(4)]
    for t in threads:
        t.start()
    try:
        for ports in ([a, b, c], [b, c], [c], [a, c]):
            write("pool.yaml", manifest(ports, with_picker=False))
            wait_for(lambda: set(endpoints(g)) == {f"127.0.0.1:{p}" for p in ports})
            all_ready(g, len(ports))
        write("slices.yaml", slices("127.0.0.1", "127.0.0.9"))  # nobody is there
        wait_for(lambda: len(endpoints(g)) == 4)
        write("slices.yaml", slices("127.0.0.1"))
        wait_for(lambda: len(endpoints(g)) == 2)
        write("pool.yaml", manifest(["many"], with_picker=False))
        g.wait_line(r"pool\.yaml:\d+:\d+: spec\.targetPorts\[0\]\.number")
    finally:
        done.set()
        for t in threads:
            t.join()
    assert len(answers) > 20 and set(answers) == {200}
    assert ask(g).status == 200


def test_bad_manifests_are_refused_with_their_place(gateway, tmp_path, write):
    good = manifest([8000])
    for text, more, wanted in [
        (good.replace('"number": 8000', '"number": 80000'), {}, "pool.yaml:"),
        (good.replace('"http"', '"htpp"'), {}, 'did you mean "http"'),
        (good.replace("targetPorts", "targetPort"), {}, 'did you mean "targetPorts"'),
        (good, {"name": "lama"}, 'did you mean "llama"'),
        ("kind: Service\n", {}, "holds no InferencePool"),
        (good, {"addresses": ["127.0.0.1:8000"]}, "without a port"),
        (good, {"addresses": []}, "where the model servers are"),
        (good, {"addresses_file": "none.yaml"}, "none.yaml"),
    ]:
        config = tmp_path / "g.yaml"
        config.write_text(json.dumps(imported(write("pool.yaml", text), **more), indent=1))
        done = subprocess.run([BINARY, "check", "-c", str(config)], capture_output=True, text=True, timeout=30)
        assert done.returncode == 1 and wanted in done.stdout + done.stderr, (wanted, done.stdout + done.stderr)
        assert "yaml:" in done.stderr


# --- endpoints that only the picker knows ----------------------------------------------------------------------

def passing(servers, p, networks=("127.0.0.1/32",), **service):
    """A pool of those servers whose picker may name others within the networks."""
    return pool_config(servers, {"balancer": "round_robin", "picker_service": {
        **at(p), "first_response": "1s", "destination": "passthrough", "destination_networks": list(networks), **service}})


def passed(g):
    return g.metric("sluice_picker_service_passthrough_total", pool="fleet")


def refused(g):
    return g.metric("sluice_picker_service_unknown_endpoints_total", pool="fleet")


def test_a_picker_may_name_servers_of_the_allowed_networks(gateway, sim, picker):  # noqa: F811
    known, unknown = sim(), sim()
    p = picker(keys(unknown))
    g = gateway(passing(known.ports, p))
    all_ready(g, 1)
    answers = [ask(g) for _ in range(5)]
    assert [a.status for a in answers] == [200] * 5
    assert {a.header("x-conformance-test-served-endpoint") for a in answers} == set(keys(unknown))
    assert endpoint_of(g, answers[0]) == keys(unknown)[0]
    assert passed(g) == 5 and refused(g) == 0
    # It is counted, and nobody but the picker sends anything there.
    wait_for(lambda: g.metric("sluice_pool_picked_endpoints", pool="fleet") == 1)
    assert set(endpoints(g)) == set(keys(known))
    assert [endpoint_of(g, ask(g, "leave")) for _ in range(6)] == keys(known) * 6


def test_a_server_of_the_pool_that_was_taken_out_stays_out(gateway, sim, picker):  # noqa: F811
    known = sim(count=2)
    p = picker(keys(known)[:1])
    g = gateway(passing(known.ports, p))
    all_ready(g, 2)
    api(g, "POST", f"/fleet/endpoints/{keys(known)[0]}:offline")
    wait_for(lambda: ask(g).status == 503)
    api(g, "POST", f"/fleet/endpoints/{keys(known)[0]}:online")
    wait_for(lambda: ask(g).status == 200)
    assert passed(g) == 0


def test_a_pool_may_have_no_servers_but_those_its_picker_names(gateway, sim, picker):  # noqa: F811
    servers = sim(count=3)
    p = picker(keys(servers))
    g = gateway(passing([], p))
    for key in keys(servers):
        assert ask(g, headers={"test-epp-endpoint-selection": key}).header("x-conformance-test-served-endpoint") == key
    assert passed(g) == 3


def test_the_list_is_walked_over_servers_known_and_unknown(gateway, sim, picker):  # noqa: F811
    known, unknown, dead = sim(), sim(), sim(count=2)
    p = picker([*keys(dead), *keys(unknown), *keys(known)])
    g = gateway(passing(known.ports, p))
    all_ready(g, 1)
    dead.stop()
    response = ask(g)
    assert response.header("x-conformance-test-served-endpoint") == keys(unknown)[0]
    assert g.access_log(1)[0]["attempts"] == 3 and passed(g) == 3
    unknown.stop()
    second = ask(g, "picks=" + "+".join([*keys(unknown), *keys(known)]))
    assert second.header("x-conformance-test-served-endpoint") == keys(known)[0]
    assert ask(g, "picks=" + "+".join(keys(dead))).status in (502, 503)


def test_other_networks_and_ports_are_never_dialled(gateway, sim, picker):  # noqa: F811
    known, unknown = sim(), sim(count=2)
    p = picker(keys(known))
    g = gateway(passing(known.ports, p, destination_ports=[unknown.ports[0]]))
    all_ready(g, 1)
    for outside in (f"127.0.0.2:{unknown.ports[0]}", f"10.0.0.1:{unknown.ports[0]}", "169.254.169.254:80",
                    f"[::1]:{unknown.ports[0]}", f"127.0.0.1:{unknown.ports[1]}"):
        before = refused(g)
        response = ask(g, "picks=" + outside)
        assert (response.status, response.header("retry-after")) == (503, "1"), outside
        assert refused(g) == before + 1
        # What is allowed of the same list is used.
        assert ask(g, f"picks={outside}+127.0.0.1:{unknown.ports[0]}").status == 200
        assert ask(g).status == 200  # and one that is known needs no network
    # Loopback addresses in their IPv6 clothes are judged as what they are.
    assert ask(g, f"picks=[::ffff:127.0.0.2]:{unknown.ports[0]}").status == 503
    assert asked(unknown)[1] == 0


def test_metadata_services_stay_out_of_reach_whatever_the_networks(gateway, sim, picker):  # noqa: F811
    known = sim()
    p = picker(["169.254.169.254:80"])
    g = gateway(passing(known.ports, p, networks=["0.0.0.0/0"]))
    all_ready(g, 1)
    response = ask(g)
    assert response.status in (502, 503) and b"169.254" not in response.body


def test_more_servers_than_there_is_room_take_turns(gateway, sim, picker):  # noqa: F811
    known, unknown = sim(), sim(count=6)
    p = picker(keys(unknown))
    config = passing(known.ports, p)
    config["pools"][0]["picker"] = {"endpoints": 3}
    g = gateway(config)
    all_ready(g, 1)
    for _ in range(2):
        for key in keys(unknown):
            assert ask(g, headers={"test-epp-endpoint-selection": key}).status == 200
    wait_for(lambda: g.metric("sluice_pool_picked_endpoints", pool="fleet") == 2)
    assert passed(g) == 12 and set(endpoints(g)) == set(keys(known))


def test_a_server_that_a_source_names_later_is_the_pools(gateway, sim, picker):  # noqa: F811
    known, later = sim(), sim()
    p = picker(keys(later))
    config = passing(known.ports, p)
    g = gateway(config)
    all_ready(g, 1)
    assert ask(g).status == 200 and passed(g) == 1
    config["pools"][0]["endpoints"].append({"url": f"http://{keys(later)[0]}"})
    g.write_config(config)
    wait_for(lambda: keys(later)[0] in endpoints(g))
    all_ready(g, 2)
    assert ask(g).status == 200 and passed(g) == 1


def test_ports_of_a_manifest_are_those_that_a_picker_may_name(gateway, sim, picker, write):  # noqa: F811
    servers, other = sim(count=2), sim()
    p = picker(keys(servers))
    config = imported(write("pool.yaml", manifest(servers.ports)), {
        **at(p), "destination": "passthrough", "destination_networks": ["127.0.0.0/8"]}, addresses=[])
    g = gateway(config)
    assert ask(g).status == 200 and passed(g) == 1
    assert ask(g, "picks=" + keys(other)[0]).status == 503 and refused(g) == 1


def test_passing_through_needs_networks(gateway, tmp_path):
    for change, wanted in [
        ({"destination_networks": []}, "destination_networks"),
        ({"destination_networks": ["10.0.0.1/8"]}, "10.0.0.1/8"),
        ({"destination": "validated"}, "passthrough"),
    ]:
        config = passing([], 9002)
        config["pools"][0]["picker_service"].update(change)
        path = tmp_path / "g.yaml"
        path.write_text(json.dumps(config, indent=1))
        done = subprocess.run([BINARY, "check", "-c", str(path)], capture_output=True, text=True, timeout=30)
        assert done.returncode == 1 and wanted in done.stderr, done.stderr
