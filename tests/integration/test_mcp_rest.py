"""Tools of a REST service: a definition file, a call by MCP, the request that arrives and the result that comes back."""
import json

import pytest

from test_mcp import call, modern, modern_headers, post, result
from upstream import answer

DEFINITION = """
server:
  name: weather
  config: {{apiKey: ""}}
  securitySchemes: [{{id: key, type: apiKey, in: header, name: X-Key, defaultCredential: unused}}]
tools:
  - name: forecast
    description: The weather to come.
    args:
      - {{name: city, type: string, required: true, position: path}}
      - {{name: days, type: integer, position: query}}
    requestTemplate:
      url: http://127.0.0.1:{port}/v1/{{city}}
      headers: [{{key: X-Api-Key, value: "{{{{.config.apiKey}}}}"}}]
    responseTemplate: {{body: "{{{{.sky}}}} in {{{{.args.city}}}}"}}
"""


@pytest.fixture
def weather(gateway, upstream, tmp_path):
    """start(reply bytes, **of the source): the service, the gateway."""
    def start(*scripts, **source):
        service = upstream(*scripts)
        file = tmp_path / "weather.yaml"
        file.write_text(DEFINITION.format(port=service.port))
        g = gateway({
            "listeners": [{"address": "127.0.0.1:0"}],
            "admin": {"address": "127.0.0.1:0"},
            "tool_sources": [{"name": "weather", "rest": {"file": str(file), "config": [{"name": "apiKey", "value": "sk-weather"}],
                                                          "allow_private": True, **source}}],
            "views": [{"name": "v", "sources": [{"source": "weather", "rename": {"forecast": "weather_to_come"}}]}],
            "routes": [{"name": "tools", "match": {"path": "/mcp"}, "stages": [{"mcp": {"view": "v"}}]}],
        })
        return service, g
    return start


def test_a_call_is_one_request_to_the_service(weather):
    service, g = weather([answer(b'{"sky":"rain"}')])
    r = call(g.port, "weather_to_come", {"city": "a/b", "days": 3}, {"Authorization": "Bearer client-secret"})
    assert result(r)["content"] == [{"type": "text", "text": "rain in a/b"}]
    received = service.requests[0]
    assert received.line == "GET /v1/a%2Fb?days=3 HTTP/1.1"
    assert received.header("X-Api-Key") == "sk-weather"
    assert b"client-secret" not in received.head
    assert g.metric("sluice_mcp_calls_total", source="weather", name="forecast", outcome="ok") == 1
    assert g.metric("sluice_mcp_call_duration_seconds_count", source="weather") == 1


def test_the_list_shows_the_tool_under_the_view_s_name(weather):
    _, g = weather()
    tools = result(post(g.port, modern("tools/list"), modern_headers("tools/list")))["tools"]
    assert [t["name"] for t in tools] == ["weather_to_come"]
    assert tools[0]["inputSchema"]["required"] == ["city"]
    assert tools[0]["annotations"]["readOnlyHint"] is True


def test_what_fails_is_a_result_that_a_model_can_act_on(weather):
    service, g = weather([answer(b'{"sky":"rain"}', "503 Service Unavailable")])
    missing = result(call(g.port, "weather_to_come", {}))
    assert missing["isError"] and "city" in missing["content"][0]["text"]
    assert service.requests == []
    down = result(call(g.port, "weather_to_come", {"city": "x"}))
    assert down["isError"] and "503" in json.dumps(down["content"])
    service.close()
    gone = result(call(g.port, "weather_to_come", {"city": "x"}))
    assert gone["isError"] and "upstream" in gone["content"][0]["text"]
    assert g.metric("sluice_mcp_calls_total", name="forecast", outcome="tool_error") == 3
