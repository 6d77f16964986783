"""Which upstream serves a request, and what happens when it does not."""
import collections
import json
import threading
import time

import pytest

from harness import api_stages, make_config, model, provider
from upstream import FIN, RST, STREAM_HEAD, answer, event
from wire import Connection, chat

LIMITED = answer(b'{"error":{"message":"slow down","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}', "429 Too Many Requests", ["Retry-After: 7"])


def named(name):
    return [answer(json.dumps({"served_by": name}).encode())]


def two(first, second, **changes):
    """Model m on `first`, and on `second` when that cannot."""
    return make_config(first, **{
        "providers": [provider("first", first.port), provider("second", second.port)],
        "models": [model("m", {"provider": "first", "model": "m"}, {"provider": "second", "model": "m", "priority": 1})], **changes})


def ask(g, body=None, **options):
    with Connection(g.port) as connection:
        return connection.ask("POST", "/v1/chat/completions", body or chat(), **options)


# --- fallback -------------------------------------------------------------------------------------------------

FAILURES = {
    "a reset": [RST],
    "an end without an answer": [FIN],
    "half a head": [b"HTTP/1.1 200 OK\r\nContent-", RST],
    "no HTTP": [b"garbage\r\n\r\n"],
    "500": [answer(b"{}", "500 Internal Server Error")],
    "502": [answer(b"{}", "502 Bad Gateway")],
    "503": [answer(b"{}", "503 Service Unavailable")],
    "529": [answer(b"{}", "529 Overloaded")],
    "429": [LIMITED],
    "silence": [30.0],
}


@pytest.mark.parametrize("title", FAILURES)
@pytest.mark.parametrize("stream", [False, True])
def test_a_failure_before_the_first_byte_moves_on_to_the_next_target(gateway, upstream, title, stream):
    first, second = upstream(otherwise=FAILURES[title]), upstream(otherwise=named("second"))
    config = two(first, second)
    config["providers"][0]["timeouts"] = {"first_byte": "300ms"}
    g = gateway(config)
    response = ask(g, chat(stream=stream))
    assert (response.status, response.json()) == (200, {"served_by": "second"})
    assert first.requests[0].header("x-request-id") == second.requests[0].header("x-request-id") == response.header("x-request-id")
    line = g.access_log(1)[0]
    assert (line["attempts"], line["provider"], line["fell_back"]) == (2, "second", True)


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found", "422 Unprocessable Content"])
def test_a_mistake_of_the_client_is_not_tried_elsewhere(gateway, upstream, status):
    first, second = upstream(otherwise=[answer(b'{"error":{"message":"no"}}', status)]), upstream()
    g = gateway(two(first, second))
    assert ask(g).status == int(status[:3])
    assert second.requests == []


def test_a_broken_stream_is_never_spliced_with_another_models(gateway, upstream):
    first, second = upstream(otherwise=[STREAM_HEAD + event("one"), 0.05, RST]), upstream()
    g = gateway(two(first, second))
    with Connection(g.port) as connection:
        response = connection.request("POST", "/v1/chat/completions", chat(stream=True)).response()
        events = list(response.events())
    assert response.truncated and events[-1].startswith('{"error"')
    assert second.requests == []


def test_a_model_falls_back_to_another_model(gateway, upstream):
    first, second = upstream(otherwise=[RST]), upstream(otherwise=named("second"))
    g = gateway(two(first, second, models=[{**model("m", "first"), "fallback": ["other"]}, model("other", {"provider": "second", "model": "other-there"})]))
    assert ask(g).json() == {"served_by": "second"}
    assert json.loads(second.requests[0].body)["model"] == "other-there"
    assert g.access_log(1)[0]["fell_back"] is True


def test_silence_is_a_504_when_nobody_else_is_left(gateway, upstream):
    config = make_config(upstream(otherwise=[30.0]))
    config["providers"][0]["timeouts"] = {"first_byte": "400ms"}
    g = gateway(config)
    started = time.monotonic()
    response = ask(g)
    assert response.status == 504 and response.json()["error"]["code"] == "upstream_first_byte_timeout"
    assert 0.38 <= time.monotonic() - started < 3


def test_a_stream_that_stalls_ends_in_an_error_and_its_upstream_is_left(gateway, upstream):
    up = upstream(otherwise=[STREAM_HEAD + event("one"), 30.0])
    config = make_config(up)
    config["providers"][0]["timeouts"] = {"idle": "400ms"}
    config["routes"][0]["stages"][-1] = {"relay": {"ping": "100ms"}}  # which must not re-arm the timeout
    g = gateway(config)
    with Connection(g.port) as connection:
        response = connection.request("POST", "/v1/chat/completions", chat(stream=True)).response()
        events = list(response.events())
    assert json.loads(events[-1])["error"]["code"] == "upstream_idle_timeout"
    assert response.truncated and "[DONE]" not in events
    assert up.wait_for(lambda u: u.gone)


# --- limits of upstreams --------------------------------------------------------------------------------------


def test_one_limited_credential_of_three_costs_no_client_an_error(gateway, upstream):
    up = upstream()
    keys = ["sk-1", "sk-2", "sk-3"]

    class ByKey(list):
        """A script that depends on the request it answers."""

        def __iter__(self):
            limited = up.requests[-1].header("authorization") == "Bearer sk-1"
            return iter([LIMITED] if limited else [answer(b"{}")])

    up.otherwise = ByKey()
    g = gateway(make_config(up, workers=1, providers=[{**provider("p", up.port), "credentials": [{"api_key": k} for k in keys]}]))
    for _ in range(60):
        assert ask(g).status == 200
    used = collections.Counter(r.header("authorization")[7:] for r in up.requests)
    assert used["sk-1"] == 1, "a credential that was told to wait waits"
    assert used["sk-2"] > 10 and used["sk-3"] > 10


def test_when_all_are_limited_the_client_is_told_how_long(gateway, upstream):
    up = upstream(otherwise=[LIMITED])
    g = gateway(make_config(up))
    for _ in range(3):
        response = ask(g)
        assert response.status == 429
        assert 1 <= int(response.header("retry-after")) <= 7
    assert len(up.requests) <= 2


def test_an_upstream_that_always_fails_sees_at_most_a_fifth_more_calls(gateway, upstream):
    up = upstream(otherwise=[answer(b"{}", "503 Service Unavailable")])
    g = gateway(make_config(up, models=[model("m", *[{"provider": "p", "model": f"m-{i}"} for i in range(3)])]))
    clients, count, bad = 60, 600, []

    def client():
        with Connection(g.port) as connection:
            for _ in range(count // clients):
                status = connection.ask("POST", "/v1/chat/completions", chat()).status
                if status < 500:
                    bad.append(status)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not bad
    assert len(up.requests) <= 1.2 * count + 10  # the reserve of a provider that has few calls


# --- choice ---------------------------------------------------------------------------------------------------


def test_weights_hold(gateway, upstream):
    a, b = upstream(otherwise=named("a")), upstream(otherwise=named("b"))
    g = gateway(make_config(a, providers=[provider("a", a.port), provider("b", b.port)],
                            models=[model("m", {"provider": "a", "model": "m", "weight": 90}, {"provider": "b", "model": "m", "weight": 10})]))
    with Connection(g.port) as connection:
        got = collections.Counter(connection.ask("POST", "/v1/chat/completions", chat()).json()["served_by"] for _ in range(500))
    assert 15 <= got["b"] <= 95


def test_a_sticky_session_keeps_its_target(gateway, upstream):
    ups = [upstream(otherwise=named(str(i))) for i in range(2)]
    targets = [{"provider": f"p{i}", "model": "m", "weight": 1} for i in range(2)]
    g = gateway(make_config(ups[0], providers=[provider(f"p{i}", u.port) for i, u in enumerate(ups)],
                            models=[{**model("m", *targets), "sticky": "session", "session_header": "x-session"}]))
    arms = {}
    for round_ in range(3):
        for i in range(20):
            served = ask(g, headers={"x-session": f"s-{i}"}).json()["served_by"]
            assert arms.setdefault(i, served) == served
    assert len(set(arms.values())) == 2


def test_aliases_and_wildcards_find_their_model(gateway, upstream):
    up = upstream()
    g = gateway(make_config(up, models=[{**model("m", "p"), "aliases": ["nick"]}, model("any/*", {"provider": "p", "model": "there-*"})]))
    assert ask(g, chat(model="nick")).status == 200
    assert json.loads(up.requests[-1].body)["model"] == "m"
    assert ask(g, chat(model="any/thing")).status == 200
    assert json.loads(up.requests[-1].body)["model"] == "there-thing"
    assert ask(g, chat(model="anything")).status == 404


def test_azure_is_asked_by_deployment_and_others_are_not(gateway, upstream):
    azure, other = upstream(otherwise=FAILURES["503"]), upstream(otherwise=named("other"))
    config = two(azure, other)
    config["providers"][0] = provider("first", azure.port, key="azure-key", dialect="azure", api_version="2024-10-21",
                                      base_url=f"http://127.0.0.1:{azure.port}")
    config["models"][0]["targets"][0]["model"] = "our deployment"
    config["routes"][0]["stages"] = api_stages(route={"default_provider": "first"})
    g = gateway(config)
    assert ask(g).json() == {"served_by": "other"}
    asked = azure.requests[0]
    assert asked.line == "POST /openai/deployments/our%20deployment/chat/completions?api-version=2024-10-21 HTTP/1.1"
    assert (asked.header("api-key"), asked.header("authorization")) == ("azure-key", None)
    assert other.requests[0].line == "POST /v1/chat/completions HTTP/1.1"
    with Connection(g.port) as connection:
        connection.ask("GET", "/v1/files?limit=2")
    assert azure.requests[-1].line == "GET /openai/files?limit=2&api-version=2024-10-21 HTTP/1.1"


def test_conditions_choose_the_target(gateway, upstream):
    a, b = upstream(otherwise=named("a")), upstream(otherwise=named("b"))
    targets = [{"provider": "b", "model": "m", "when": {"headers": {"x-beta": "yes"}}}, {"provider": "a", "model": "m", "priority": 1}]
    g = gateway(make_config(a, providers=[provider("a", a.port), provider("b", b.port)], models=[model("m", *targets)]))
    assert ask(g).json()["served_by"] == "a"
    assert ask(g, headers={"x-beta": "yes"}).json()["served_by"] == "b"


# --- what a key may use ---------------------------------------------------------------------------------------


def restricted(up):
    return make_config(up, models=[model("gpt-small", "p"), model("gpt-large", "p"), model("secret-model", "p")],
                       keys=[{"id": "k", "key": "sk-test", "tenant": "t", "models": ["gpt-*"]}])


def test_the_list_of_models_holds_what_the_key_may_use(gateway, upstream):
    g = gateway(restricted(upstream()))
    with Connection(g.port) as connection:
        listed = connection.ask("GET", "/v1/models").json()
        assert listed["object"] == "list"
        assert sorted(m["id"] for m in listed["data"]) == ["gpt-large", "gpt-small"]
        assert all(m["object"] == "model" for m in listed["data"])
        assert connection.ask("GET", "/v1/models/gpt-small").json()["id"] == "gpt-small"
        assert connection.ask("GET", "/v1/models/secret-model").status == 404


def test_an_unknown_model_and_a_forbidden_one_look_the_same(gateway, upstream):
    up = upstream()
    g = gateway(restricted(up))
    unknown, forbidden = ask(g, chat(model="gpt-smal")), ask(g, chat(model="secret-model"))
    for response in (unknown, forbidden):
        assert response.status == 404 and response.json()["error"]["code"] == "model_not_found"
    assert "gpt-small" in unknown.json()["error"]["message"]
    assert up.requests == []


# --- usage ----------------------------------------------------------------------------------------------------


def test_usage_is_asked_for_and_hidden_from_clients_that_did_not(gateway, sim):
    s = sim()
    g = gateway(make_config(s))
    silent = ask(g, chat(stream=True, max_tokens=9))
    asked = ask(g, chat(stream=True, max_tokens=9, stream_options={"include_usage": True}))
    assert b'"usage":{' not in silent.body and silent.body.endswith(b"data: [DONE]\n\n")
    assert b'"usage":{' in asked.body
    lines = g.access_log(2)
    assert [line["output_tokens"] for line in lines] == [9, 9]
