"""SDKs that nobody here wrote, through the gateway, with a mock of providers that nobody here wrote: every dialect of
clients with every dialect of upstreams."""
import collections
import os
import re
import subprocess

import pytest

from aimock import UPSTREAMS, Aimock, config_for
from downloads import node_with, python_with
from harness import ROOT, Gateway

CLIENTS = ROOT / "tests/clients"
SCRIPTS = {
    "openai-python": "python/openai_dialects.py",
}
# What does not work, and why: patterns of upstream, script and case.
EXCEPTIONS = [
    # InvokeModelWithResponseStream: Bedrock sends {"bytes": "<base64>"}, the mock bare JSON.
    ("bedrock-anthropic", ".*", ".*(streamed|helper|thinks|calls)"),
    # These providers have no embeddings.
    ("anthropic|bedrock.*|openai-responses", ".*", "embeddings"),
    # Responses are not translated.
    ("anthropic|bedrock.*", ".*", "responses.*"),
]


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
        _, case, model, _ = re.fullmatch(r"(.+) (\S+) (\S+): (.+)", line).groups()
        lines[model][case] = line
    return lines


@pytest.mark.timeout(1800)  # the first run downloads
@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("script", SCRIPTS)
def test_an_sdk_reaches_models_of_every_dialect(said, script, upstream):
    lines = said(script)[upstream]
    assert lines
    bad = [line for case, line in lines.items() if not line.endswith(": ok") and not any(
        re.fullmatch(u, upstream) and re.fullmatch(s, script) and re.fullmatch(c, case) for u, s, c in EXCEPTIONS)]
    assert not bad, "\n".join(bad)
