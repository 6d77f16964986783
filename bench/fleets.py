"""The benches `picker`, policies that choose model servers compared by bench-picker, and `admission`, overload with
and without a queue in front of them by bench-admission; both on simulated fleets.

Nothing is timed: the figures follow from seeds, so they are the same on every machine. Those with goals come from the
held-out cases and seeds, which nobody looked at when constants were chosen (bench/picker/cases.hpp).
"""
import json
import math
import subprocess

from machine import BenchError
from report import Report

COLUMNS = ["case, policy", "TTFT mean s", "p50 s", "p99 s", "end to end s", "tokens/s", "hit rate", "preempted"]
CELLS = ["ttft_mean", "ttft_p50", "ttft_p99", "e2e_mean", "tokens_per_s", "hit_rate", "preemptions"]


def picker(settings):
    """Every case and policy; each figure of the table is a mean over the seeds."""
    rows = run_picker(settings)
    seeds = max(len(row["ttft_mean_by_seed"]) for row in rows)
    report = Report("picker", f"simulated fleets of model servers, {seeds} seeds; no figure is timed", COLUMNS)
    cases = {}
    for row in rows:
        cases.setdefault(row["case"], {})[row["policy"]] = row
        report.row(f"{row['case']}: {row['policy']}", *(row[cell] for cell in CELLS))
    for name, value in compared(cases).items():
        report.figure(name, value)
    if not any(name.startswith("conversation") for name in cases):
        report.skip("conversation", "no trace on this machine: see bench-picker --trace")
    return report


def admission(settings):
    """More than a fleet can do, with admission and without: what each class and tenant gets."""
    limits = ["--seeds", "1", "--seconds", "20"] if settings.quick else []
    rows = run_tool(settings, ["bench-admission", "--json", *limits])
    report = Report("admission", "a simulated fleet of 8 model servers in overload; no figure is timed",
                    ["case, admission, class", "requests", "refused", *COLUMNS[1:6]])
    found = {}
    for row in rows:
        found[row["case"], row["policy"], row["class"]] = row
        report.row(f"{row['case']}: {row['policy']}, {row['class']}", row["requests"], row["dropped"],
                   *(row[cell] for cell in CELLS[:5]))

    def ratio(case, who, key):
        return found[case, "admission", who][key] / found[case, "none", who][key]
    report.figure("high_class_p99_to_none", ratio("classes", "high", "ttft_p99"))
    report.figure("modest_tenant_p99_to_none", ratio("tenants", "modest", "ttft_p99"))
    report.figure("tokens_to_none", min(ratio(case, "all", "tokens_per_s") for case in ("classes", "tenants")))
    report.figure("no_overload_ttft_to_none", ratio("no overload", "all", "ttft_mean"))
    return report


def run_picker(settings):
    return run_tool(settings, ["bench-picker", "--json", "--set", "quick" if settings.quick else "held-out"])


def run_tool(settings, command):
    argv = [settings.build / command[0], *command[1:]]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    for line in done.stderr.splitlines():
        settings.say(f"  {line}")
    if done.returncode != 0:
        raise BenchError(f"{command[0]} failed: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def compared(cases):
    """The figures that goals are about. Ratios: below 1 the gateway's picker is better, but for tokens/s."""
    def named(beginning):
        return [case for name, case in cases.items() if name.startswith(beginning) and "poll" not in name]

    def ratios(found, policy, key):
        return [case["sluice"][key] / case[policy][key] for case in found]

    figures = {}
    capacity = named("capacity")
    figures["capacity_tokens_to_least_request"] = least(ratios(capacity, "least-request", "tokens_per_s"))
    figures["capacity_ttft_of_least_request"] = least([1 / r for r in ratios(capacity, "least-request", "ttft_mean")])
    figures["capacity_tokens_to_epp"] = least(ratios(capacity, "epp", "tokens_per_s"))
    figures["capacity_ttft_to_epp"] = most([typical_ratio(case, "epp") for case in capacity])
    # Of the trace's speeds the last is more than the fleet can do.
    conversation = named("conversation")
    overload = [case for case in [cases.get("conversation x2.3"), cases.get("chat 7.5/s")] if case]
    figures["conversation_ttft_to_epp"] = most(ratios([c for c in conversation if c not in overload], "epp", "ttft_mean"))
    figures["chat_ttft_to_epp"] = most(ratios([c for c in named("chat") if c not in overload], "epp", "ttft_mean"))
    for name, case in (("conversation_overload", cases.get("conversation x2.3")),
                       ("chat_overload", cases.get("chat 7.5/s"))):
        figures[f"{name}_ttft_to_epp"] = most(ratios([case] if case else [], "epp", "ttft_mean"))
        figures[f"{name}_p99_to_epp"] = most(ratios([case] if case else [], "epp", "ttft_p99"))
    figures["no_reuse_ttft_to_best"] = most([to_best_balancer(case) for case in named("no reuse")])
    figures["hot_prefix_ttft_to_best"] = most([to_best_balancer(case) for case in named("hot")])
    figures["zipf_e2e_to_cache_aware"] = most(ratios(named("zipf"), "cache-aware", "e2e_mean"))
    for name, beginning in (("mixed_generations", "mixed"), ("slow_endpoint", "one slow"), ("restart", "rolling")):
        figures[f"{name}_ttft_to_epp"] = most(ratios(named(beginning), "epp", "ttft_mean"))
    for poll in ("1 s", "5 s"):
        for policy in ("sluice", "epp"):
            figures[f"{policy}_ttft_at_poll_{poll.replace(' ', '')}"] = most(staleness(cases, poll, policy))
    return figures


def typical_ratio(case, policy):
    """Mean TTFT to the policy's, each the geometric mean over the seeds.

    At the brim of the fleet's memory one jam makes a seed's mean ten times that of another, and whom it hits is
    chance: the mean over seeds would compare who had more bad luck."""
    def typical(row):
        means = row["ttft_mean_by_seed"]
        return math.exp(sum(map(math.log, means)) / len(means))
    return typical(case["sluice"]) / typical(case[policy])


def to_best_balancer(case):
    return case["sluice"]["ttft_mean"] / min(case[name]["ttft_mean"] for name in ("round-robin", "least-request"))


def staleness(cases, poll, policy):
    """Mean TTFT with metrics that are up to so old, to that with metrics of the last 50 ms."""
    pairs = [(name.removesuffix(f", poll {poll}"), case) for name, case in cases.items() if name.endswith(f"poll {poll}")]
    return [case[policy]["ttft_mean"] / cases[fresh][policy]["ttft_mean"] for fresh, case in pairs]


def most(values):
    return max(values, default=None)


def least(values):
    return min(values, default=None)
