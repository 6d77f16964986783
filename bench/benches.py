"""The benches: what load each puts on whom, and which figures come of it."""
import json
import subprocess

import fleets
import machine
from machine import BenchError
from measure import Arena, Paired, in_turn, median
from report import Report

PROXIES = ["relay", "sluice", "nginx", "haproxy"]
COMPARED = "ratios: median over the rounds (quartiles)"


def pair(reports, name, other, key):
    """The paired ratio, or None where one of the two did not run."""
    if name == other or name not in reports or other not in reports:
        return None
    return Paired(reports[name], reports[other], key)


def value(ratio):
    return None if ratio is None else ratio.median


def shown(ratio):
    return "-" if ratio is None else str(ratio)


def throughput(settings):
    """1 KB chat requests as fast as they are answered."""
    rounds = settings.rounds_of(15)
    load = {"connections": 64, "body_bytes": 1024, "seconds": settings.seconds(1.6), "warmup": 0.2}
    report = Report("throughput", f"1 KB chat requests, 64 connections, {rounds} rounds; {COMPARED}",
                    ["proxy", "req/s", "to nginx", "to relay", "CPU us/req", "busy", "p50 us", "p99 us",
                     "syscalls/req", "instructions/req", "faults/req", "RSS MiB"])
    names = settings.contenders(PROXIES)
    with Arena(settings, names) as arena:
        in_turn(arena, names, 1, lambda name: arena.load(name, "closed", **{**load, "seconds": 0.3}))
        reports = in_turn(arena, ["direct", *names], rounds, lambda name: arena.load(name, "closed", **load))
        counts = {name: arena.counts_each(name, "closed", **{**load, "seconds": 0.5}) for name in names}
        rss = {name: arena.servers[name].rss_bytes() for name in names}
        arena.finish()
    for name, runs in reports.items():
        to_nginx, to_relay = pair(reports, name, "nginx", "rate"), pair(reports, name, "relay", "rate")
        served = name != "direct"
        count = counts.get(name, {})
        report.row(name, median(runs, "rate"), shown(to_nginx), shown(to_relay),
                   median(runs, "cpu_us_each") if served else None, median(runs, "busy") if served else None,
                   median(runs, "p50_us"), median(runs, "p99_us"), count.get("syscalls"),
                   count.get("instructions"), median(runs, "faults_each") if served else None,
                   rss[name] / 2**20 if served else None)
        report.figure(f"{name}_rps", median(runs, "rate"))
        report.figure(f"{name}_p99_us", median(runs, "p99_us"))
        if served:
            report.figure(f"{name}_cpu_us_per_request", median(runs, "cpu_us_each"))
            report.figure(f"{name}_syscalls_per_request", count.get("syscalls"))
            report.figure(f"{name}_instructions_per_request", count.get("instructions"))
            report.figure(f"{name}_rss_mib", rss[name] / 2**20)
    report.figure("sluice_rps_to_nginx", value(pair(reports, "sluice", "nginx", "rate")))
    report.figure("sluice_rps_to_relay", value(pair(reports, "sluice", "relay", "rate")))
    report.figure("sluice_cpu_to_nginx", value(pair(reports, "sluice", "nginx", "cpu_us_each")))
    return report


def best_nginx(reports):
    """The configuration of nginx that needs the least CPU: that one counts."""
    candidates = [name for name in reports if name.startswith("nginx")]
    return min(candidates, key=lambda name: median(reports[name], "cpu_us_each"), default=None)


def large_body(settings):
    """Requests of 100 KB and 1 MB."""
    rounds = settings.rounds_of(15)
    report = Report("large-body", f"{rounds} rounds; against the best of nginx's configurations; {COMPARED}",
                    ["size, proxy", "req/s", "CPU us/req", "CPU to best nginx", "busy", "p99 us", "faults/req",
                     "RSS MiB"])
    names = settings.contenders(["relay", "sluice", "nginx", "nginx-tuned", "nginx-buffered-tuned", "haproxy"])
    with Arena(settings, names) as arena:
        for size, body_bytes, connections in (("100k", 100 * 1024, 16), ("1m", 1024 * 1024, 8)):
            load = {"connections": connections, "body_bytes": body_bytes, "seconds": settings.seconds(1.5),
                    "warmup": 0.2}
            settings.say(f" bodies of {size}")
            in_turn(arena, names, 1, lambda name: arena.load(name, "closed", **{**load, "seconds": 0.3}))
            reports = in_turn(arena, names, rounds, lambda name: arena.load(name, "closed", **load))
            best = best_nginx(reports)
            for name, runs in reports.items():
                rss = arena.servers[name].rss_bytes() / 2**20
                report.row(f"{size} {name}", median(runs, "rate"), median(runs, "cpu_us_each"),
                           shown(pair(reports, name, best, "cpu_us_each")), median(runs, "busy"),
                           median(runs, "p99_us"), median(runs, "faults_each"), rss)
                report.figure(f"{name}_cpu_us_per_request_{size}", median(runs, "cpu_us_each"))
                report.figure(f"{name}_rss_mib_{size}", rss)
            report.figure(f"sluice_cpu_to_nginx_{size}", value(pair(reports, "sluice", best, "cpu_us_each")))
        arena.finish()
    return report


def stream(settings):
    """Events of about 200 bytes: as many as fit, and 500 streams at a steady pace."""
    rounds = settings.rounds_of(15)
    report = Report("stream", f"events of 200 bytes, {rounds} rounds; {COMPARED}",
                    ["load, proxy", "events/s", "CPU us/event", "CPU to nginx", "busy", "delay p50 us",
                     "delay p99 us", "events/read", "syscalls/event"])
    loads = {
        "saturated": {"streams": 64, "events": 500, "event_bytes": 200, "seconds": settings.seconds(1.5),
                      "warmup": 0.3},
        # Longer than any run: no stream ends within the window.
        "paced": {"streams": 500, "events": 1_000_000, "event_bytes": 200, "gap_us": 20_000,
                  "seconds": settings.seconds(1.5), "warmup": 0.4},
    }
    names = settings.contenders(PROXIES)
    with Arena(settings, names, streams=True) as arena:
        for kind, load in loads.items():
            settings.say(f" {kind}")
            in_turn(arena, names, 1, lambda name: arena.load(name, "streams", **{**load, "seconds": 0.2}))
            reports = in_turn(arena, ["direct", *names], rounds, lambda name: arena.load(name, "streams", **load))
            for name, runs in reports.items():
                served = name != "direct"
                count = arena.counts_each(name, "streams", **{**load, "seconds": 0.5})
                for run in runs:
                    run["events_per_read"] = run["done"] / max(run["reads"], 1)
                report.row(f"{kind} {name}", median(runs, "rate"), median(runs, "cpu_us_each") if served else None,
                           shown(pair(reports, name, "nginx", "cpu_us_each")) if served else "-",
                           median(runs, "busy") if served else None, median(runs, "p50_us"),
                           median(runs, "p99_us"), median(runs, "events_per_read"), count.get("syscalls"))
                report.figure(f"{name}_events_per_second_{kind}", median(runs, "rate"))
                report.figure(f"{name}_delay_p50_us_{kind}", median(runs, "p50_us"))
                report.figure(f"{name}_delay_p99_us_{kind}", median(runs, "p99_us"))
                if served:
                    report.figure(f"{name}_cpu_us_per_event_{kind}", median(runs, "cpu_us_each"))
                    report.figure(f"{name}_syscalls_per_event_{kind}", count.get("syscalls"))
            report.figure(f"sluice_cpu_per_event_to_nginx_{kind}",
                          value(pair(reports, "sluice", "nginx", "cpu_us_each")))
        arena.finish()
    return report


def idle_growth(arena, name, streams):
    """Opens the streams on a fresh server; how much its memory grew."""
    server = arena.servers[name]
    arena.load(name, "closed", connections=8, seconds=0.2, warmup=0.1)  # its code and tables are in memory now
    before = server.rss_bytes()
    argv = arena.load_command(name, "idle", {"streams": streams})
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as load:
        ready = json.loads(load.stdout.readline() or "{}").get("ready")
        server.check_alive()
        grown = server.rss_bytes() - before
        out, err = load.communicate()  # closes its input, which ends it
    if ready != streams or json.loads(out.splitlines()[-1])["errors"] > 0:
        server.fail(f"held {ready} of {streams} idle streams; {err.strip()}")
    return {"rss_each": grown / streams, "rss_mib": grown / 2**20}


def idle_streams(settings):
    """Memory of streams that are open and say nothing."""
    streams = 500 if settings.quick else 5000
    rounds = settings.rounds_of(3)
    if machine.file_limit() < 3 * streams:
        raise BenchError(f"needs {3 * streams} open files for each process, the limit is {machine.file_limit()}")
    report = Report("idle-streams", f"{streams} open streams, each silent after one event; {rounds} fresh starts",
                    ["proxy", "bytes of RSS/stream", "RSS grown MiB"])
    names = settings.contenders(PROXIES)
    reports = {name: [] for name in names}
    for number in range(rounds):
        settings.say(f"  round {number + 1} of {rounds}")
        for name in names:
            # A server that once held the streams keeps the memory, so each round needs a new one.
            with Arena(settings, [name], streams=True) as arena:
                reports[name].append(idle_growth(arena, name, streams))
                arena.finish()
    for name, runs in reports.items():
        report.row(name, median(runs, "rss_each"), median(runs, "rss_mib"))
        report.figure(f"{name}_rss_bytes_per_stream", median(runs, "rss_each"))
    return report


def latency(settings):
    """1,000 requests a second on a fixed schedule: what a proxy adds to the direct way."""
    rounds = settings.rounds_of(15)
    load = {"connections": 64, "rate": 1000, "body_bytes": 1024, "seconds": settings.seconds(2.0), "warmup": 0.2}
    report = Report("latency", f"1,000 requests/s, open loop, {rounds} rounds; medians over the rounds",
                    ["proxy", "p50 us", "p99 us", "max us", "added p50 us", "added p99 us", "CPU us/req"])
    names = settings.contenders(PROXIES)
    with Arena(settings, names) as arena:
        in_turn(arena, names, 1, lambda name: arena.load(name, "open", **{**load, "seconds": 0.3}))
        reports = in_turn(arena, ["direct", *names], rounds, lambda name: arena.load(name, "open", **load))
        arena.finish()
    added = {}
    for name, runs in reports.items():
        for run, direct in zip(runs, reports["direct"]):
            run["added_p50"] = run["p50_us"] - direct["p50_us"]
            run["added_p99"] = run["p99_us"] - direct["p99_us"]
        served = name != "direct"
        added[name] = median(runs, "added_p99")
        report.row(name, median(runs, "p50_us"), median(runs, "p99_us"), median(runs, "max_us"),
                   median(runs, "added_p50") if served else None, added[name] if served else None,
                   median(runs, "cpu_us_each") if served else None)
        report.figure(f"{name}_p50_us", median(runs, "p50_us"))
        report.figure(f"{name}_p99_us", median(runs, "p99_us"))
        if served:
            report.figure(f"{name}_added_p99_us", added[name])
    if "sluice" in added and "nginx" in added:
        # Differences of two tails: a round alone may give nginx nearly nothing to divide by, so the medians
        # are divided, and less than 1 us counts as 1 us.
        report.figure("sluice_added_p99_to_nginx", max(added["sluice"], 1) / max(added["nginx"], 1))
    return report


TRANSLATED = {"messages": "anthropic_to_openai", "gemini": "gemini_to_openai", "responses": "responses_to_chat"}


def translate(settings):
    """Clients of other dialects against an upstream of chat completions, beside clients of chat completions."""
    rounds = settings.rounds_of(15)
    report = Report("translate", f"CPU of translated requests (1 KB) and events (200 bytes), {rounds} rounds; {COMPARED}",
                    ["load, client", "rate/s", "CPU us each", "CPU to pass-through", "p50 us", "p99 us",
                     "instructions each"])
    dialects = ["chat", *TRANSLATED]
    loads = {
        "request": ("closed", {"connections": 64, "body_bytes": 1024, "seconds": settings.seconds(1.5), "warmup": 0.2}),
        "event": ("streams", {"streams": 64, "events": 500, "event_bytes": 200, "seconds": settings.seconds(1.5),
                              "warmup": 0.3}),
    }
    for kind, (mode, load) in loads.items():
        settings.say(f" {kind}s")
        with Arena(settings, ["sluice"], streams=kind == "event") as arena:
            def run(dialect):
                return arena.load("sluice", mode, speaks=dialect, **load)
            in_turn(arena, dialects, 1, run)
            reports = in_turn(arena, dialects, rounds, run)
            counts = {d: arena.counts_each("sluice", mode, speaks=d, **{**load, "seconds": 0.5}) for d in dialects}
            arena.finish()
        for dialect, runs in reports.items():
            ratio = pair(reports, dialect, "chat", "cpu_us_each")
            report.row(f"{kind} {dialect}", median(runs, "rate"), median(runs, "cpu_us_each"), shown(ratio),
                       median(runs, "p50_us"), median(runs, "p99_us"), counts[dialect].get("instructions"))
            report.figure(f"{dialect}_cpu_us_per_{kind}", median(runs, "cpu_us_each"))
            if dialect in TRANSLATED:
                report.figure(f"{TRANSLATED[dialect]}_cpu_per_{kind}_to_pass_through", value(ratio))
    return report


def pick_latency(settings):
    """From a request's body in memory to the chosen endpoints: 64 endpoints, a full index, 4 threads."""
    rounds = settings.rounds_of(5)
    report = Report("pick-latency", f"64 endpoints of 20,000 blocks, 4 threads, {rounds} rounds; best of the rounds",
                    ["prompt", "p50 us", "p99 us", "of it hashing p50 us", "dispatch p50 us"])
    command = [settings.build / "bench-pick-latency", str(settings.seconds(0.5))]
    runs = []
    for _ in range(rounds):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchError(f"bench-pick-latency failed: {done.stderr.strip()}")
        runs.append(json.loads(done.stdout))
    # Threads of others take the processor away for far longer than a pick: the quietest round says most.
    for size in ("2k", "220k"):
        best = {key: min(run[size][key] for run in runs) for key in runs[0][size]}
        report.row(size, best["p50_us"], best["p99_us"], best["hash_p50_us"], best["dispatch_p50_us"])
        report.figure(f"p50_us_{size}", best["p50_us"])
        report.figure(f"p99_us_{size}", best["p99_us"])
        report.figure(f"dispatch_p50_us_{size}", best["dispatch_p50_us"])
    report.figure("index_megabytes", runs[0]["index_bytes"] / 1e6)
    return report


ALL = {"throughput": throughput, "large-body": large_body, "stream": stream, "idle-streams": idle_streams,
       "latency": latency, "translate": translate, "picker": fleets.picker, "pick-latency": pick_latency,
       "admission": fleets.admission}
