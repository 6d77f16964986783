"""Agents that speak A2A (Agent2Agent protocol) behind the gateway."""
import json

from harness import make_config
from upstream import STREAM_END, STREAM_HEAD, answer, chunk
from wire import Connection


def agent_gateway(gateway, agent, **a2a):
    config = make_config(agent, providers=[], models=[], routes=[
        {"name": "agent", "match": {"path": "/agents/w/*"}, "stages": [
            {"auth": {"api_key": {}}},
            {"a2a": {"url": "https://gw.example.com/agents/w", **a2a}},
            {"http": {"url": f"http://127.0.0.1:{agent.port}/a2a", "strip_prefix": "/agents/w"}}, {"relay": {}}]}])
    return gateway(config)


def test_an_agents_card_leads_to_the_gateway(gateway, upstream):
    card = {"name": "w", "url": "http://agent.internal:9000/a2a/rpc", "signatures": [{"protected": "p"}], "security": []}
    agent = upstream(otherwise=[answer(json.dumps(card).encode(), headers=['ETag: "1"'])])
    g = agent_gateway(gateway, agent, card={"security": [{"gateway": []}]})
    for path in (".well-known/agent-card.json", ".well-known/agent.json"):
        with Connection(g.port) as connection:
            response = connection.ask("GET", f"/agents/w/{path}", headers={"If-None-Match": '"1"', "Accept-Encoding": "gzip"})
        assert response.status == 200
        assert response.json() == {"name": "w", "url": "https://gw.example.com/agents/w/rpc", "security": [{"gateway": []}]}
        assert response.header("etag") is None
    assert agent.requests[0].line == "GET /a2a/.well-known/agent-card.json HTTP/1.1"
    assert agent.requests[0].header("if-none-match") is None and agent.requests[0].header("accept-encoding") is None
    with Connection(g.port) as connection:
        assert connection.ask("GET", "/agents/w/.well-known/agent-card.json", key=None).status == 401


def test_a_card_that_leads_elsewhere_is_not_served(gateway, upstream):
    agent = upstream(otherwise=[answer(b'{"url":"http://agent.internal/other"}')])
    g = agent_gateway(gateway, agent)
    with Connection(g.port) as connection:
        response = connection.ask("GET", "/agents/w/.well-known/agent-card.json")
    assert response.status == 502 and b"agent.internal" not in response.body


def test_calls_of_an_agent_pass_and_an_extended_card_is_served(gateway, upstream):
    stream = [STREAM_HEAD, chunk('data: {"jsonrpc":"2.0","id":2,"result":{"kind":"task","url":"http://a/a2a"}}\n\n'), STREAM_END]
    extended = [answer(b'{"jsonrpc":"2.0","id":1,"result":{"url":"http://a/a2a/rpc","skills":[]}}')]
    agent = upstream(extended, stream)
    g = agent_gateway(gateway, agent)
    with Connection(g.port) as connection:
        response = connection.ask("POST", "/agents/w/rpc", b'{"jsonrpc":"2.0","id":1,"method":"agent/getAuthenticatedExtendedCard"}')
        assert response.json()["result"] == {"url": "https://gw.example.com/agents/w/rpc", "skills": []}
    call = b'{"jsonrpc":"2.0","id":2,"method":"message/stream","params":{}}'
    with Connection(g.port) as connection:
        response = connection.ask("POST", "/agents/w/rpc", call)
        assert b"http://a/a2a" in response.body
    assert agent.requests[1].body == call
    with Connection(g.port) as connection:
        assert connection.ask("POST", "/agents/w/rpc", b"{").status == 400
