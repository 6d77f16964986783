"""Running it: reload, drain, certificates, exhaustion, and what it tells about itself."""
import json
import os
import signal
import ssl
import subprocess
import threading
import time

import pytest

from harness import BINARY, SANITIZER, make_config, model, provider
from upstream import STREAM_END, STREAM_HEAD, answer, chunk, event
from wire import Connection, chat

# --- reload ---------------------------------------------------------------------------------------------------


class Load:
    """Clients that ask without pause until told to stop; what they got."""

    def __init__(self, port, clients, body, headers=None):
        self.over = threading.Event()
        self.good = 0
        self.bad = []
        self.threads = [threading.Thread(target=self._run, args=(port, body, headers)) for _ in range(clients)]
        for t in self.threads:
            t.start()

    def _run(self, port, body, headers):
        while not self.over.is_set():
            try:
                with Connection(port) as connection:
                    response = None
                    while not self.over.is_set() and not (response and response.header("connection") == "close"):
                        response = connection.ask("POST", "/v1/chat/completions", body, headers)
                        whole = response.status == 200 and not response.truncated and (not body.get("stream") or response.body.endswith(b"data: [DONE]\n\n"))
                        if whole:
                            self.good += 1
                        else:
                            self.bad.append((response.status, response.truncated, response.body[-300:]))
                            return
            except Exception as problem:  # whatever a client sees counts as a failure
                self.bad.append(repr(problem))
                return

    def finish(self):
        self.over.set()
        for t in self.threads:
            t.join(60)
        return self.good, self.bad


def reload_under_load(g, s, reloads, pause):
    """Reloads of a changing configuration while plain and streamed requests run; every one must be whole."""
    plain = Load(g.port, 4, chat(max_tokens=3))
    streams = Load(g.port, 8, chat(stream=True), {"x-sim-stream": "events=40,gap=10ms"})
    for i in range(reloads):
        config = make_config(s, models=[model("m", "p"), model(f"extra-{i}", "p")])
        g.write_config(config)
        if i % 2:
            g.signal(signal.SIGHUP)
        g.wait_line(r"reloaded \(", i + 1)
        if pause:
            plain.over.wait(pause)
    for load in (plain, streams):
        good, bad = load.finish()
        assert not bad, bad[:3]
        assert good > 0


def test_reloads_under_load_cost_no_request_and_cut_no_stream(gateway, sim):
    s = sim()
    reload_under_load(gateway(make_config(s)), s, 10, 0.1)


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.skipif(bool(SANITIZER), reason="the short form runs instead")
def test_two_hundred_reloads_in_a_minute_cost_no_request_and_no_memory(gateway, sim):
    s = sim()
    g = gateway(make_config(s))
    reload_under_load(g, s, 20, 0.05)
    before = g.memory()
    seen = len([1 for line in g.lines if "reloaded (" in line])
    plain = Load(g.port, 4, chat(max_tokens=3))
    streams = Load(g.port, 8, chat(stream=True), {"x-sim-stream": "events=40,gap=10ms"})
    for i in range(200):
        g.write_config(make_config(s, models=[model("m", "p"), model(f"again-{i}", "p")]))
        g.signal(signal.SIGHUP)
        g.wait_line(r"reloaded \(", seen + i + 1)
        plain.over.wait(0.3)
    for load in (plain, streams):
        good, bad = load.finish()
        assert good > 0 and not bad, bad[:3]
    assert g.memory() - before < 16 << 20


def test_a_row_of_signals_is_few_reloads_and_holds_up_no_end(gateway, upstream):
    up = upstream()
    # Large, so that each load takes longer than the next signal.
    g = gateway(make_config(up, models=[model("m", "p")] + [model(f"m-{i}", "p") for i in range(2000)]))
    for _ in range(300):
        g.signal(signal.SIGHUP)
        time.sleep(0.0005)
    g.wait_line(r"reloaded \(SIGHUP\)")
    g.signal(signal.SIGTERM)
    started = time.monotonic()
    assert g.wait() == 0
    assert time.monotonic() - started < 10
    assert len([1 for line in g.lines if "reloaded (" in line]) < 100
    g.finish = lambda: None


def test_a_new_model_and_a_new_key_take_effect_without_a_restart(gateway, upstream, connect):
    up = upstream()
    config = make_config(up)
    g = gateway(config)
    assert connect(g.port).ask("POST", "/v1/chat/completions", chat(model="new"), key="sk-new").status == 401
    g.write_config({**config, "models": [model("m", "p"), model("new", "p")],
                    "keys": config["keys"] + [{"id": "new", "key": "sk-new", "tenant": "t"}]})
    g.wait_line(r"reloaded \(a file changed\)")
    kept = connect(g.port)
    assert kept.ask("POST", "/v1/chat/completions", chat(model="new"), key="sk-new").status == 200
    # And a key that is taken away is gone, on connections that are open too.
    g.write_config({**config, "models": [model("m", "p"), model("new", "p")]})
    g.wait_line(r"reloaded \(", 2)
    assert kept.ask("POST", "/v1/chat/completions", chat(model="new"), key="sk-new").status == 401


MISTAKES = {
    "no YAML": "listeners: [",
    "an unknown key": '{"listenrs": []}',
    "nothing": "",
    "a dangling provider": None,
}


@pytest.mark.parametrize("title", MISTAKES)
def test_a_configuration_with_a_mistake_leaves_the_last_good_one(gateway, upstream, connect, title):
    up = upstream()
    config = make_config(up)
    g = gateway(config)
    bad = MISTAKES[title]
    if bad is None:
        g.write_config({**config, "models": [model("m", "nobody")]})
    else:
        g.config_path.write_text(bad)
    g.signal(signal.SIGHUP)
    g.wait_line(r"reload \(.*\) refused")
    assert connect(g.port).ask("POST", "/v1/chat/completions", chat()).status == 200
    assert g.metric("sluice_config_reloads_total", result="failed") >= 1
    g.write_config(config)
    g.wait_line(r"reloaded \(")


def test_check_names_file_line_and_column_of_every_mistake(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("listeners:\n  - {address: 127.0.0.1:0}\nlistenrs: 1\nroutes:\n  - {name: a, stages: [{rout: {}}]}\n")
    done = subprocess.run([BINARY, "check", "-c", path], capture_output=True, text=True)
    assert done.returncode == 1
    assert f"{path}:3:1" in done.stderr and "listeners" in done.stderr
    assert f"{path}:5:" in done.stderr and "route" in done.stderr


def test_a_gateway_whose_address_is_taken_says_so_and_ends(gateway, upstream):
    g = gateway(make_config(upstream()))
    for taken in ({"admin": {"address": f"127.0.0.1:{g.admin_port}"}}, {"listeners": [{"address": f"127.0.0.1:{g.port}"}]}):
        with pytest.raises(AssertionError) as problem:
            gateway(make_config(1, **taken))
        assert "in use" in str(problem.value)


# --- the end --------------------------------------------------------------------------------------------------


def open_streams(g, up, count):
    """Streams that have begun; and the event that lets them end."""
    go_on = threading.Event()
    up.otherwise = [STREAM_HEAD + event("one"), go_on, event("two") + chunk("data: [DONE]\n\n") + STREAM_END]
    opened = []
    for _ in range(count):
        connection = Connection(g.port)
        connection.request("POST", "/v1/chat/completions", chat(stream=True))
        opened.append((connection, connection.response().events()))
    for _, events in opened:
        assert "one" in next(events)
    return opened, go_on


def test_sigterm_lets_two_hundred_streams_end_and_takes_no_new_ones(gateway, upstream):
    up = upstream()
    g = gateway(make_config(up, drain={"timeout": "30s"}))
    opened, go_on = open_streams(g, up, 200)
    idle = Connection(g.port)
    assert idle.ask("GET", "/v1/nothing", key="wrong").status == 401
    g.signal(signal.SIGTERM)
    g.wait_line("draining")
    assert g.admin("/readyz")[0] == 503
    assert idle.ended(), "an idle connection is closed when the drain begins"
    # Each worker closes its listener when it hears of the drain; until then it serves.
    late = time.monotonic() + 10
    with pytest.raises(OSError):
        while time.monotonic() < late:
            with Connection(g.port, timeout=2) as connection:
                connection.ask("GET", "/")
    go_on.set()
    for connection, events in opened:
        assert list(events)[-1] == "[DONE]"
        connection.close()
    assert g.wait() == 0
    # Ended by itself and well: nothing is left for the fixture to end.
    assert not [line for line in g.lines if "cutting" in line]
    g.finish = lambda: None


@pytest.mark.slow
def test_two_hundred_streams_that_go_on_through_most_of_a_drain_are_whole(gateway, sim):
    g = gateway(make_config(sim(), drain={"timeout": "30s"}))
    opened = []
    for _ in range(200):
        connection = Connection(g.port, timeout=60)
        connection.request("POST", "/v1/chat/completions", chat(stream=True), {"x-sim-stream": "events=200,gap=100ms"})
        opened.append((connection, connection.response().events()))
    for _, events in opened:
        next(events)
    g.signal(signal.SIGTERM)
    for connection, events in opened:
        rest = list(events)
        assert len(rest) >= 200 and rest[-1] == "[DONE]"
        connection.close()
    assert g.wait() == 0
    assert not [line for line in g.lines if "cutting" in line]
    g.finish = lambda: None


def test_streams_longer_than_the_drain_end_in_an_error(gateway, upstream):
    up = upstream()
    g = gateway(make_config(up, drain={"timeout": "500ms"}))
    opened, _ = open_streams(g, up, 50)
    g.signal(signal.SIGTERM)
    for connection, events in opened:
        response_events = list(events)
        assert json.loads(response_events[-1])["error"]["code"] == "draining"
        assert "[DONE]" not in response_events
        connection.close()
    assert g.wait() == 0
    assert all(line["error"] == "draining" for line in g.access_log(50))
    g.finish = lambda: None


def test_a_second_sigterm_ends_at_once(gateway, upstream):
    up = upstream()
    g = gateway(make_config(up, drain={"timeout": "60s"}))
    opened, _ = open_streams(g, up, 5)
    g.signal(signal.SIGTERM)
    g.wait_line("draining")
    started = time.monotonic()
    g.signal(signal.SIGTERM)
    assert g.wait() == 0
    assert time.monotonic() - started < 5
    for connection, _ in opened:
        connection.close()
    g.finish = lambda: None


def test_readiness_turns_before_the_listeners_close(gateway, upstream):
    up = upstream()
    g = gateway(make_config(up, drain={"delay": "1s", "timeout": "5s"}))
    assert g.admin("/readyz")[0] == 200 and g.admin("/healthz")[0] == 200
    g.signal(signal.SIGTERM)
    g.wait_line("draining")
    assert g.admin("/readyz")[0] == 503 and g.admin("/healthz")[0] == 200
    with Connection(g.port) as connection:
        assert connection.ask("POST", "/v1/chat/completions", chat()).status == 200
    assert g.wait() == 0
    g.finish = lambda: None


# --- exhaustion -----------------------------------------------------------------------------------------------


@pytest.mark.skipif(bool(SANITIZER), reason="sanitizers probe memory through pipes, and report nonsense when they get none")
def test_a_gateway_out_of_descriptors_recovers(gateway, upstream):
    up = upstream()
    g = gateway(make_config(up), descriptors=256)
    crowd = []
    for _ in range(400):
        connection = Connection(g.port)
        connection.send(b"GET /v1/models HTTP/1.1\r\nHost: a\r\n")
        crowd.append(connection)
    spent = cpu_seconds(g)
    for connection in crowd:
        connection.close()
    for _ in range(20):
        with Connection(g.port) as connection:
            assert connection.ask("POST", "/v1/chat/completions", chat()).status == 200
    assert cpu_seconds(g) - spent < 5, "it span while it had no descriptor"
    assert g.descriptors() < 200


def cpu_seconds(process):
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_connections_over_the_limit_are_closed_and_those_within_are_served(gateway, upstream):
    g = gateway(make_config(upstream(), limits={"connections": 10}))
    crowd = []
    for _ in range(10):
        connection = Connection(g.port)
        assert connection.ask("POST", "/v1/chat/completions", chat()).status == 200
        crowd.append(connection)
    with Connection(g.port) as one_more:
        assert one_more.ended()
    assert crowd[3].ask("POST", "/v1/chat/completions", chat()).status == 200
    for connection in crowd:
        connection.close()


def test_bodies_over_the_memory_budget_get_503_not_memory(gateway, upstream):
    up = upstream()
    config = make_config(up, limits={"buffered_bytes": "2MB"})
    config["routes"][0]["limits"] = {"body_bytes": "8MB"}
    g = gateway(config)
    with Connection(g.port) as connection:
        try:
            connection.request("POST", "/v1/chat/completions", chat("x" * (6 << 20)))
        except OSError:
            pass  # refused before all of it was sent
        response = connection.response()
        response.read()
    assert response.status == 503
    assert response.json()["error"]["code"] == "overloaded"
    with Connection(g.port) as connection:
        assert connection.ask("POST", "/v1/chat/completions", chat()).status == 200


# --- TLS ------------------------------------------------------------------------------------------------------


def make_certificate(folder, name, serial):
    """A self-signed certificate for localhost: (cert path, key path)."""
    folder.mkdir(exist_ok=True)
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-set_serial", str(serial), "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


def trusting(*certificates):
    context = ssl.create_default_context()
    context.check_hostname = True
    for certificate in certificates:
        context.load_verify_locations(certificate)
    return context


def tls_config(upstream, cert, key):
    return make_config(upstream, listeners=[{"address": "127.0.0.1:0", "tls": {"certificates": [{"cert_file": str(cert), "key_file": str(key)}]}}])


def test_a_tls_listener_serves_plain_and_streamed_answers(gateway, upstream, tmp_path):
    cert, key = make_certificate(tmp_path / "tls", "a", 1)
    up = upstream([answer(b'{"a":1}')], [STREAM_HEAD + event("one") + STREAM_END])
    g = gateway(tls_config(up, cert, key))
    with Connection(g.port, tls=trusting(cert)) as connection:
        assert connection.ask("POST", "/v1/chat/completions", chat()).body == b'{"a":1}'
        assert b"one" in connection.ask("POST", "/v1/chat/completions", chat(stream=True)).body
    with Connection(g.port) as plain:  # no TLS where TLS is due
        plain.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"HTTP" not in plain.rest()


def test_a_rotation_of_certificates_fails_no_handshake(gateway, upstream, tmp_path):
    cert, key = make_certificate(tmp_path / "tls", "live", 1)
    pairs = [make_certificate(tmp_path / "tls", f"next-{i}", i + 2) for i in range(3)]
    trust = trusting(cert, *[c for c, _ in pairs])
    g = gateway(tls_config(upstream(), cert, key))
    over, bad, serials = threading.Event(), [], set()

    def shake_hands():
        while not over.is_set():
            try:
                with Connection(g.port, tls=trust) as connection:
                    serials.add(connection.socket.getpeercert()["serialNumber"])
            except OSError as problem:
                bad.append(repr(problem))

    threads = [threading.Thread(target=shake_hands) for _ in range(3)]
    for t in threads:
        t.start()
    for i, (next_cert, next_key) in enumerate(pairs):
        # The key first: for a moment the two do not belong together, and the old pair must go on serving.
        os.replace(next_key, key)
        os.replace(next_cert, cert)
        g.wait_line("certificates reloaded", i + 1)
    deadline = time.monotonic() + 10
    while "04" not in serials and time.monotonic() < deadline:
        over.wait(0.05)
    over.set()
    for t in threads:
        t.join()
    assert not bad, bad[:3]
    assert "04" in serials, f"the last certificate was never served, only {serials}"


def test_an_upstream_with_tls_is_verified(gateway, sim, tmp_path):
    cert, key = make_certificate(tmp_path / "tls", "up", 1)
    s = sim("--tls", cert, key)

    def config(tls):
        return make_config(s, providers=[{**provider("p", s.port), "base_url": f"https://localhost:{s.port}/v1", "tls": tls}])

    trusted = gateway(config({"ca_file": str(cert)}))
    with Connection(trusted.port) as connection:
        assert connection.ask("POST", "/v1/chat/completions", chat(max_tokens=3)).status == 200
    for tls in ({}, {"ca_file": str(cert), "server_name": "other.test"}):
        doubted = gateway(config(tls))
        with Connection(doubted.port) as connection:
            response = connection.ask("POST", "/v1/chat/completions", chat())
        assert response.status == 502 and response.json()["error"]["code"] == "upstream_tls"


# --- what it tells --------------------------------------------------------------------------------------------

CANARIES = {"client key": "sk-canary-client-5f3a", "upstream key": "sk-canary-upstream-77b1", "prompt": "canary-prompt-9d21", "cookie": "canary-cookie-1c0e"}


def test_no_secret_and_no_prompt_reaches_logs_metrics_or_errors(gateway, upstream):
    up = upstream([answer(b"{}")], [answer(b'{"error":{"message":"bad key"}}', "401 Unauthorized")], [b"garbage " + b"x" * 100 + b"\r\n\r\n"])
    g = gateway(make_config(up, providers=[provider("p", up.port, key=CANARIES["upstream key"])], log={"level": "trace"},
                            keys=[{"id": "k", "key": CANARIES["client key"], "tenant": "t"}]))
    answers = b""
    with Connection(g.port) as connection:
        for body in (chat(CANARIES["prompt"]), chat(CANARIES["prompt"]), chat(CANARIES["prompt"]), chat(CANARIES["prompt"], model="unknown")):
            response = connection.ask("POST", "/v1/chat/completions", body, {"Cookie": CANARIES["cookie"]}, key=CANARIES["client key"])
            answers += response.head.encode() + response.body
        answers += connection.ask("POST", "/v1/chat/completions", chat(), key=CANARIES["client key"] + "-wrong").body
    g.access_log(5)
    told = answers.decode() + g.access_path.read_text() + "\n".join(g.lines) + g.admin("/metrics")[1]
    for title, canary in CANARIES.items():
        assert canary not in told, title


INJECTIONS = {"CR LF": "m\r\nX-Evil: 1", "LF": "m\nX-Evil: 1", "NUL": "m\0", "an escape": "m\x1b[31m", "a quote": 'm","x":"', "a newline of Unicode": "m\u2028x"}


@pytest.mark.parametrize("title", INJECTIONS)
def test_what_a_client_says_stays_one_value_wherever_it_is_written(gateway, upstream, title):
    evil = INJECTIONS[title]
    up = upstream()
    g = gateway(make_config(up))
    with Connection(g.port) as connection:
        body = chat("hi", model=evil, user=evil, metadata={"a": evil})
        response = connection.ask("POST", "/v1/chat/completions", body)
        assert response.status in (400, 404)
        assert response.header("x-evil") is None
        assert connection.ask("POST", "/v1/chat/completions", chat("hi", user=evil)).status == 200
        assert connection.ask("GET", "/v1/x%0d%0aX-Evil:%201?a=%0d%0a", key="wrong").status in (400, 401, 404)
    assert up.requests[0].header("x-evil") is None
    assert len(g.access_log(3)) == 3
    assert all("\x1b" not in line for line in g.access_path.read_text().splitlines())


def test_lines_of_the_access_log_say_what_happened(gateway, sim):
    g = gateway(make_config(sim()))
    with Connection(g.port) as connection:
        connection.ask("POST", "/v1/chat/completions", chat("hello", max_tokens=7), {"x-request-id": "client-id-1"})
        connection.ask("POST", "/v1/chat/completions", chat("hello", max_tokens=7, stream=True, stream_options={"include_usage": True}))
        connection.ask("POST", "/v1/chat/completions", chat("hello"), key="wrong")
    plain, streamed, refused = g.access_log(3)
    for line in (plain, streamed):
        assert (line["status"], line["key_id"], line["tenant"], line["model"], line["provider"]) == (200, "test-key", "test-tenant", "m", "p")
        assert line["output_tokens"] == 7 and line["input_tokens"] > 0
        assert line["duration_ms"] >= line["upstream_ms"] >= 0
    assert streamed["stream"] is True and streamed["events"] >= 8 and plain["stream"] is False
    assert refused["status"] == 401 and refused["error"] == "invalid_api_key" and "key_id" not in refused


def test_metrics_are_clean_and_cannot_be_minted_by_clients(gateway, sim):
    g = gateway(make_config(sim()))
    with Connection(g.port) as connection:
        connection.ask("POST", "/v1/chat/completions", chat("hello", max_tokens=3))
        connection.ask("POST", "/v1/chat/completions", chat("hello", max_tokens=3, stream=True))
        for i in range(30):
            connection.ask("POST", f"/v1/minted-path-{i}", chat(model=f"minted-model-{i}"), {"User-Agent": f"minted-agent-{i}"})
    status, text = g.admin("/metrics")
    assert status == 200 and "minted" not in text
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert g.metric("gen_ai_server_request_duration_seconds_count") >= 2
    assert g.metric("gen_ai_client_token_usage_sum", gen_ai_token_type="output") >= 3


TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_a_trace_is_continued(gateway, upstream):
    up = upstream()
    g = gateway(make_config(up))
    with Connection(g.port) as connection:
        connection.ask("POST", "/v1/chat/completions", chat(), {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01", "tracestate": "a=1"})
    seen = up.requests[0].header("traceparent").split("-")
    assert seen[1] == TRACE and seen[2] != "b7ad6b7169203331" and seen[3] == "01"
    assert up.requests[0].header("tracestate") == "a=1"


def test_spans_arrive_at_a_collector(gateway, upstream):
    up, collector = upstream(), upstream()
    g = gateway(make_config(up, tracing={"endpoint": f"http://127.0.0.1:{collector.port}/v1/traces", "interval": "50ms", "sample_ratio": 1}))
    with Connection(g.port) as connection:
        response = connection.ask("POST", "/v1/chat/completions", chat("canary-prompt"), {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})
    assert response.status == 200
    assert collector.wait_for(lambda c: c.requests)
    sent = collector.requests[0]
    assert sent.line.startswith("POST /v1/traces")
    assert b"canary-prompt" not in sent.body
    (resource,) = json.loads(sent.body)["resourceSpans"]
    spans = [s for scope in resource["scopeSpans"] for s in scope["spans"]]
    (server,) = [s for s in spans if s["traceId"] == TRACE and s["parentSpanId"] == "b7ad6b7169203331"]
    # The call to the upstream is its child, and the parent of what the upstream does.
    (client,) = [s for s in spans if s["parentSpanId"] == server["spanId"]]
    assert client["kind"] == 3 and client["spanId"] == up.requests[0].header("traceparent").split("-")[2]
    assert all(int(s["endTimeUnixNano"]) >= int(s["startTimeUnixNano"]) for s in spans)


def test_each_attempt_has_a_span(gateway, upstream):
    bad, good, collector = upstream(otherwise=[answer(b"{}", "500 Internal Server Error")]), upstream(), upstream()
    g = gateway(make_config(bad, providers=[provider("bad", bad.port), provider("good", good.port)],
                            models=[model("m", {"provider": "bad", "model": "m"}, {"provider": "good", "model": "m", "priority": 1})],
                            tracing={"endpoint": f"http://127.0.0.1:{collector.port}/v1/traces", "interval": "50ms", "sample_ratio": 1}))
    with Connection(g.port) as connection:
        assert connection.ask("POST", "/v1/chat/completions", chat()).status == 200
    assert collector.wait_for(lambda c: c.requests)
    spans = [s for scope in json.loads(collector.requests[0].body)["resourceSpans"][0]["scopeSpans"] for s in scope["spans"]]
    attempts = {next(a["value"]["stringValue"] for a in s["attributes"] if a["key"] == "gen_ai.provider.name"): s
                for s in spans if s["kind"] == 3}
    assert attempts["bad"]["status"]["code"] == 2 and attempts["good"].get("status", {}).get("code", 0) != 2
    assert [r.requests[0].header("traceparent").split("-")[2] for r in (bad, good)] == [attempts[p]["spanId"] for p in ("bad", "good")]


def test_each_stage_shows_how_long_it_takes(gateway, upstream):
    g = gateway(make_config(upstream(), workers=1))
    with Connection(g.port) as connection:
        for _ in range(64):
            assert connection.ask("POST", "/v1/chat/completions", chat()).status == 200
    counts = {stage: g.metric("sluice_stage_duration_seconds_count", route="api", stage=stage) for stage in ("auth", "route", "relay")}
    assert set(counts.values()) == {4}


def test_every_answer_has_an_id_of_its_own_that_the_log_has_too(gateway, upstream):
    g = gateway(make_config(upstream()))
    ids = []
    with Connection(g.port) as connection:
        for key in ("sk-test", "wrong", "sk-test"):
            ids.append(connection.ask("POST", "/v1/chat/completions", chat(), key=key).header("x-request-id"))
    assert len(set(ids)) == 3 and all(ids)
    assert [line["request_id"] for line in g.access_log(3)] == ids


def test_a_log_that_nobody_reads_holds_nobody_up(gateway, upstream, tmp_path):
    fifo = tmp_path / "log.fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        g = gateway(make_config(upstream(), access_log={"path": str(fifo), "flush_interval": "10ms", "buffer": 4096, "buffers": 2}))
        with Connection(g.port) as connection:
            for _ in range(1500):
                assert connection.ask("POST", "/v1/chat/completions", chat()).status == 200
        assert g.admin("/readyz")[0] == 200
        assert g.metric("sluice_access_log_dropped_lines_total") > 0
    finally:
        os.close(reader)
