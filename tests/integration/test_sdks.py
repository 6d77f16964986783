"""Clients that nobody here wrote, used as their documentation says, through the gateway."""
import json
import os
import socket
import subprocess
import threading

import pytest

from downloads import node_with, python_with
from harness import ROOT, SANITIZER, Process, make_config
from wire import Connection, chat

CLIENTS = ROOT / "tests/clients"


def run(argv, environment=None):
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100,
                          env={**os.environ, **(environment or {})})
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip().endswith(": ok"), done.stdout


@pytest.fixture
def base(gateway, sim):
    g = gateway(make_config(sim()))
    return f"http://127.0.0.1:{g.port}/v1"


@pytest.mark.timeout(1200)  # the first run downloads
def test_the_openai_sdk_for_python_works_unchanged(base):
    run([python_with("tests/clients/python/requirements.txt"), CLIENTS / "python/openai_sdk.py", base, "sk-test"])


@pytest.mark.timeout(1200)
def test_the_openai_sdk_for_node_works_unchanged(base):
    node, modules = node_with("tests/clients/node")
    run([node, CLIENTS / "node/openai_sdk.mjs", base, "sk-test"], {"CLIENT_MODULES": str(modules)})


# --- a real model ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    """A llama.cpp server with a small real model."""
    python = python_with("tests/integration/llama.txt")
    folder = tmp_path_factory.mktemp("llama")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Process([python, ROOT / "tests/integration/llama_server.py", port], folder)
    try:
        server.wait_line(r"listening on http:", within=120)
        server.port = port
        yield server
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.skipif(bool(SANITIZER), reason="the same bytes as with the release binary, at many times the cost")
def test_a_real_model_says_the_same_through_the_gateway(gateway, llama):
    g = gateway(make_config(llama))
    body = chat("Name three rivers of Europe.", model="m", temperature=0, seed=1, max_tokens=24, stream=True)

    def ask(port, key):
        with Connection(port, timeout=100) as connection:
            response = connection.request("POST", "/v1/chat/completions", body, key=key).response()
            events = list(response.events())
            assert (response.status, response.truncated, events[-1]) == (200, False, "[DONE]")
            return [json.loads(e)["choices"][0]["delta"].get("content") for e in events[:-1] if json.loads(e)["choices"]]

    direct = ask(llama.port, None)
    through = ask(g.port, "sk-test")
    assert "".join(t or "" for t in direct).strip()
    assert through == direct
    # Several at once, each whole.
    answers = [None] * 3
    threads = [threading.Thread(target=lambda i=i: answers.__setitem__(i, ask(g.port, "sk-test"))) for i in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert all(answers)
    usage = g.access_log(4)[0]
    assert usage["output_tokens"] > 0
