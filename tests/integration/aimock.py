"""A mock of providers that nobody here wrote: npm's @copilotkit/aimock with the answers of tests/clients/upstream/fixtures.json.

One process speaks every dialect, each at its own path; the answers are the same in all of them.
"""
import http.client
import json
import urllib.parse

from downloads import node_with
from harness import ROOT, Process

FOLDER = "tests/clients/upstream"
AWS = {"aws_sigv4": {"region": "eu-central-1", "service": "bedrock", "access_key_id": "AKIDEXAMPLE", "secret_access_key": "not-a-secret"}}


class Aimock(Process):
    def __init__(self, folder):
        node, modules = node_with(FOLDER)
        server = modules / "node_modules/@copilotkit/aimock/dist/cli.js"
        # Small chunks: a text comes in several events. Strict: a question that no fixture answers is an error.
        super().__init__([node, server, "--port", "0", "--fixtures", ROOT / FOLDER / "fixtures.json", "--chunk-size", "7", "--strict",
                          "--journal-max", "0"], folder)
        self.url = self.wait_line(r"listening on (http://127\.0\.0\.1:\d+)", within=60).group(1)

    def provider(self, name, dialect, path="/v1", credential=None, **more):
        return {"name": name, "dialect": dialect, "base_url": self.url + path, "credentials": [credential or {"api_key": "sk-upstream"}], **more}

    def journal(self):
        """What it was asked: dicts with path, headers and the body as it understood it."""
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc, timeout=10)
        connection.request("GET", "/__aimock/journal?limit=100000")
        entries = json.loads(connection.getresponse().read())
        connection.close()
        return entries


# name: (dialect, path behind the mock's address, model there, more of the provider)
UPSTREAMS = {
    "openai": ("openai", "/v1", "gpt-5", {}),
    "openai-chat": ("openai.chat", "/v1", "gpt-5-mini", {}),
    "openai-responses": ("openai.responses", "/v1", "gpt-5-pro", {}),
    "azure": ("azure", "", "gpt-5-nano", {"api_version": "2024-10-21"}),
    "anthropic": ("anthropic", "/v1", "claude-sonnet-4-5", {}),
    "gemini": ("gemini", "/v1beta", "gemini-2.5-pro", {}),
    "vertex": ("vertex", "/v1/projects/p/locations/l", "gemini-2.5-pro", {}),
    "bedrock": ("bedrock", "", "anthropic.claude-sonnet-4-5-v1:0", {"credential": AWS}),
    "cohere": ("cohere", "/v2", "command-a-reasoning", {}),
    "bedrock-anthropic": ("bedrock.anthropic", "", "anthropic.claude-haiku-4-5-v1:0", {"credential": AWS}),
}


# An upstream that limits its account is left alone for a while: each client that asks for it has an account of its own.
LIMITED = ("limited-1", "limited-2")


def config_for(mock, names):
    """Each upstream under the model name that UPSTREAMS gives it, and again as NAME-limited-1, NAME-limited-2."""
    accounts = [(n, n) for n in names] + [(f"{n}-{l}", n) for n in names for l in LIMITED]
    return {
        "listeners": [{"address": "127.0.0.1:0"}],
        "admin": {"address": "127.0.0.1:0"},
        "workers": 2,
        "drain": {"timeout": "10s"},
        "access_log": {"path": "access.log", "flush_interval": "20ms"},
        "providers": [mock.provider(a, UPSTREAMS[n][0], UPSTREAMS[n][1], **UPSTREAMS[n][3]) for a, n in accounts],
        "models": [{"name": a, "targets": [{"provider": a, "model": UPSTREAMS[n][2]}], "attempts": 1} for a, n in accounts],
        "keys": [{"id": "test-key", "key": "sk-test", "tenant": "test-tenant"}],
        "routes": [{"name": p, "match": {"path": f"/{p}/*"}, "stages": [{"auth": {"api_key": {}}}, {"route": {}}, {"relay": {}}]}
                   for p in ("v1", "v1beta")],
    }
