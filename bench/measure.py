"""Runs the load against the contenders in turn and compares what they did round by round."""
import contextlib
import json
import random
import statistics
import subprocess
import sys

import machine
import proxies
from machine import BenchError


class Settings:
    """What the command line decided; the same for every bench of one call."""

    def __init__(self, build, only, rounds, quick, quiet, core_pair):
        self.build = build
        self.only = only          # names of contenders, or None for all
        self.rounds = rounds      # None: each bench's own number
        self.quick = quick
        self.quiet = quiet
        self.proxy_core, self.load_core = core_pair

    def seconds(self, wanted):
        return min(wanted, 0.4) if self.quick else wanted

    def rounds_of(self, wanted):
        return self.rounds or (2 if self.quick else wanted)

    def contenders(self, names):
        """Those of `names` that were asked for and can be run."""
        chosen = [n for n in names if self.only is None or n in self.only or n.split("-")[0] in self.only]
        if "sluice" in chosen and not (self.build / "sluice").exists():
            self.say(f"no gateway at {self.build / 'sluice'}: its figures will be missing")
            chosen.remove("sluice")
        return chosen

    def say(self, text):
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)


class Arena(contextlib.ExitStack):
    """The upstream and the contenders of one bench, running until the block ends."""

    def __init__(self, settings, names, streams=False):
        super().__init__()
        self.settings = settings
        self.upstream = proxies.Upstream("upstream", settings.load_core, settings.build)
        self.servers = {n: proxies.make(n, settings.proxy_core, settings.build, streams) for n in names}
        self.problems = []

    def __enter__(self):
        super().__enter__()
        try:
            self.start(self.upstream)
            for server in self.servers.values():
                self.start(server, self.upstream.port)
        except BaseException:
            self.close()
            raise
        return self

    def start(self, server, *upstream_port):
        self.callback(lambda: self.problems.append(server.stop()))
        server.start(*upstream_port)

    def finish(self):
        """Stops everything; complains where a server left out work that it should have done."""
        self.close()
        problems = [p for p in self.problems if p]
        if problems:
            raise BenchError("; ".join(problems))

    def load_command(self, name, mode, options):
        """The load generator aimed at a contender, or straight at the upstream for "direct"."""
        server = self.servers.get(name)
        argv = ["taskset", "-c", str(self.settings.load_core), str(self.settings.build / "bench-load"), mode,
                "--port", str((server or self.upstream).port)]
        if server:
            argv += ["--watch", ",".join(map(str, server.pids()))]
        for option, value in options.items():
            argv += [f"--{option}", str(value)]
        return argv

    def load(self, name, mode, **options):
        """One run of the load generator: its report. Any error in it makes the bench worthless."""
        options = {key.replace("_", "-"): value for key, value in options.items()}
        argv = self.load_command(name, mode, options)
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
        report = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 and done.stdout else None
        if name in self.servers:
            self.servers[name].check_alive()
        if report is None or report["errors"] > 0 or report["done"] == 0:
            count = report["errors"] if report else "no"
            message = f"{name}, {mode}: {count} errors reported; {done.stderr.strip()}"
            if name in self.servers:
                self.servers[name].fail(f"served badly: {message}")
            raise BenchError(message)
        report["rate"] = report["done"] / report["seconds"]
        report["cpu_us_each"] = report["cpu_us"] / report["done"]
        report["faults_each"] = report["page_faults"] / report["done"]
        report["busy"] = report["cpu_us"] / report["seconds"] / 1e6
        return report

    def counts_each(self, name, mode, **options):
        """System calls and user instructions per request or event, {} where perf cannot count them."""
        if name not in self.servers:
            return {}
        with machine.EventCounter(self.servers[name].pids()) as counter:
            report = self.load(name, mode, **options)
        return {what: count / report["total"] for what, count in counter.counts.items()}

    def trim_logs(self):
        for server in self.servers.values():
            server.trim_logs()


def in_turn(arena, names, rounds, run):
    """Round robin: in each round `run(name)` once for every name, in an order that changes from round to
    round. Returns {name: [report of round 0, report of round 1, ...]}."""
    reports = {name: [] for name in names}
    order = random.Random(1)  # the same in every run of the bench
    for number in range(rounds):
        arena.settings.say(f"  round {number + 1} of {rounds}")
        turn = list(names)
        order.shuffle(turn)
        for name in turn:
            reports[name].append(run(name))
            arena.trim_logs()
    return reports


def median(reports, key):
    return statistics.median(r[key] for r in reports)


class Paired:
    """Ratio of two contenders: each round gives one, which cancels what the whole machine did in that
    round. `median` is the figure, `low` and `high` the quartiles that say how far to trust it."""

    def __init__(self, above, below, key):
        ratios = [a[key] / b[key] for a, b in zip(above, below) if b[key] > 0]
        self.median = statistics.median(ratios) if ratios else None
        quartiles = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else [self.median] * 3
        self.low, self.high = quartiles[0], quartiles[2]

    def __str__(self):
        return "-" if self.median is None else f"{self.median:.2f} ({self.low:.2f}..{self.high:.2f})"
