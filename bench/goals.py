"""Reads goals.yaml and judges figures by it."""
import pathlib
import re

FILE = pathlib.Path(__file__).resolve().parent / "goals.yaml"
BENCH = re.compile(r"([\w-]+):$")
GOAL = re.compile(r'  ([\w-]+): "(>=|<=) ([\d.]+)"$')


def read(text=None):
    """{bench: {figure: [comparison, number]}}. A line of any other shape is an error, not ignored."""
    goals = {}
    bench = None
    lines = (FILE.read_text() if text is None else text).splitlines()
    for number, line in enumerate(lines, 1):
        line = line.split("#")[0].rstrip()
        if not line:
            continue
        if match := BENCH.match(line):
            bench = goals.setdefault(match[1], {})
        elif (match := GOAL.match(line)) and bench is not None:
            bench[match[1]] = [match[2], float(match[3])]
        else:
            raise ValueError(f"{FILE}:{number}: expected 'bench:' or '  figure: \">= number\"'")
    return goals


def met(value, goal):
    """A figure that was not measured meets no goal."""
    if value is None:
        return False
    comparison, number = goal
    return value >= number if comparison == ">=" else value <= number
