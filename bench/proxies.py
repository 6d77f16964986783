"""Starts and stops what is measured: the gateway, nginx, HAProxy, the relay; and the upstream."""
import http.client
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

import machine
from machine import BenchError

ROOT = pathlib.Path(__file__).resolve().parent.parent
CONFIGS = ROOT / "bench" / "configs"
LOG_BYTES_MAX = 32 << 20

# glibc gives memory above these thresholds back for every body and fetches it again page by page.
ALLOCATOR_TUNED = {
    "MALLOC_TOP_PAD_": str(16 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "MALLOC_MMAP_THRESHOLD_": str(16 << 20),
}


def fill_template(name, target, values):
    text = (CONFIGS / name).read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    target.write_text(text)


class Process:
    """One server on one core, in a folder of its own, reached on one port."""

    access_log = None  # checked to have grown, where the server keeps one
    patience = 10  # seconds until it must listen

    def __init__(self, name, core, build):
        self.name = name
        self.core = core
        self.build = build
        self.folder = None
        self.popen = None
        self.port = None
        self.admin_port = None
        self.logged = 0
        self.variables = {}
        self.environment = {}

    def command(self, upstream_port):
        """Writes what configuration the server needs and returns its command line."""
        raise NotImplementedError

    def start(self, upstream_port=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"bench-{self.name}-"))
        self.port, self.admin_port = machine.free_ports(2)
        argv = [str(a) for a in self.command(upstream_port)]
        with open(self.folder / "output.log", "ab") as output:
            self.popen = subprocess.Popen(
                ["taskset", "-c", str(self.core), *argv], cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **self.environment})
        self.wait_until_it_listens()
        return self

    def wait_until_it_listens(self):
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            if self.popen.poll() is not None:
                self.fail(f"exited with {self.popen.returncode} at its start")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        self.fail(f"does not listen after {self.patience} s")

    def fail(self, what):
        logs = ""
        for path in (self.folder / "output.log", self.folder / "error.log"):
            if path.exists() and path.stat().st_size < LOG_BYTES_MAX:
                logs += "".join(f"    {line}\n" for line in path.read_text(errors="replace").splitlines()[-20:])
        raise BenchError(f"{self.name} {what}\n{logs}".rstrip())

    def pids(self):
        return machine.process_tree(self.popen.pid)

    def rss_bytes(self):
        return machine.rss_bytes(self.pids())

    def check_alive(self):
        if self.popen.poll() is not None:
            self.fail(f"ended with {self.popen.returncode} while it was measured")

    def trim_logs(self):
        """Millions of requests are logged: keep them from filling the disk."""
        for path in self.folder.glob("*.log"):
            size = path.stat().st_size
            if size > LOG_BYTES_MAX:
                if path.name == self.access_log:
                    self.logged += size
                os.truncate(path, 0)

    def stop(self):
        """Ends it; returns what is wrong with how it was measured, or None."""
        if self.popen is not None and self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        problem = None
        if self.access_log:
            path = self.folder / self.access_log
            self.logged += path.stat().st_size if path.exists() else 0
            if self.logged == 0:
                problem = f"{self.name} wrote no access log, so its figures leave out work that counts"
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
        return problem


class Upstream(Process):
    def command(self, upstream_port):
        return [self.build / "bench-upstream", "--port", self.port]


class Relay(Process):
    def command(self, upstream_port):
        return [self.build / "bench-relay", "--port", self.port, "--upstream", upstream_port]


class Nginx(Process):
    access_log = "access.log"

    def command(self, upstream_port):
        config = self.folder / "nginx.conf"
        fill_template("nginx.conf", config, {
            "USER": "user root;" if os.geteuid() == 0 else "",
            "NOFILE": machine.file_limit(), "TMP": self.folder, "PORT": self.port, "UPSTREAM": upstream_port,
            "BODY_BUFFER": "512k", "REQUEST_BUFFERING": "off", "BUFFERING": "on", **self.variables})
        return ["nginx", "-p", f"{self.folder}/", "-e", self.folder / "error.log", "-c", config]


class Haproxy(Process):
    access_log = "output.log"  # it logs to standard output

    def command(self, upstream_port):
        config = self.folder / "haproxy.cfg"
        fill_template("haproxy.cfg", config, {
            "PORT": self.port, "UPSTREAM": upstream_port, "NO_DELAY": "", **self.variables})
        return ["haproxy", "-db", "-f", config]


class Sluice(Process):
    access_log = "access.log"

    def command(self, upstream_port):
        config = self.folder / "sluice.yaml"
        fill_template("sluice.yaml", config, {
            "PORT": self.port, "ADMIN": self.admin_port, "UPSTREAM": upstream_port, "TMP": self.folder,
            **self.variables})
        return [self.build / "sluice", "-c", config]

    def start(self, upstream_port=None):
        super().start(upstream_port)
        self.check_governed()
        return self

    def check_governed(self):
        """A gateway that lets everybody in, or counts nothing, would win by leaving out the work."""
        status, _ = self.ask("POST", self.port, "/v1/chat/completions", '{"model":"bench-model","messages":[]}')
        if status != 401:
            self.fail(f"answered {status} to a request without a key, expected 401")
        status, text = self.ask("GET", self.admin_port, "/metrics")
        if status != 200 or "# TYPE" not in text:
            self.fail(f"answered {status} at /metrics of its admin listener, expected metrics")

    def ask(self, method, port, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as e:
            self.fail(f"did not answer {method} {path}: {e}")
        finally:
            connection.close()


def make(name, core, build, streams=False):
    """A contender by name; with `streams`, set up as an operator does for answers that arrive in events."""
    kinds = {"relay": Relay, "haproxy": Haproxy, "sluice": Sluice}
    process = kinds.get(name, Nginx)(name, core, build)
    if isinstance(process, Nginx):
        process.variables["BUFFERING"] = "off" if streams else "on"
        if "buffered" in name:
            process.variables.update(REQUEST_BUFFERING="on", BODY_BUFFER="2m")
        if "tuned" in name:
            process.environment.update(ALLOCATOR_TUNED)
    if isinstance(process, Haproxy) and streams:
        process.variables["NO_DELAY"] = "option http-no-delay"
    return process
