"""Clients of one dialect and upstreams of another, where something is refused, left out or goes wrong."""
import json

import pytest

import upstream as scripted
from harness import api_stages, make_config, model, provider
from upstream import FIN, STREAM_HEAD, chunk
from wire import Connection, chat

MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "stop_sequence": None,
           "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn",
           "usage": {"input_tokens": 5, "output_tokens": 2, "cache_read_input_tokens": 3}}


def answer(body, **options):
    """The script of one whole answer; what is no bytes goes as JSON."""
    return [scripted.answer(body if isinstance(body, bytes) else json.dumps(body), **options)]


def sse(*events):
    """Events of Anthropic as one chunk."""
    return chunk("".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events).encode())


START = {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}}
BLOCK = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
DELTA = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}}


def claude(up, route=None, **changes):
    return make_config(up, providers=[provider("p", up.port, dialect="anthropic")],
                       routes=[{"name": "api", "match": {"path": ["/v1/*", "/v1beta/*"]}, "stages": api_stages(route)}], **changes)


def ask(g, body=None, path="/v1/chat/completions", **options):
    with Connection(g.port) as connection:
        return connection.ask("POST", path, body or chat(), **options)


def sent(up, number=0):
    return json.loads(up.requests[number].body)


def test_a_chat_completion_is_answered_by_a_model_of_anthropic(gateway, upstream):
    up = upstream(answer(MESSAGE))
    g = gateway(claude(up))
    response = ask(g, {"model": "m", "messages": [{"role": "system", "content": "Brief."}, {"role": "user", "content": "Hi"}]},
                   headers={"OpenAI-Beta": "x", "x-stainless-lang": "js"})
    assert response.status == 200
    told = response.json()
    assert told["choices"][0]["message"]["content"] == "Hello" and told["choices"][0]["finish_reason"] == "stop"
    assert told["usage"]["prompt_tokens"] == 8 and told["usage"]["prompt_tokens_details"]["cached_tokens"] == 3
    request = up.requests[0]
    assert request.line.startswith("POST /v1/messages ")
    assert request.header("x-api-key") == "sk-upstream" and request.header("anthropic-version") == "2023-06-01"
    assert request.header("authorization") is None and request.header("openai-beta") is None
    assert request.header("x-stainless-lang") is None
    assert sent(up)["system"] == "Brief." and sent(up)["messages"] == [{"role": "user", "content": "Hi"}]


def test_what_the_target_cannot_take_is_a_400_that_names_it(gateway, upstream):
    up = upstream(otherwise=answer(MESSAGE))
    response = ask(gateway(claude(up)), {**chat(), "n": 2})
    assert response.status == 400
    error = response.json()["error"]
    assert error["param"] == "n" and "anthropic.messages" in error["message"]
    assert up.requests == []


def test_a_route_may_leave_it_out_and_says_so(gateway, upstream):
    up = upstream(otherwise=answer(MESSAGE))
    response = ask(gateway(claude(up, {"on_unsupported": "drop"})), {**chat(), "n": 2, "seed": 7, "brand_new": 1})
    assert response.status == 200
    assert set(response.header("x-sluice-dropped").split(", ")) == {"n", "seed", "brand_new"}
    assert "n" not in sent(up) and "seed" not in sent(up)


@pytest.mark.parametrize("body", [b"<html>oops</html>", b"{}", b'{"type":"message"', b'{"choices":[]}'])
def test_an_answer_that_is_none_is_a_502_that_quotes_it(gateway, upstream, body):
    up = upstream(otherwise=answer(body))
    response = ask(gateway(claude(up)))
    assert response.status == 502
    error = response.json()["error"]
    assert error["code"] == "upstream_protocol"
    assert body.decode()[:10] in error["message"]


def test_an_upstreams_error_is_told_in_the_clients_dialect(gateway, upstream):
    said = {"type": "error", "error": {"type": "rate_limit_error", "message": "Slow down."}}
    up = upstream(otherwise=answer(said, status="429 Too Many", headers=["Retry-After: 7"]))
    response = ask(gateway(claude(up)))
    assert response.status == 429 and response.header("retry-after") == "7"
    assert response.json()["error"]["message"] == "Slow down."
    assert response.json()["error"]["type"] == "rate_limit_error"


def test_an_error_about_the_request_is_told_in_the_clients_dialect(gateway, upstream):
    said = {"error": {"message": "No such thing.", "type": "invalid_request_error", "param": "x", "code": None}}
    up = upstream(otherwise=answer(said, status="400 Bad Request"))
    g = gateway(make_config(up))
    told = ask(g, {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}, "/v1/messages")
    assert told.status == 400
    assert told.json() == {"type": "error", "error": {"type": "invalid_request_error", "message": "No such thing."}}


def test_a_stream_that_breaks_off_has_no_end_but_an_error(gateway, upstream):
    up = upstream(otherwise=[STREAM_HEAD, sse(START, BLOCK, DELTA), FIN])
    with Connection(gateway(claude(up)).port) as connection:
        connection.request("POST", "/v1/chat/completions", {**chat(), "stream": True})
        text = connection.rest().decode()
    assert '"content":"Hel"' in text and "[DONE]" not in text and '"finish_reason":"stop"' not in text
    assert '"error":' in text and not text.endswith("0\r\n\r\n")


def test_an_error_within_a_stream_is_told_once_and_in_the_clients_dialect(gateway, upstream):
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    up = upstream(otherwise=[STREAM_HEAD, sse(START, BLOCK, DELTA, error), FIN])
    with Connection(gateway(claude(up)).port) as connection:
        connection.request("POST", "/v1/chat/completions", {**chat(), "stream": True})
        text = connection.rest().decode()
    assert text.count('"error":') == 1 and "Overloaded" in text and "[DONE]" not in text


def test_errors_of_the_gateway_have_the_clients_shape(gateway, upstream):
    g = gateway(claude(upstream()))
    messages = ask(g, {"model": "nope", "max_tokens": 5, "messages": []}, "/v1/messages")
    assert messages.status == 404 and messages.json()["error"]["type"] == "not_found_error"
    gemini = ask(g, {"contents": []}, "/v1beta/models/nope:generateContent")
    assert gemini.status == 404 and gemini.json()["error"]["status"] == "NOT_FOUND"
    nobody = ask(g, {"model": "m", "max_tokens": 5, "messages": []}, "/v1/messages", key="sk-wrong")
    assert nobody.status == 401 and nobody.json()["error"]["type"] == "authentication_error"


def test_a_fallback_may_speak_another_dialect(gateway, upstream):
    up = upstream(otherwise=answer({"error": {"message": "down"}}, status="500 Oops"))
    other = upstream(otherwise=answer(MESSAGE))
    config = make_config(up, providers=[provider("p", up.port), provider("q", other.port, dialect="anthropic")],
                         models=[model("m", "p", fallback=["n"]), model("n", "q")])
    response = ask(gateway(config))
    assert response.status == 200 and response.json()["choices"][0]["message"]["content"] == "Hello"
    assert sent(other)["model"] == "n"


def test_tokens_are_counted_for_a_model_of_another_dialect(gateway, upstream):
    up = upstream()
    g = gateway(make_config(up, routes=[{"match": {"path": ["/v1/*", "/v1beta/*"]}, "stages": api_stages()}]))
    body = {"model": "m", "messages": [{"role": "user", "content": "x" * 400}]}
    assert ask(g, body, "/v1/messages/count_tokens").json() == {"input_tokens": 74}
    gemini = ask(g, {"contents": [{"parts": [{"text": "x" * 400}]}]}, "/v1beta/models/m:countTokens")
    assert gemini.json() == {"totalTokens": 74}
    assert up.requests == []


def test_vectors_come_from_a_model_of_another_dialect(gateway, upstream):
    up = upstream(otherwise=answer({"embeddings": [{"values": [0.5, -1]}, {"values": [2, 3]}]}))
    g = gateway(make_config(up, providers=[provider("p", up.port, dialect="gemini")]))
    told = ask(g, {"model": "m", "input": ["a", "b"], "encoding_format": "float"}, "/v1/embeddings")
    assert [d["embedding"] for d in told.json()["data"]] == [[0.5, -1], [2, 3]]
    assert up.requests[0].line.startswith("POST /v1/models/m:batchEmbedContents ")
    packed = ask(g, {"model": "m", "input": ["a", "b"], "encoding_format": "base64"}, "/v1/embeddings")
    assert packed.json()["data"][0]["embedding"] == "AAAAPwAAgL8="
    few = ask(g, {"model": "m", "input": ["a"]}, "/v1/embeddings")
    assert few.status == 502


def test_how_long_to_wait_is_told_wherever_the_upstream_says_it(gateway, upstream):
    said = {"error": {"code": 429, "message": "Quota exceeded.", "status": "RESOURCE_EXHAUSTED",
                      "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.2s"}]}}
    up = upstream(otherwise=answer(said, status="429 Too Many Requests"))
    g = gateway(make_config(up, providers=[provider("p", up.port, dialect="gemini")]))
    refused = ask(g)
    assert refused.status == 429 and refused.header("retry-after") == "35"
    assert refused.json()["error"]["message"] == "Quota exceeded."


def test_betas_of_anthropics_clients_reach_bedrock(gateway, upstream):
    up = upstream(otherwise=answer(MESSAGE))
    keys = {"aws_sigv4": {"region": "us-east-1", "service": "bedrock", "access_key_id": "AKID", "secret_access_key": "secret"}}
    g = gateway(make_config(up, providers=[{**provider("p", up.port, dialect="bedrock.anthropic"), "credentials": [keys]}]))
    body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}
    assert ask(g, body, "/v1/messages", headers={"anthropic-beta": "context-1m-2025-08-07"}).status == 200
    assert sent(up)["anthropic_beta"] == ["context-1m-2025-08-07"]


def test_what_a_translation_holds_counts_against_the_budget_of_the_process(gateway, upstream):
    long = {**MESSAGE, "content": [{"type": "text", "text": "x" * 3_000_000}]}
    up = upstream(otherwise=answer(long))
    g = gateway(claude(up, limits={"buffered_bytes": "2MiB"}))
    refused = ask(g)
    assert refused.status == 503 and refused.json()["error"]["code"] == "overloaded" and refused.header("retry-after")
    roomy = gateway(claude(up, limits={"buffered_bytes": "64MiB"}))
    assert len(ask(roomy).json()["choices"][0]["message"]["content"]) == 3_000_000
    # Given back: it can be held again and again.
    for _ in range(30):
        assert ask(roomy).status == 200


def test_a_reranking_reaches_cohere_as_it_came(gateway, upstream):
    results = {"id": "r", "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}],
               "meta": {"billed_units": {"search_units": 1}}}
    up = upstream(otherwise=answer(results))
    config = make_config(up, providers=[{**provider("p", up.port, dialect="cohere"), "base_url": f"http://127.0.0.1:{up.port}/v2"}],
                         models=[{"name": "m", "targets": [{"provider": "p", "model": "rerank-v3.5"}]}])
    body = b'{"model": "m", "query":"capital?",  "documents":["Paris","Bern"], "top_n":2, "max_tokens_per_doc":4096}'
    response = ask(gateway(config), body, "/v1/rerank", headers={"Content-Type": "application/json"})
    assert response.status == 200 and response.json() == results
    assert up.requests[0].line.startswith("POST /v2/rerank ") and up.requests[0].header("authorization") == "Bearer sk-upstream"
    assert up.requests[0].body == body.replace(b'"m"', b'"rerank-v3.5"')
