"""The MCP conformance suite, run against a view of builtin tools: every required scenario of both eras passes."""
import json
import os
import re
import subprocess

import pytest

from downloads import node_with
from harness import ROOT

CLIENTS = "tests/clients/mcp"


def mcp_config(**stage):
    return {
        "listeners": [{"address": "127.0.0.1:0"}],
        "admin": {"address": "127.0.0.1:0"},
        "workers": 2,
        "include": [str(ROOT / "tests/support/mcp/conformance.yaml")],
        "routes": [{"name": "mcp", "match": {"path": "/mcp"}, "stages": [{"mcp": {"view": "conformance", **stage}}]}],
    }


@pytest.fixture
def endpoint(gateway):
    g = gateway(mcp_config())
    return f"http://127.0.0.1:{g.port}/mcp"


def run_node(program, *arguments):
    """A program of node_modules, with the node that came with it first in the path."""
    node, modules = node_with(CLIENTS)
    environment = {**os.environ, "PATH": f"{node.parent}:{os.environ['PATH']}"}
    return subprocess.run([str(node), str(modules / "node_modules" / program), *arguments], env=environment, cwd=modules,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)


def suite(url, *options):
    """The suite's count of passed and failed checks, by scenario."""
    done = run_node("@modelcontextprotocol/conformance/dist/index.js", "server", "--url", url, *options)
    found = re.findall(r"^[✓✗] ([\w/-]+): (\d+) passed, (\d+) failed", done.stdout, re.M)
    assert found, done.stdout + done.stderr
    return {name: (int(passed), int(failed)) for name, passed, failed in found}, done.stdout


# Required by neither version: an extension that is not served.
EXTENSION = re.compile(r"tasks-")


@pytest.mark.timeout(1200)  # the first run downloads
@pytest.mark.parametrize("revision, required", [("2025-11-25", 30), ("2026-07-28", 37)])
def test_every_scenario_that_a_version_requires_passes(endpoint, revision, required):
    scenarios, output = suite(endpoint, "--requirements", revision)
    ours = {name: counts for name, counts in scenarios.items() if not EXTENSION.match(name)}
    assert len(ours) >= required, output
    assert {name: counts for name, counts in ours.items() if counts[0] == 0 or counts[1] != 0} == {}, output


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("era", ["legacy", "auto", "modern"])
def test_the_inspector_finds_nothing_wrong(endpoint, era):
    inspector = "@modelcontextprotocol/inspector"
    package = node_with(CLIENTS)[1] / "node_modules" / inspector / "package.json"
    start = json.loads(package.read_text())["bin"]["mcp-inspector"]

    def inspect(*options):
        return run_node(f"{inspector}/{start}", "--cli", endpoint, "--transport", "http", "--protocol-era", era, "--format", "json",
                        *options)

    listed = inspect("--method", "tools/list", "--strict")
    assert listed.returncode == 0, listed.stdout + listed.stderr
    assert "test_simple_text" in listed.stdout
    called = inspect("--method", "tools/call", "--tool-name", "test_simple_text")
    assert called.returncode == 0, called.stdout + called.stderr
    assert "This is a simple text response for testing." in called.stdout
    failed = inspect("--method", "tools/call", "--tool-name", "test_error_handling")
    assert failed.returncode == 5, failed.stdout + failed.stderr
