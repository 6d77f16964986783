import pytest

import harness
import upstream as scripted
from wire import Connection


@pytest.fixture
def sim(tmp_path):
    """start(*options): a simulated model server of this test."""
    started = []

    def start(*options, count=1):
        folder = tmp_path / f"sim-{len(started)}"
        folder.mkdir(exist_ok=True)
        started.append(harness.Sim(folder, *options, count=count))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def gateway(tmp_path):
    """start(config): the gateway, which must end well after the test."""
    started = []

    def start(config, **options):
        folder = tmp_path / f"gateway-{len(started)}"
        folder.mkdir(exist_ok=True)
        started.append(harness.Gateway(folder, config, **options))
        return started[-1]

    yield start
    problems = []
    for one in started:
        try:
            one.finish()
        except AssertionError as problem:
            problems.append(str(problem))
    assert not problems, "\n".join(problems)


@pytest.fixture
def upstream():
    """start(*scripts, otherwise=): an upstream that plays these."""
    started = []

    def start(*scripts, otherwise=None):
        started.append(scripted.ScriptedUpstream(*scripts, otherwise=otherwise))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def connect():
    """open(port): a client connection that is closed after the test."""
    opened = []

    def open_(port, **options):
        opened.append(Connection(port, **options))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()


def pytest_terminal_summary(terminalreporter):
    """Each skipped test says why, whatever the options."""
    for report in terminalreporter.stats.get("skipped", []):
        terminalreporter.write_line(f"skipped: {report.nodeid}: {report.longrepr[2]}")
