"""What the scripts of this folder share that take an SDK through every dialect of upstreams.

The upstream's answers are those of tests/clients/upstream/fixtures.json. A script is started as SCRIPT BASE_URL KEY MODEL...; each
of its cases runs with each model and prints `SDK VERSION CASE MODEL: ok`, or what failed. MODEL-limited-1 and MODEL-limited-2 are
further accounts at the same upstream, for the question that it answers with 429.
"""
import inspect
import sys
import traceback

PLAIN = "Rivers: \"Rhône\", 長江 \\ Đà.\n\tA 🏞️ at the end."
THOUGHT = "Rivers flow to the sea; the longest is wanted."
ONE_CITY = [("get_weather", {"city": "Bern \"B\"", "days": 3})]
THREE_CITIES = [("get_weather", {"city": city, "days": days}) for city, days in (("Bern", 1), ("Oslo", 2), ("Riga", 3))]
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
           "required": ["city", "days"], "additionalProperties": False}
SKIES = ["sunny", "rain", "snow"]
EVENT = {"name": "Launch", "attendees": ["Ada", "Alan"]}
VECTOR = [0.5, -0.25, 0.125, 1.0]


def arguments():
    """BASE_URL, KEY."""
    return sys.argv[1:3]


def same(got, wanted):
    assert got == wanted, f"got {got!r}, wanted {wanted!r}"


def fails(kind, call):
    """The exception of that class which the call must end in."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def breaks(stream):
    """Something comes of the stream that the function starts, and then it must not end as if all were well."""
    seen = 0
    try:
        for _ in stream():
            seen += 1
    except Exception:
        assert seen, "the stream did not even begin"
        return
    raise AssertionError("a broken stream looked whole")


def run(sdk, *cases):
    """Each case with each model of the command line."""
    for model in sys.argv[3:]:
        for case in cases:
            try:
                case(model)
                said = "ok"
            except Exception as error:  # the next cases run all the same
                where = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == inspect.getfile(case)]
                said = f"FAILED in line {where[-1].lineno}: {type(error).__name__}: {error}".replace("\n", "\\n")[:600]
            print(f"{sdk} {case.__name__} {model}: {said}", flush=True)
