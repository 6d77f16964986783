"""What a bench prints: a table for people and one line of JSON for programs."""
import json

import goals as goal_file
import machine


QUIET_CORES_MAX = 0.1


class Report:
    """Rows for the table and named figures for the goals."""

    def __init__(self, bench, title, columns):
        self.bench = bench
        self.title = title
        self.columns = columns
        self.rows = []
        self.figures = {}
        self.skipped = {}

    def row(self, name, *cells):
        self.rows.append([name, *(c if isinstance(c, str) else number(c) for c in cells)])

    def figure(self, name, value):
        if value is not None:
            self.figures[name.replace("-", "_")] = float(f"{value:.4g}")

    def skip(self, beginning, why):
        """Goals whose names begin so cannot be judged on this machine."""
        self.skipped[beginning] = why

    def goals_judged(self, goals):
        """Those that can be; says which cannot."""
        judged = {}
        for name, goal in goals.items():
            why = next((why for beginning, why in self.skipped.items() if name.startswith(beginning)), None)
            if why is None:
                judged[name] = goal
            else:
                print(f"goal {name} is skipped: {why}")
        return judged


def number(value):
    if value is None:
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.01 else f"{value:.2f}"


def print_table(report, foreign_cores):
    lines = [report.columns, *report.rows]
    widths = [max(len(line[i]) for line in lines if i < len(line)) for i in range(len(report.columns))]
    print(f"\n{report.bench}: {report.title}")
    print(f"{machine.describe()}; others kept {foreign_cores:.2f} cores busy meanwhile")
    if foreign_cores > QUIET_CORES_MAX:
        print("the machine was not quiet: these figures mean little")
    for line in lines:
        cells = [cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]
        print("  ".join([line[0].ljust(widths[0]), *cells]))


def print_verdicts(figures, goals):
    for name, goal in goals.items():
        value = figures.get(name)
        verdict = "missing" if value is None else "met" if goal_file.met(value, goal) else "NOT MET"
        print(f"goal {name} {goal[0]} {goal[1]:g}: {'-' if value is None else f'{value:g}'} {verdict}")


def print_json(bench, figures, goals, error=None):
    """The last line of every bench; returns whether it passed."""
    passed = error is None and all(goal_file.met(figures.get(name), goal) for name, goal in goals.items())
    result = {"bench": bench, "figures": figures, "goals": goals, "pass": passed}
    if error:
        result["error"] = error
    print(json.dumps(result), flush=True)
    return passed
