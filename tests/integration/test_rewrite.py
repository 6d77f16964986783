"""Rules about requests hold, whatever a client tries to get past them."""
import json

import pytest

from harness import Process, BINARY, api_stages, make_config, model, provider
from upstream import RST, answer
from wire import Connection

PATH = "/v1/chat/completions"
RULES = {
    "request_headers": {"set": {"x-team": "{{tenant}}"}, "add": {"x-tag": "gateway"}},
    "body": {"set": {"store": False}, "clamp": {"max_tokens": {"max": 100}}},
    "messages": {"prepend": [{"role": "system", "content": "Serve {{tenant}}; they wrote {{header:x-lang}}."}]},
}


def with_rules(up, rules=None, **changes):
    return make_config(up, **{"routes": [{"name": "api", "match": {"path": "/v1/*"}, "stages": api_stages(before=[{"rewrite": rules or RULES}])}], **changes})


def body(**more):
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], **more}).encode()


def ask(g, text, headers=(), path=PATH):
    with Connection(g.port) as connection:
        return connection.ask("POST", path, text, list(headers))


def assert_governed(request, tokens=100):
    sent = json.loads(request.body)
    assert sent["store"] is False and sent["max_tokens"] == tokens
    assert [m["role"] for m in sent["messages"]] == ["system", "user"]
    assert request.all("x-team") == ["test-tenant"]


# --- bodies ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", "application/vnd.api+JSON", "text/plain",
                                  "application/octet-stream", "application/x-www-form-urlencoded", "multipart/mixed; boundary=b", "image/png"])
def test_no_content_type_leads_past_the_rules(gateway, upstream, kind):
    up = upstream()
    g = gateway(with_rules(up))
    assert ask(g, body(max_tokens=100000), [("Content-Type", kind)]).status == 200
    assert_governed(up.requests[0])


HIDDEN = {
    "a number as text": body(max_tokens="100000"),
    "escapes in a name": body().replace(b'{"model"', b'{"max\\u005ftokens":100000,"model"', 1),
    "a name twice": body(max_tokens=1).replace(b'{"model"', b'{"max_tokens":100000,"model"', 1),
    "a name twice, once with escapes": body(max_tokens=1).replace(b'{"model"', b'{"max\\u005ftokens":100000,"model"', 1),
    "other letters": body(Max_Tokens=100000),
    "letters that fold": body().replace(b'{"model"', '{"max_to\u212aens":100000,"model"'.encode(), 1),
    "a list of requests": b"[" + body(max_tokens=100000) + b"]",
    "two objects": body() + body(max_tokens=100000),
    "a byte order mark": b"\xef\xbb\xbf" + body(max_tokens=100000),
    "messages that are no list": body(messages="hi"),
    "form fields": b"model=m&max_tokens=100000",
}


@pytest.mark.parametrize("title", HIDDEN)
@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_no_spelling_leads_past_the_rules(gateway, upstream, title, kind):
    up = upstream()
    g = gateway(with_rules(up))
    response = ask(g, HIDDEN[title], [("Content-Type", kind)])
    assert response.status == 400 and response.json()["error"]["type"] == "invalid_request_error"
    assert up.requests == []
    assert g.metric("sluice_rewrite_refused_total") == 1


def test_json_that_calls_itself_a_form_is_refused_and_a_form_passes(gateway, upstream):
    up = upstream()
    g = gateway(with_rules(up))
    form = [("Content-Type", "multipart/form-data; boundary=b")]
    assert ask(g, body(max_tokens=100000), form).status == 400
    assert up.requests == []
    fields = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--b--\r\n'
    assert ask(g, fields, form, "/v1/audio/transcriptions").status == 200
    assert up.requests[0].body == fields


def test_a_refusal_names_the_field(gateway, upstream):
    g = gateway(with_rules(upstream()))
    error = ask(g, body(max_tokens="100000")).json()["error"]
    assert (error["param"], error["message"]) == ("max_tokens", "`max_tokens` must be a number.")


# --- headers --------------------------------------------------------------------------------------------------


def test_connection_takes_no_header_away_that_a_rule_set(gateway, upstream):
    up = upstream()
    g = gateway(with_rules(up))
    assert ask(g, body(max_tokens=1), [("Connection", "keep-alive, x-team, x-tag, x-hop"), ("X-Team", "forged"), ("X-Hop", "1")]).status == 200
    request = up.requests[0]
    assert (request.all("x-team"), request.all("x-tag"), request.all("x-hop")) == (["test-tenant"], ["gateway"], [])


# --- attempts -------------------------------------------------------------------------------------------------


def test_behind_route_every_attempt_gets_the_rules_once(gateway, upstream):
    first, second = upstream(otherwise=[RST]), upstream(otherwise=[answer(b"{}")])
    auth, route, relay = api_stages()
    outer = {"body": {"set": {"outer": 1}}, "messages": {"append": [{"role": "user", "content": "Thanks."}]}}
    g = gateway(make_config(first, **{
        "providers": [provider("first", first.port), provider("second", second.port)],
        "models": [model("m", {"provider": "first", "model": "one"}, {"provider": "second", "model": "two", "priority": 1})],
        "routes": [{"name": "api", "match": {"path": "/v1/*"}, "stages": [auth, route, {"rewrite": RULES}, {"rewrite": outer}, relay]}]}))
    assert ask(g, body(max_tokens=100000), [("X-Lang", "de")]).status == 200
    for up, name in ((first, "one"), (second, "two")):
        sent = json.loads(up.requests[-1].body)
        assert (sent["model"], sent["store"], sent["max_tokens"], sent["outer"]) == (name, False, 100, 1)
        assert [m["content"] for m in sent["messages"]] == ["Serve test-tenant; they wrote de.", "hi", "Thanks."]
        assert (up.requests[-1].all("x-team"), up.requests[-1].all("x-tag")) == (["test-tenant"], ["gateway"])


# --- configuration --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rules, complaint", [
    ({"messages": {"prepend": [{"role": "system", "content": "{{header:authorization}}"}]}}, "client's credential"),
    ({"request_headers": {"set": {"x-api-key": "a"}}}, "give the provider `credentials`"),
    ({"request_headers": {"set": {"x-request-id": "a"}}}, "is the gateway's own"),
    ({"body": {"remove": [f"f{i}" for i in range(65)]}}, "at most 64"),
])
def test_rules_that_leak_or_do_nothing_are_not_loaded(tmp_path, rules, complaint):
    config = tmp_path / "sluice.yaml"
    config.write_text(json.dumps(with_rules(1, rules)))
    check = Process([BINARY, "check", "-c", config], tmp_path)
    assert check.wait() == 1
    assert complaint in check.output()
