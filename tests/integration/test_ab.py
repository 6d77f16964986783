"""A/B tests and the life of models: who gets which model and arm, what is counted, and what a shadow costs nobody."""
import json
import signal
import time

from harness import make_config, model, provider
from upstream import RST, STREAM_END, STREAM_HEAD, answer, event
from wire import Connection, chat

FOUR_KEYS = [{"id": "beta-1", "key": "sk-beta", "tenant": "beta"}, {"id": "test-key", "key": "sk-test", "tenant": "test-tenant"},
             {"id": "mate", "key": "sk-mate", "tenant": "test-tenant"}, {"id": "other", "key": "sk-other", "tenant": "else"}]
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def says(name):
    return [answer(json.dumps({"served_by": name, "usage": USAGE}).encode())]


def config_of(models, **providers):
    stages = [{"auth": {"api_key": {}}}, {"feedback": {}}, {"route": {}}, {"relay": {}}]
    return make_config(0, keys=FOUR_KEYS, models=models, routes=[{"name": "api", "match": {"path": "/v1/*"}, "stages": stages}],
                       providers=[provider(name, port) for name, port in providers.items()])


def ask(g, body=None, path="/v1/chat/completions", method="POST", **options):
    with Connection(g.port) as connection:
        return connection.ask(method, path, chat() if body is None and method == "POST" else body, **options)


def arms(g, name="m"):
    status, text = g.admin(f"/models/{name}/arms")
    assert status == 200, text
    return {a["arm"]: a for a in json.loads(text)["arms"]}


def eventually(condition, within=10):
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def two_arms(first, second, **more):
    return model("m", {"provider": "a", "model": "m", "arm": "old", **first}, {"provider": "b", "model": "m", "arm": "new", **second}, **more)


# --- arms -----------------------------------------------------------------------------------------------------


def test_figures_of_two_arms_are_kept_apart_with_real_model_servers(gateway, sim):
    servers = sim(count=2)
    g = gateway(config_of([two_arms({}, {}, expose_arm=True)], a=servers.ports[0], b=servers.ports[1]))
    served = [ask(g, chat(stream=i % 2 == 0)) for i in range(40)]
    assert all(r.status == 200 for r in served)
    drawn = [r.header("x-sluice-arm") for r in served]
    eventually(lambda: sum(a["requests"] for a in arms(g).values()) == 40)
    page = arms(g)
    assert {"old": drawn.count("old"), "new": drawn.count("new")} == {name: a["requests"] for name, a in page.items()}
    for a in page.values():
        assert a["requests"] > 0 and a["error_rate"] == 0 and a["tokens"]["output"] > 0
        assert 0 < a["duration_seconds"]["p50"] <= a["duration_seconds"]["p90"]
        assert a["feedback"]["count"] == 0 and a["feedback"]["up_share_95"] is None
        assert g.metric("sluice_arm_requests_total", model="m", arm=a["arm"]) == a["requests"]


def test_who_is_named_by_a_header_or_a_field_stays_with_an_arm(gateway, upstream):
    config = config_of([two_arms({}, {}, sticky="header", sticky_by="x-user", expose_arm=True),
                        {**two_arms({}, {}, sticky="body", sticky_by="metadata.user_id"), "name": "by-field"}],
                       a=upstream(otherwise=says("old")).port, b=upstream(otherwise=says("new")).port)
    g = gateway(config)
    by_user = {}
    for i in range(60):
        user = f"user-{i % 20}"
        response = ask(g, headers={"x-user": user})
        assert response.header("x-sluice-arm") == response.json()["served_by"]
        by_user.setdefault(user, set()).add(response.json()["served_by"])
    assert all(len(a) == 1 for a in by_user.values()) and len(set.union(*by_user.values())) == 2
    seen = {}
    for i in range(60):
        body = {"model": "by-field", "messages": [], "metadata": {"user_id": f"u{i % 20}"}}
        response = ask(g, body)
        assert response.header("x-sluice-arm") is None
        seen.setdefault(i % 20, set()).add(response.json()["served_by"])
    assert all(len(a) == 1 for a in seen.values()) and len(set.union(*seen.values())) == 2


def test_errors_are_counted_by_class_and_a_change_of_arms_at_the_one_left(gateway, upstream):
    a, b = upstream(otherwise=[RST]), upstream(otherwise=[answer(b'{"error":{}}', "400 Bad Request")])
    g = gateway(config_of([two_arms({}, {"priority": 1})], a=a.port, b=b.port))
    assert ask(g).status == 400
    eventually(lambda: arms(g)["new"]["requests"] == 1)
    page = arms(g)
    assert page["new"]["errors"]["client"] == 1 and page["old"]["requests"] == 0 and page["old"]["left"] == 1


def test_cost_is_the_catalogues_price_to_the_nano_dollar(gateway, upstream):
    config = config_of([two_arms({}, {"weight": 0})], a=upstream(otherwise=says("old")).port, b=1)
    config["catalogue"] = {"models": [{"name": "m", "prices": {"input": "2.5", "output": "10"}}]}
    g = gateway(config)
    assert ask(g).status == 200
    eventually(lambda: arms(g)["old"]["cost_nanodollars"] == 10 * 2500 + 5 * 10000)
    assert g.admin("/models/nobody/arms")[0] == 404


# --- feedback -------------------------------------------------------------------------------------------------


def test_feedback_reaches_the_arm_that_served_the_request(gateway, upstream):
    g = gateway(config_of([two_arms({}, {})], a=upstream(otherwise=says("old")).port, b=upstream(otherwise=says("new")).port))

    def judge(request_id, key="sk-test", **said):
        return ask(g, {"request_id": request_id, **said}, "/v1/feedback", key=key)

    served = [ask(g) for _ in range(12)]
    for r in served:
        rating = "up" if r.json()["served_by"] == "new" else "down"
        response = judge(r.header("x-request-id"), rating=rating, reason="because", labels={"page": "search"})
        assert (response.status, response.json()["replaced"]) == (202, False)
    new = [r for r in served if r.json()["served_by"] == "new"]
    page = arms(g)
    assert page["new"]["feedback"]["up"] == len(new) and page["old"]["feedback"]["down"] == 12 - len(new)
    low, high = page["new"]["feedback"]["up_share_95"]
    assert 0 < low < high <= 1 and page["old"]["feedback"]["mean"] == -1

    first = served[0].header("x-request-id")
    assert judge(first, key="sk-other", rating="up").status == 404
    assert judge("no-such-request", rating="up").status == 404
    assert judge(first, score=7).status == 400
    assert judge(first, key="sk-mate", score=0).json()["replaced"] is True
    assert sum(a["feedback"]["count"] for a in arms(g).values()) == 12


def test_more_weight_is_a_reload_and_figures_and_requests_survive_it(gateway, upstream):
    config = config_of([two_arms({}, {"weight": 0})], a=upstream(otherwise=says("old")).port, b=upstream(otherwise=says("new")).port)
    g = gateway(config)
    before = ask(g)
    config["models"] = [two_arms({"weight": 0}, {"weight": 1})]
    g.write_config(config)
    g.signal(signal.SIGHUP)
    g.wait_line("generation 2")
    assert (before.json()["served_by"], ask(g).json()["served_by"]) == ("old", "new")
    assert ask(g, {"request_id": before.header("x-request-id"), "rating": "up"}, "/v1/feedback").status == 202
    eventually(lambda: arms(g)["new"]["requests"] == 1)
    assert arms(g)["old"]["requests"] == 1 and arms(g)["old"]["feedback"]["up"] == 1


# --- the life of models ---------------------------------------------------------------------------------------


def test_a_draft_exists_for_those_who_preview_it(gateway, upstream):
    g = gateway(config_of([model("m", "a", state="draft", preview=["beta"]), model("n", "a")], a=upstream(otherwise=says("a")).port))
    listed = {key: [m["id"] for m in ask(g, path="/v1/models", method="GET", key=key).json()["data"]] for key in ("sk-beta", "sk-test")}
    assert listed == {"sk-beta": ["m", "n"], "sk-test": ["n"]}
    assert ask(g, key="sk-beta").status == 200
    refused = ask(g)
    assert refused.status == 404 and refused.json()["error"]["code"] == "model_not_found"
    assert ask(g, path="/v1/models/m", method="GET").status == 404


def test_who_had_a_draining_model_keeps_it_and_everybody_else_gets_its_successor(gateway, upstream):
    models = [model("m", "a", sticky="session"), model("n", {"provider": "b", "model": "n-there"})]
    config = config_of(models, a=upstream(otherwise=says("a")).port, b=upstream(otherwise=says("b")).port)
    g = gateway(config)
    plain = ask(g, headers={"x-session-id": "s1"})
    assert plain.json()["served_by"] == "a" and plain.header("deprecation") is None
    models[0].update(state="draining", successor="n", deprecated="2026-12-01", sunset="2027-01-31")
    g.write_config(config)
    g.signal(signal.SIGHUP)
    g.wait_line("generation 2")
    for _ in range(8):  # on whichever worker
        stays, fresh = ask(g, headers={"x-session-id": "s1"}), ask(g, headers={"x-session-id": "s2"})
        assert (stays.json()["served_by"], fresh.json()["served_by"], ask(g).json()["served_by"]) == ("a", "b", "b")
        for response in (stays, fresh):
            assert response.header("deprecation") == "@1796083200"
            assert response.header("sunset") == "Sun, 31 Jan 2027 00:00:00 GMT"
            assert response.header("link") == '</v1/models/n>; rel="successor-version"'
    assert ask(g, chat(model="n")).header("deprecation") is None
    described = ask(g, path="/v1/models/m", method="GET").json()
    assert (described["state"], described["successor"], described["sunset"]) == ("draining", "n", "2027-01-31")


def test_a_retired_model_is_gone_or_leads_to_its_successor(gateway, upstream):
    up = upstream(otherwise=says("a"))
    g = gateway(config_of([model("n", {"provider": "a", "model": "n-there"}), {"name": "m", "state": "retired"},
                           {"name": "o", "state": "retired", "successor": "n"}], a=up.port))
    gone = ask(g)
    assert gone.status == 410 and gone.json()["error"]["param"] == "model"
    assert up.requests == []
    led = ask(g, chat(model="o"))
    assert led.status == 200 and led.header("deprecation").startswith("@")
    assert json.loads(up.requests[0].body)["model"] == "n-there"
    assert [m["id"] for m in ask(g, path="/v1/models", method="GET").json()["data"]] == ["n", "o"]


# --- shadows --------------------------------------------------------------------------------------------------


def with_shadow(share=1.0, **budget):
    return model("m", "a", shadow={"target": {"provider": "b", "model": "candidate"}, "share": share, "budget": budget})


def test_a_shadow_gets_a_copy_and_the_client_its_own_answer(gateway, upstream):
    real, shadow = upstream(otherwise=says("real")), upstream(otherwise=says("shadow"))
    g = gateway(config_of([with_shadow()], a=real.port, b=shadow.port))
    response = ask(g)
    assert response.json()["served_by"] == "real"
    assert shadow.wait_for(lambda u: len(u.requests) == 1)
    copy = shadow.requests[0]
    assert json.loads(copy.body) == {**json.loads(real.requests[0].body), "model": "candidate"}
    assert copy.header("authorization") == "Bearer sk-upstream" and copy.header("x-request-id") == response.header("x-request-id")
    eventually(lambda: g.metric("sluice_shadow_requests_total", outcome="ok") == 1)
    assert g.metric("sluice_shadow_tokens_total", model="m") == 15
    eventually(lambda: g.metric("sluice_shadow_agreement_total", agrees="yes") == 1)
    assert g.metric("sluice_upstream_attempts_total", provider="b") == 0


def test_a_shadow_that_fails_or_hangs_changes_nothing_for_the_client(gateway, upstream):
    real, shadow = upstream(otherwise=says("real")), upstream([RST], [answer(b"{}", "500 Internal Server Error")], otherwise=[60.0])
    g = gateway(config_of([with_shadow(max_concurrent=1)], a=real.port, b=shadow.port))
    for count in (1, 2, 3):
        started = time.monotonic()
        assert ask(g).json()["served_by"] == "real"
        assert time.monotonic() - started < 5
        assert shadow.wait_for(lambda u: len(u.requests) >= count)
        if count < 3:
            eventually(lambda: g.metric("sluice_shadow_requests_total") == count)
    assert g.metric("sluice_shadow_requests_total", outcome="failed") == 1
    assert g.metric("sluice_shadow_agreement_total", agrees="no") == 1
    assert ask(g).status == 200  # the third copy hangs: there is no room for another
    eventually(lambda: g.metric("sluice_shadow_skipped_total", reason="concurrent") == 1)
    # The gateway's end does not wait for it: the fixture has less patience than the copy would take.


def test_a_shadow_keeps_within_its_budget(gateway, upstream):
    shadow = upstream(otherwise=says("shadow"))
    g = gateway(config_of([with_shadow(tokens_per_day=30)], a=upstream(otherwise=says("real")).port, b=shadow.port))
    for count in (1, 2):
        assert ask(g).status == 200
        eventually(lambda: g.metric("sluice_shadow_requests_total", outcome="ok") == count)
    assert ask(g).status == 200
    eventually(lambda: g.metric("sluice_shadow_skipped_total", reason="budget") == 1)
    assert len(shadow.requests) == 2


def test_a_reload_ends_the_copies_that_are_under_way(gateway, upstream):
    config = config_of([with_shadow()], a=upstream(otherwise=says("real")).port, b=upstream(otherwise=[60.0]).port)
    g = gateway(config)
    assert ask(g).status == 200
    g.signal(signal.SIGHUP)
    g.wait_line("generation 2")
    eventually(lambda: g.metric("sluice_shadow_requests_total", outcome="cancelled") == 1)
    assert ask(g).status == 200


def test_a_streamed_answers_usage_is_counted_at_the_shadow(gateway, upstream):
    stream = [STREAM_HEAD + event("one", ',"usage":' + json.dumps(USAGE)) + STREAM_END]
    g = gateway(config_of([with_shadow()], a=upstream(otherwise=stream).port, b=upstream(otherwise=stream).port))
    assert ask(g, chat(stream=True)).status == 200
    eventually(lambda: g.metric("sluice_shadow_tokens_total", type="output") == 5)
