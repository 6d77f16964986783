"""SDKs that nobody here wrote, through the gateway, with a mock of providers that nobody here wrote: every dialect of
clients with every dialect of upstreams."""
import collections
import os
import re
import subprocess
import urllib.parse

import pytest

from aimock import UPSTREAMS, Aimock, config_for
from downloads import node_with, python_with
from harness import ROOT, Gateway

CLIENTS = ROOT / "tests/clients"
SCRIPTS = {
    "openai-python": "python/openai_dialects.py",
    "anthropic-python": "python/anthropic_dialects.py",
    "google-python": "python/google_dialects.py",
    "openai-node": "node/openai_dialects.mjs",
    "anthropic-node": "node/anthropic_dialects.mjs",
    "google-node": "node/google_dialects.mjs",
    "ai-node": "node/ai_dialects.mjs",
}
# What does not work, and why: patterns of upstream, script and case.
EXCEPTIONS = [
    # InvokeModelWithResponseStream: Bedrock sends {"bytes": "<base64>"}, the mock bare JSON.
    ("bedrock-anthropic", ".*", ".*(streamed|helper|thinks|calls|generate_chat|runs_tools|broken)"),
    # Cohere thinks in blocks of the type "thinking", the mock in text; and it has vectors in base64, the mock calls numbers so.
    ("cohere", ".*", ".*thinks|generate_chat"),
    ("cohere", "openai-.*", "embeddings_packed"),
    # OpenAI says why a response is incomplete, the mock does not.
    ("openai-responses", "(openai|anthropic|google)-python", "(chat|messages|generate)_length"),
    # The mock knows neither batchEmbedContents nor the places where tokens are counted.
    ("gemini|vertex", ".*", "embed|embeddings|embeddings_packed|.*_embeds"),
    ("anthropic", "anthropic-.*", "count_tokens"),
    ("gemini|vertex", "google-.*", "count_tokens"),
    # Anthropic keeps message threads; the mock forgets them.
    ("anthropic", "anthropic-node", "messages_runs_tools"),
    # The models have no vectors, at some of these the providers neither.
    ("anthropic|bedrock.*|vertex|openai-responses", ".*", "embed|embeddings|embeddings_packed|.*_embeds"),
    # The SDK asks for one forced call, and Gemini cannot be told that one is the limit.
    ("gemini|vertex", "ai-node", "messages_structured"),
]


PATHS = {
    "openai": "/v1/(chat/completions|responses|embeddings)",
    "openai-chat": "/v1/(chat/completions|embeddings)",
    "openai-responses": "/v1/(responses|embeddings)",
    # In places the journal leaves out what comes before the endpoint.
    "azure": "(/openai/deployments/gpt-5-nano)?/(chat/completions|embeddings)|/openai/responses",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/[^/]+:(generateContent|streamGenerateContent|embedContent)",
    "vertex": "/v1/projects/p/locations/l/publishers/google/models/[^/]+:(generateContent|streamGenerateContent)",
    "bedrock": "/model/[^/]+/converse(-stream)?",
    "bedrock-anthropic": "/model/[^/]+/invoke(-with-response-stream)?",
    "cohere": "/v2/(chat|embed)",
}


@pytest.fixture(scope="module")
def mock(tmp_path_factory):
    server = Aimock(tmp_path_factory.mktemp("aimock"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def said(mock, tmp_path_factory):
    """said(script): what it printed, as {model: {case: line}}. Each script runs once, with all models."""
    runs = {}

    def run(name):
        if name not in runs:
            runs[name] = _run(SCRIPTS[name], mock, tmp_path_factory.mktemp(name))
        return runs[name]

    return run


def _run(script, mock, folder):
    if script.startswith("python/"):
        argv, environment = [python_with("tests/clients/python/requirements.txt")], {}
    else:
        node, modules = node_with("tests/clients/node")
        argv, environment = [node], {"CLIENT_MODULES": str(modules)}
    gateway = Gateway(folder, config_for(mock, UPSTREAMS))
    try:
        done = subprocess.run([str(a) for a in (*argv, CLIENTS / script, f"http://127.0.0.1:{gateway.port}", "sk-test", *UPSTREAMS)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, env={**os.environ, **environment})
    finally:
        gateway.finish()
    assert done.returncode == 0, done.stdout + done.stderr
    lines = collections.defaultdict(dict)
    for line in done.stdout.splitlines():
        *_, case, model = line.partition(": ")[0].split(" ")
        lines[model][case] = line
    assert set(lines) == set(UPSTREAMS), done.stdout
    return lines


def excepted(exception, upstream, script, case):
    return all(re.fullmatch(pattern, what) for pattern, what in zip(exception, (upstream, script, case), strict=True))


@pytest.mark.timeout(1800)  # the first run downloads
@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("script", SCRIPTS)
def test_an_sdk_reaches_models_of_every_dialect(said, script, upstream):
    lines = said(script)[upstream]
    assert lines
    bad = [line for case, line in lines.items() if not line.endswith(": ok") and not any(
        excepted(e, upstream, script, case) for e in EXCEPTIONS)]
    assert not bad, "\n".join(bad)


@pytest.mark.timeout(1800)
def test_what_is_said_not_to_work_does_not(said):
    failed = {(upstream, script, case) for script in SCRIPTS for upstream, lines in said(script).items()
              for case, line in lines.items() if not line.endswith(": ok")}
    needless = [e for e in EXCEPTIONS if not any(excepted(e, *f) for f in failed)]
    assert not needless


@pytest.mark.timeout(1800)
def test_each_upstream_is_asked_in_its_own_dialect_only(said, mock):
    for script in SCRIPTS:
        said(script)
    asked = {(urllib.parse.unquote((e["body"] or {}).get("model", "")), urllib.parse.urlsplit(e["path"]).path) for e in mock.journal()}
    for name, (_, _, model, _) in UPSTREAMS.items():
        own = {a for a in asked if a[0] == model and re.fullmatch(PATHS[name], a[1])}
        assert own, f"{name} was never asked"
        asked -= own
    assert not asked
