"""MCP endpoints byte by byte: what each era's messages are answered with, also the wrong ones."""
import json

import pytest

from test_mcp_conformance import mcp_config
from wire import Connection

MODERN = "2026-07-28"
LOCAL = {"Host": "localhost"}
META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}


@pytest.fixture
def port(gateway):
    return gateway(mcp_config()).port


def modern(method, params=None, meta=None, request_id=1):
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": {**(params or {}), "_meta": {**META, **(meta or {})}}}


def modern_headers(method, name=None, version=MODERN):
    named = {"Mcp-Name": name} if name else {}
    return {"MCP-Protocol-Version": version, "Mcp-Method": method, "Accept": "application/json, text/event-stream", **LOCAL, **named}


def post(port, message, headers=None, path="/mcp"):
    with Connection(port) as c:
        return c.ask("POST", path, message, {**LOCAL, **(headers or {})})


def call(port, tool, arguments=None, headers=None, **more):
    """A tools/call of 2026-07-28."""
    params = {"name": tool, "arguments": arguments or {}, **more.pop("params", {})}
    return post(port, modern("tools/call", params, **more), {**modern_headers("tools/call", tool), **(headers or {})})


def result(response):
    body = json.loads(response.body)
    assert "result" in body, body
    return body["result"]


def error(response):
    return json.loads(response.body)["error"]


def initialize(port, version="2025-11-25", capabilities=None):
    """A session of the legacy era: the headers its requests carry."""
    message = {"jsonrpc": "2.0", "id": 0, "method": "initialize",
               "params": {"protocolVersion": version, "capabilities": capabilities or {}, "clientInfo": {"name": "t", "version": "1"}}}
    r = post(port, message)
    assert r.status == 200, r.body
    headers = {"Mcp-Session-Id": r.header("Mcp-Session-Id"), "MCP-Protocol-Version": result(r)["protocolVersion"],
               "Accept": "application/json, text/event-stream", **LOCAL}
    assert post(port, {"jsonrpc": "2.0", "method": "notifications/initialized"}, headers).status == 202
    return headers


def events(response):
    """The messages of a stream, as they come: (id, message); a priming event has none."""
    text = ""
    for piece in response.pieces():
        text += piece.decode()
        while "\n\n" in text:
            block, text = text.split("\n\n", 1)
            fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            if fields.get("data") or "id" in fields:
                yield fields.get("id"), json.loads(fields["data"]) if fields.get("data") else None


# --- 2026-07-28 -------------------------------------------------------------------------------------------------------


def test_a_call_is_answered_with_json_where_nothing_is_said_before(port):
    r = call(port, "test_simple_text")
    assert (r.status, r.header("Content-Type")) == (200, "application/json")
    assert result(r)["content"] == [{"type": "text", "text": "This is a simple text response for testing."}]
    assert result(r)["resultType"] == "complete"
    assert r.header("Mcp-Session-Id") is None


def test_progress_makes_a_stream_of_the_answer(port):
    with Connection(port) as c:
        c.request("POST", "/mcp", modern("tools/call", {"name": "test_tool_with_progress"}, {"progressToken": "t"}),
                  modern_headers("tools/call", "test_tool_with_progress"))
        r = c.response()
        assert (r.header("Content-Type"), r.header("X-Accel-Buffering")) == ("text/event-stream", "no")
        messages = [m for _, m in events(r)]
    assert [m["params"]["progress"] for m in messages[:-1]] == [0, 50, 100]
    assert messages[-1]["id"] == 1 and "result" in messages[-1]


def test_a_client_that_takes_no_stream_gets_the_answer_alone(port):
    r = call(port, "test_tool_with_progress", meta={"progressToken": "t"}, headers={"Accept": "application/json"})
    assert (r.status, r.header("Content-Type")) == (200, "application/json")
    assert "executed" in result(r)["content"][0]["text"]


@pytest.mark.parametrize("headers, code", [
    ({"MCP-Protocol-Version": "2025-11-25"}, -32020),
    ({"Mcp-Method": "tools/list"}, -32020),
    ({"Mcp-Name": "test_image_content"}, -32020),
])
def test_headers_that_say_something_else_than_the_body_are_refused(port, headers, code):
    r = call(port, "test_simple_text", headers=headers)
    assert (r.status, error(r)["code"]) == (400, code)


def test_versions_that_nobody_knows_are_told_what_is_known(port):
    r = call(port, "test_simple_text", meta={"io.modelcontextprotocol/protocolVersion": "1999-01-01"},
             headers={"MCP-Protocol-Version": "1999-01-01"})
    assert (r.status, error(r)["code"]) == (400, -32022)
    assert error(r)["data"]["requested"] == "1999-01-01"
    assert MODERN in error(r)["data"]["supported"]


def test_removed_methods_are_not_found(port):
    for method in ("ping", "initialize", "logging/setLevel", "resources/subscribe", "nonsense"):
        r = post(port, modern(method, {"protocolVersion": MODERN}), modern_headers(method))
        assert (r.status, error(r)["code"]) == (404, -32601), method


def test_get_and_delete_are_of_the_legacy_era(port):
    for method in ("GET", "DELETE"):
        with Connection(port) as c:
            assert c.ask(method, "/mcp", None, {**LOCAL, "MCP-Protocol-Version": MODERN, "Accept": "text/event-stream"}).status == 405


def test_an_unknown_tool_is_an_error_of_the_protocol(port):
    assert error(call(port, "nothing"))["code"] == -32602


def test_state_is_good_for_its_own_request_alone(port):
    asks = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}
    first = result(call(port, "test_input_required_result_request_state", meta=asks))
    assert first["resultType"] == "input_required"
    answers = {"inputResponses": {"confirm": {"action": "accept", "content": {"ok": True}}}, "requestState": first["requestState"]}
    again = call(port, "test_input_required_result_request_state", meta=asks, params=answers)
    assert result(again)["content"][0]["text"] == "state-ok"
    other = call(port, "test_input_required_result_tampered_state", meta=asks, params=answers)
    assert error(other)["code"] == -32602
    answers["requestState"] = answers["requestState"][:-2] + "AA"
    assert error(call(port, "test_input_required_result_request_state", meta=asks, params=answers))["code"] == -32602


def test_a_client_that_hangs_up_has_cancelled(gateway):
    g = gateway(mcp_config())
    with Connection(g.port) as c:
        c.request("POST", "/mcp", modern("tools/call", {"name": "test_tool_with_progress"}, {"progressToken": 1}),
                  modern_headers("tools/call", "test_tool_with_progress"))
        c.response()
        c.reset()
    # The gateway's end would wait for what still runs.
    assert call(g.port, "test_simple_text").status == 200


# --- messages that are none -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body, code", [
    (b"{", -32700),
    (b"\xff", -32700),
    (b"[]", -32600),
    (b'"x"', -32600),
    (b'{"jsonrpc":"2.0","id":1}', -32600),
    (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
    (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', -32602),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":5}}', -32602),
    (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', -32600),
])
def test_what_is_no_message_gets_its_code(port, body, code):
    r = post(port, body, {"Content-Type": "application/json"})
    assert (r.status, error(r)["code"]) == (400, code), r.body


def test_other_media_types_are_refused(port):
    assert post(port, b"{}", {"Content-Type": "text/plain"}).status == 415
    assert post(port, {"jsonrpc": "2.0", "id": 1, "method": "ping"}, {"Accept": "text/html"}).status == 406


def test_pages_of_other_hosts_may_not_call(port):
    message = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert post(port, message, {"Origin": "https://evil.example"}).status == 403
    assert post(port, message, {"Origin": "null"}).status == 403
    assert post(port, message, {"Host": "evil.example"}).status == 403
    assert post(port, message, {"Origin": "http://localhost:3000"}).status == 400  # no session


# --- the legacy era ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked, given", [
    ("2025-11-25", "2025-11-25"), ("2025-06-18", "2025-06-18"), ("2025-03-26", "2025-03-26"), ("2099-01-01", "2025-11-25"),
])
def test_a_version_that_is_known_is_agreed_on(port, asked, given):
    assert initialize(port, asked)["MCP-Protocol-Version"] == given


def test_a_session_is_served_by_every_worker_and_ends(port):
    session = initialize(port)
    for i in range(20):  # a new connection each: they fall to either worker
        r = post(port, {"jsonrpc": "2.0", "id": i, "method": "tools/list"}, session)
        assert r.status == 200 and "nextCursor" not in result(r)
    with Connection(port) as c:
        assert c.ask("DELETE", "/mcp", None, session).status == 204
    for i in range(20):
        assert post(port, {"jsonrpc": "2.0", "id": i, "method": "ping"}, session).status == 404
    assert post(port, {"jsonrpc": "2.0", "id": 1, "method": "ping"}).status == 400
    assert post(port, {"jsonrpc": "2.0", "id": 1, "method": "ping"}, {"Mcp-Session-Id": "forged"}).status == 404


def test_lists_come_in_pages(gateway):
    port = gateway(mcp_config(page_size=10)).port
    session, names, cursor = initialize(port), [], {}
    while True:
        page = result(post(port, {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": cursor}, session))
        names += [t["name"] for t in page["tools"]]
        if "nextCursor" not in page:
            break
        assert len(page["tools"]) == 10
        cursor = {"cursor": page["nextCursor"]}
    assert len(names) == len(set(names)) > 20
    for bad in ("", "x", "AAAAAAAAAAAAAAAAAAAAAAAA"):
        assert error(post(port, {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"cursor": bad}}, session))["code"] == -32602


def test_a_question_is_answered_over_any_connection(port):
    """Answers fall to either worker and find the call that asked."""
    session = initialize(port, capabilities={"elicitation": {}})
    for i in range(8):
        with Connection(port) as c:
            c.request("POST", "/mcp", {"jsonrpc": "2.0", "id": i, "method": "tools/call",
                                       "params": {"name": "test_elicitation", "arguments": {"message": "Who?"}}}, session)
            stream = events(c.response())
            question = next(m for _, m in stream if m)
            assert (question["method"], question["params"]["message"]) == ("elicitation/create", "Who?")
            answer = {"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "content": {"username": "u", "email": "e"}}}
            other = initialize(port, capabilities={"elicitation": {}})
            assert post(port, answer, other).status == 202  # of another session: it answers nothing
            assert post(port, answer, session).status == 202
            last = next(m for _, m in stream if m)
            assert '"username":"u"' in last["result"]["content"][0]["text"]


def test_a_client_that_cannot_be_asked_is_told_so_as_an_error_of_the_tool(port):
    session = initialize(port)
    r = post(port, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "test_sampling", "arguments": {"prompt": "x"}}},
             session)
    assert result(r)["isError"] and "sampling" in result(r)["content"][0]["text"]


def test_a_lost_stream_is_resumed_over_any_connection(port):
    session = initialize(port)
    for i in range(8):
        with Connection(port) as c:
            c.request("POST", "/mcp", {"jsonrpc": "2.0", "id": i, "method": "tools/call",
                                       "params": {"name": "test_tool_with_progress", "_meta": {"progressToken": i}}}, session)
            stream = events(c.response())
            primed, nothing = next(stream)
            assert primed and nothing is None
            first, message = next(stream)
            assert message["params"]["progress"] == 0
            c.reset()
        with Connection(port) as c:
            c.request("GET", "/mcp", None, {**session, "Last-Event-ID": first})
            rest = [m for _, m in events(c.response("GET")) if m]
        assert [m["params"]["progress"] for m in rest[:-1]] == [50, 100]
        assert rest[-1]["id"] == i and "result" in rest[-1]


def test_a_cancelled_call_is_not_answered(port):
    session = initialize(port)
    with Connection(port) as c:
        c.request("POST", "/mcp", {"jsonrpc": "2.0", "id": 77, "method": "tools/call",
                                   "params": {"name": "test_tool_with_progress", "_meta": {"progressToken": 1}}}, session)
        stream = events(c.response())
        assert next(m for _, m in stream if m)["params"]["progress"] == 0
        cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 77}}
        assert post(port, cancel, session).status == 202
        assert [m for _, m in stream if m and "result" in m] == []


def test_batches_are_of_2025_03_26_alone(port):
    batch = [{"jsonrpc": "2.0", "id": 1, "method": "ping"}, {"jsonrpc": "2.0", "method": "notifications/x"}, {"nonsense": 1},
             {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "test_simple_text"}}]
    r = post(port, json.dumps(batch).encode(), {**initialize(port, "2025-03-26"), "Content-Type": "application/json"})
    answers = json.loads(r.body)
    assert [a.get("id") for a in answers] == [1, None, 2]
    assert answers[1]["error"]["code"] == -32600
    assert answers[2]["result"]["content"][0]["type"] == "text"
    assert post(port, json.dumps(batch).encode(), {**initialize(port), "Content-Type": "application/json"}).status == 400


def test_sessions_belong_to_their_key(gateway):
    keys = [{"id": "one", "key": "sk-one", "tenant": "a"}, {"id": "two", "key": "sk-two", "tenant": "b"}]
    config = mcp_config()
    config["keys"] = keys
    config["routes"][0]["stages"].insert(0, {"auth": {"api_key": {}}})
    port = gateway(config).port
    message = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}}}
    with Connection(port) as c:
        assert c.ask("POST", "/mcp", message, LOCAL, key="wrong").status == 401
        opened = c.ask("POST", "/mcp", message, LOCAL, key="sk-one")
        session = {**LOCAL, "Mcp-Session-Id": opened.header("Mcp-Session-Id")}
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        assert c.ask("POST", "/mcp", ping, session, key="sk-one").status == 200
        assert c.ask("POST", "/mcp", ping, session, key="sk-two").status == 404
