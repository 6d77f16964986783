"""Pools that manifests of the Gateway API inference extension describe."""
import collections
import json
import subprocess
import threading

import pytest

from harness import BINARY
from test_picker_service import ask, keys, picker  # noqa: F401 (a fixture)
from test_pools import all_ready, endpoints, pool_config, wait_for


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
    asked = [servers.stats(port)["requests"].get("/v1/chat/completions", {}).get("200", 0) for port in servers.ports]
    assert sum(asked) == 100 and asked[chosen:] == [0] * (3 - chosen)


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
