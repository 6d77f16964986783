"""What the catalogue knows of models decides where a request goes: their windows, their capabilities, their tokenizers."""
import json
import subprocess

import pytest

import upstream as scripted
from downloads import token_ranks
from harness import BINARY, api_stages, make_config, model, provider
from wire import Connection

MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "stop_sequence": None,
           "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn", "usage": {"input_tokens": 5, "output_tokens": 2}}
CHAT = {"id": "c", "object": "chat.completion", "created": 1, "model": "x", "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}
WORDS = "all of these words are ordinary and each of them is one token or a little more "
API = {"name": "api", "match": {"path": ["/v1/*", "/v1beta/*"]}}


def answer(body, **options):
    return [scripted.answer(json.dumps(body), **options)]


def ask(g, body, path="/v1/chat/completions", **options):
    with Connection(g.port) as connection:
        return connection.ask("POST", path, body, **options)


def prompt(times, **more):
    return {"model": "m", "messages": [{"role": "user", "content": WORDS * times}], **more}


def known(name, window, **more):
    return {"name": name, "context_tokens": window, **more}


def refusing(words, status="400 Bad Request"):
    return answer({"error": {"message": words, "type": "invalid_request_error", "code": None}}, status=status)


def test_a_prompt_that_cannot_fit_is_refused_before_it_is_sent(gateway, upstream):
    up = upstream(otherwise=answer(CHAT))
    g = gateway(make_config(up, routes=[{**API, "stages": api_stages()}], catalogue={"models": [known("m", 200)]}))
    assert ask(g, prompt(4)).status == 200
    refused = ask(g, prompt(60))
    assert refused.status == 400 and len(up.requests) == 1
    error = refused.json()["error"]
    assert error["code"] == "context_length_exceeded" and error["type"] == "invalid_request_error" and error["param"] == "messages"
    assert "maximum context length is 200 tokens" in error["message"]
    claude = ask(g, prompt(60, max_tokens=5), "/v1/messages").json()
    assert claude["type"] == "error" and "prompt is too long: " in claude["error"]["message"]
    gemini = ask(g, {"contents": [{"role": "user", "parts": [{"text": WORDS * 60}]}]}, "/v1beta/models/m:generateContent")
    assert gemini.status == 400 and gemini.json()["error"]["status"] == "INVALID_ARGUMENT"
    responses = ask(g, {"model": "m", "input": WORDS * 60}, "/v1/responses")
    assert responses.status == 400 and responses.json()["error"]["code"] == "context_length_exceeded"
    assert len(up.requests) == 1


def test_the_check_can_be_left_to_the_upstream(gateway, upstream):
    up = upstream(otherwise=answer(CHAT))
    g = gateway(make_config(up, routes=[{**API, "stages": api_stages({"context_check": False})}], catalogue={"models": [known("m", 200)]}))
    assert ask(g, prompt(60)).status == 200


def test_what_is_too_long_for_one_target_goes_to_a_larger_one(gateway, upstream):
    small, large, other = upstream(otherwise=answer(CHAT)), upstream(otherwise=answer(CHAT)), upstream(otherwise=answer(MESSAGE))
    config = make_config(small, providers=[provider("s", small.port), provider("l", large.port), provider("o", other.port, dialect="anthropic")],
                         models=[{"name": "m", "targets": [{"provider": "s", "model": "small"}, {"provider": "l", "model": "large", "priority": 1}],
                                  "fallback": ["same", "far"]},
                                 {"name": "same", "targets": [{"provider": "s", "model": "also-small"}]},
                                 {"name": "far", "targets": [{"provider": "o", "model": "huge"}]}],
                         catalogue={"models": [known("small", 100), known("also-small", 100), known("large", 400), known("huge", 100000)]})
    g = gateway(config)
    for times in (2, 20, 100):
        assert ask(g, prompt(times)).status == 200
    assert [len(u.requests) for u in (small, large, other)] == [1, 1, 1]
    assert json.loads(other.requests[0].body)["model"] == "huge"


@pytest.mark.parametrize("words", [
    "This model's maximum context length is 100 tokens. However, your messages resulted in 130 tokens.",
    "prompt is too long: 130 tokens > 100 maximum",
    "The input token count (130) exceeds the maximum number of tokens allowed (100).",
])
def test_an_upstream_that_says_so_has_the_same_effect(gateway, upstream, words):
    small, large = upstream(otherwise=refusing(words)), upstream(otherwise=answer(CHAT))
    config = make_config(small, providers=[provider("s", small.port), provider("l", large.port)],
                         models=[model("m", "s", fallback=["n"]), model("n", "l")])
    g = gateway(config)
    assert ask(g, prompt(1)).status == 200
    assert [len(u.requests) for u in (small, large)] == [1, 1]


def test_without_a_larger_one_the_upstreams_words_come_as_they_are(gateway, upstream):
    words = "prompt is too long: 130 tokens > 100 maximum"
    small, other = upstream(otherwise=refusing(words)), upstream(otherwise=answer(CHAT))
    config = make_config(small, providers=[provider("s", small.port), provider("l", other.port)],
                         models=[model("m", "s", fallback=["n"]), model("n", "l")],
                         catalogue={"models": [known("m", 100), known("n", 100)]})
    refused = ask(gateway(config), prompt(1))
    assert refused.status == 400 and refused.json()["error"]["message"] == words
    assert len(other.requests) == 0


def test_another_refusal_is_no_reason_to_ask_elsewhere(gateway, upstream):
    up, other = upstream(otherwise=refusing("Invalid value for 'temperature'.")), upstream(otherwise=answer(CHAT))
    config = make_config(up, providers=[provider("s", up.port), provider("l", other.port)],
                         models=[model("m", "s", fallback=["n"]), model("n", "l")])
    g = gateway(config)
    for _ in range(7):  # nor to leave the address out
        refused = ask(g, prompt(1))
        assert refused.status == 400 and "temperature" in refused.json()["error"]["message"]
    assert len(up.requests) == 7 and len(other.requests) == 0


def test_a_translated_refusal_has_the_code_that_clients_know(gateway, upstream):
    up = upstream(otherwise=answer({"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 130 tokens > 100 maximum"}},
                                   status="400 Bad Request"))
    g = gateway(make_config(up, providers=[provider("p", up.port, dialect="anthropic")]))
    error = ask(g, prompt(1)).json()["error"]
    assert error["code"] == "context_length_exceeded" and "prompt is too long" in error["message"]


def test_a_route_may_demand_what_models_can(gateway, upstream):
    plain, seeing = upstream(otherwise=answer(CHAT)), upstream(otherwise=answer(CHAT))
    config = make_config(plain, providers=[provider("p", plain.port), provider("q", seeing.port)],
                         models=[{"name": "m", "targets": [{"provider": "p", "model": "plain", "weight": 1000}, {"provider": "q", "model": "seeing"}]},
                                 {"name": "blind", "targets": [{"provider": "p", "model": "plain"}]},
                                 {"name": "unknown", "targets": [{"provider": "p", "model": "nobody-knows"}]}],
                         routes=[{"name": "api", "match": {"path": "/v1/*"}, "stages": api_stages({"require": ["vision", "tools"]})}],
                         catalogue={"models": [known("plain", 1000, capabilities={"tools": True, "vision": False}),
                                               known("seeing", 1000, capabilities={"tools": True, "vision": True})]})
    g = gateway(config)
    for _ in range(5):
        assert ask(g, prompt(1)).status == 200
    assert [len(u.requests) for u in (plain, seeing)] == [0, 5]
    for name in ("blind", "unknown"):
        refused = ask(g, {**prompt(1), "model": name})
        assert refused.status == 400 and refused.json()["error"]["param"] == "model"
    assert len(plain.requests) == 0


@pytest.mark.timeout(1200)  # the first run downloads
def test_tokens_are_counted_by_the_models_own_tokenizer(gateway, upstream):
    up = upstream(otherwise=answer(CHAT))
    text = "hello world, 你好世界 and    so on"
    catalogue = {"token_ranks": str(token_ranks()), "models": [known("m", 1000, tokenizer="o200k_base"), known("n", 1000, tokenizer="cl100k_base"),
                                                               known("o", 1000, tokenizer="none")]}
    g = gateway(make_config(up, models=[model(name, "p") for name in ("m", "n", "o")], catalogue=catalogue))
    def counted(name, content):
        body = {"model": name, "messages": [{"role": "user", "content": content}]}
        return ask(g, body, "/v1/messages/count_tokens").json()["input_tokens"]
    # 3 and 1 for the message, 3 for the answer to come; "hello world" is two tokens of either.
    assert counted("m", "hello world") == counted("n", "hello world") == 7 + 2
    assert counted("m", text) == 7 + 10 and counted("n", text) == 7 + 13
    assert counted("o", text) > 7
    # Exactly as many as fit, and one more.
    exact = make_config(up, catalogue={"token_ranks": str(token_ranks()), "models": [known("m", 2007, tokenizer="o200k_base")]})
    g = gateway(exact)
    def sent(n):
        return ask(g, {"model": "m", "messages": [{"role": "user", "content": "hello" + " world" * n}]})
    assert sent(2000).status == 200
    refused = sent(2001)
    assert refused.status == 400 and "2008 tokens > 2007 maximum" in refused.json()["error"]["message"]


def test_a_wrong_catalogue_is_a_wrong_configuration(upstream, tmp_path):
    up = upstream()
    bad = make_config(up, catalogue={"token_ranks": str(tmp_path)}, routes=[{"name": "api", "match": {"path": "/v1/*"},
                                                                              "stages": api_stages({"require": ["seeing"]})}])
    (tmp_path / "gateway.yaml").write_text(json.dumps(bad))
    done = subprocess.run([BINARY, "check", "-c", tmp_path / "gateway.yaml"], capture_output=True, text=True, timeout=30)
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "catalogue.token_ranks" in said and "has neither o200k_base.tiktoken nor cl100k_base.tiktoken" in said
    assert "is no capability: there are chat, vision" in said
