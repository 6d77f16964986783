"""Starts the real binaries, and holds them to how they must end.

SLUICE_BIN and SLUICE_SIM_BIN say which ones, so that the builds with sanitizers run the same tests;
SLUICE_SANITIZER names the sanitizer of SLUICE_BIN, for the few tests whose size depends on speed.
"""
import base64
import http.client
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED_DATA = ROOT.parent / "shared" / "data"
BINARY = os.environ.get("SLUICE_BIN", str(ROOT / "build/release/sluice"))
SIM_BINARY = os.environ.get("SLUICE_SIM_BIN", str(ROOT / "build/release/sluice-sim"))
SANITIZER = os.environ.get("SLUICE_SANITIZER", "")
START_TIMEOUT = 30
STOP_TIMEOUT = 45

SANITIZER_REPORT = re.compile(r"(AddressSanitizer|ThreadSanitizer|LeakSanitizer|runtime error:|UndefinedBehaviorSanitizer)")
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1",
    "TSAN_OPTIONS": f"halt_on_error=1:second_deadlock_stack=1:suppressions={ROOT}/tests/integration/tsan.supp",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}


class Process:
    """A program under test. All it prints is kept, line by line, and can be waited for."""

    def __init__(self, argv, folder, environment=None, descriptors=None):
        self.lines = []
        self.printed = threading.Condition()
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))) if descriptors else None
        self.popen = subprocess.Popen(
            [str(a) for a in argv], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env={**os.environ, **SANITIZER_OPTIONS, **(environment or {})}, preexec_fn=limit)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    @property
    def pid(self):
        return self.popen.pid

    def _read(self):
        for line in self.popen.stdout:
            with self.printed:
                self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self.printed.notify_all()
        with self.printed:
            self.printed.notify_all()

    def wait_line(self, pattern, count=1, within=START_TIMEOUT):
        """The match of the count-th line that has the pattern, once it is printed."""
        wanted = re.compile(pattern)

        def find():
            matches = [m for m in map(wanted.search, self.lines) if m]
            return matches[count - 1] if len(matches) >= count else None

        with self.printed:
            self.printed.wait_for(lambda: find() or not self.reader.is_alive() or self.popen.poll() is not None, within)
            found = find()
        if not found:
            self.reader.join(2 if self.popen.poll() is not None else 0)
            found = find()
        assert found, f"{pattern!r} was not printed; instead:\n{self.output()}"
        return found

    def output(self):
        return "\n".join(self.lines[-80:])

    def signal(self, which):
        self.popen.send_signal(which)

    def wait(self, within=STOP_TIMEOUT):
        code = self.popen.wait(within)
        self.reader.join(5)
        return code

    def stop(self):
        if self.popen.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise AssertionError(f"did not end within {STOP_TIMEOUT} s of SIGTERM:\n{self.output()}") from None

    def memory(self):
        """Resident bytes."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))


class Sim(Process):
    """Simulated model servers; `port` is the first one's."""

    def __init__(self, folder, *options, count=1):
        super().__init__([SIM_BINARY, "--port", "0", "--count", count, *options], folder)
        self.ports = [int(self.wait_line(r"listening \S+ [\d.]+:(\d+)", i + 1).group(1)) for i in range(count)]
        self.port = self.ports[0]

    def control(self, method, path, body=None, port=None):
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=10)
        connection.request(method, path, body)
        response = connection.getresponse()
        text = response.read()
        connection.close()
        assert response.status < 300, text
        return json.loads(text) if text else None

    def stats(self, port=None):
        return self.control("GET", "/sim/stats", port=port)

    def fault(self, script, port=None):
        self.control("POST", "/sim/faults", script, port)

    def url(self, path="/v1"):
        return f"http://127.0.0.1:{self.port}{path}"


class Gateway(Process):
    """The gateway with a configuration; `port` is its first listener's."""

    def __init__(self, folder, config, environment=None, descriptors=None):
        self.folder = folder
        self.config_path = folder / "sluice.yaml"
        self.access_path = folder / "access.log"
        self.write_config(config)
        super().__init__([BINARY, "-c", self.config_path], folder, environment, descriptors)
        try:
            self.wait_line(r"ready: \d+ workers")
            listeners = len(config["listeners"])
            self.ports = [int(self.wait_line(r"listening on [^ \"]*:(\d+)", i + 1).group(1)) for i in range(listeners)]
            self.port = self.ports[0]
            self.admin_port = int(self.wait_line(r"admin on [^ \"]*:(\d+)").group(1))
        except AssertionError:
            self.popen.kill()
            raise

    def write_config(self, config):
        """JSON is YAML too. Written whole: a watcher must not see half of it."""
        fresh = self.config_path.with_suffix(".new")
        fresh.write_text(json.dumps(config, indent=1))
        fresh.rename(self.config_path)

    def admin(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=10)
        connection.request("GET", path)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, text

    def metric(self, name, /, **labels):
        """The sum of the samples of that name whose labels include these."""
        total = 0.0
        for line in self.admin("/metrics")[1].splitlines():
            found = re.match(r"([a-zA-Z_:]+)(?:\{(.*)\})? (\S+)$", line)
            if found and found.group(1) == name:
                have = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', found.group(2) or ""))
                if labels.items() <= have.items():
                    total += float(found.group(3))
        return total

    def access_log(self, count=1, within=10):
        """The lines of the access log, once there are that many."""
        deadline = time.monotonic() + within
        while True:
            text = self.access_path.read_text() if self.access_path.exists() else ""
            lines = text.split("\n")[:-1]
            if len(lines) >= count or time.monotonic() > deadline:
                assert len(lines) >= count, f"{len(lines)} of {count} lines in the access log"
                return [json.loads(line) for line in lines]
            time.sleep(0.02)

    def finish(self):
        """Ends the gateway and fails when it did anything but end well."""
        crashed = self.popen.poll() is not None
        code = self.stop()
        report = [line for line in self.lines if SANITIZER_REPORT.search(line)]
        everything = "\n".join(self.lines)
        assert not report, f"sanitizer report:\n{everything}"
        assert not crashed, f"the gateway was gone before its end, code {code}:\n{self.output()}"
        assert code == 0, f"exit code {code} after SIGTERM:\n{self.output()}"
        assert "unexpected exception" not in everything, everything


def make_config(upstream, **changes):
    """A configuration with one provider at that port, one model `m` and one key; `changes` replace its parts."""
    port = upstream if isinstance(upstream, int) else upstream.port
    config = {
        "listeners": [{"address": "127.0.0.1:0"}],
        "admin": {"address": "127.0.0.1:0"},
        "workers": 2,
        "drain": {"timeout": "10s"},
        "access_log": {"path": "access.log", "flush_interval": "20ms"},
        "providers": [provider("p", port)],
        "models": [model("m", "p")],
        "keys": [{"id": "test-key", "key": "sk-test", "tenant": "test-tenant"}],
        "routes": [{"name": "api", "match": {"path": "/v1/*"}, "stages": api_stages()}],
    }
    config.update(changes)
    return config


def provider(name, port, key="sk-upstream", **more):
    return {"name": name, "dialect": "openai", "base_url": f"http://127.0.0.1:{port}/v1",
            "credentials": [{"api_key": key}], **more}


def model(name, *providers, **more):
    return {"name": name, "targets": [p if isinstance(p, dict) else {"provider": p, "model": name} for p in providers], **more}


def api_stages(route=None, relay=None, auth=None, before=()):
    return [{"auth": auth or {"api_key": {}}}, *before, {"route": route or {}}, {"relay": relay or {}}]


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
