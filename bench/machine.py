"""The machine under the benches: cores, ports, memory and event counters of processes."""
import os
import pathlib
import platform
import resource
import shutil
import signal
import socket
import subprocess
import time


class BenchError(Exception):
    """The bench could not be measured; its message says why."""


def raise_file_limit(needed):
    """Everything started later inherits the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise BenchError(f"needs {needed} open files, the hard limit is {hard}")


def file_limit():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def cores():
    """(core of the proxy, core of the load generator and the upstream)."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[1 % len(usable)]


def free_ports(count):
    """Ports that nobody listens on now. Held together, so that they differ."""
    held = [socket.socket() for _ in range(count)]
    try:
        for s in held:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in held]
    finally:
        for s in held:
            s.close()


def describe():
    model = "unknown CPU"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


class ForeignLoad:
    """How many cores, on average, were kept busy by what the bench did not start, or taken away by the
    host of a virtual machine. Read `cores()` when all that was started has ended."""

    def __init__(self):
        self.began = self.clocks()

    def cores(self):
        elapsed, busy, own = (now - then for now, then in zip(self.clocks(), self.began))
        return max(busy - own, 0) / elapsed

    @staticmethod
    def clocks():
        """Seconds: of the wall, of all cores busy or stolen, of this process and its ended children."""
        fields = [int(f) for f in pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
        user, nice, system, _idle, _iowait, irq, softirq, steal = fields
        busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
        mine = os.times()
        return mine.elapsed, busy, mine.user + mine.system + mine.children_user + mine.children_system


def process_tree(pid):
    """The process and all its descendants (the worker of nginx is a child of its master)."""
    found = [pid]
    for parent in found:
        for task in pathlib.Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def rss_bytes(pids):
    """Resident memory. smaps_rollup counts pages; the counter in status may be off by some hundred."""
    total = 0
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Rss:"):
                total += int(line.split()[1]) * 1024
    return total


class EventCounter:
    """Counts system calls and user instructions of processes with perf, where perf may and can.

    with EventCounter(pids) as counter: ...
    counter.counts is {} when nothing could be counted.
    """

    EVENTS = {"raw_syscalls:sys_enter": "syscalls", "instructions:u": "instructions"}

    def __init__(self, pids):
        self.pids = pids
        self.counts = {}
        self.perf = None

    def __enter__(self):
        if shutil.which("perf"):
            self.perf = subprocess.Popen(
                ["perf", "stat", "-x", ",", "-e", ",".join(self.EVENTS), "-p", ",".join(map(str, self.pids))],
                stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
            time.sleep(0.5)  # until it has attached: it gives no sign of that
        return self

    def __exit__(self, *_):
        if self.perf is None:
            return
        self.perf.send_signal(signal.SIGINT)
        try:
            text = self.perf.communicate(timeout=10)[1]
        except subprocess.TimeoutExpired:
            self.perf.kill()
            self.perf.communicate()
            return
        for line in text.splitlines():
            fields = line.split(",")
            name = self.EVENTS.get(fields[2]) if len(fields) > 2 else None
            if name and fields[0].isdigit():
                self.counts[name] = int(fields[0])
