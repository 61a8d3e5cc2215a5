# SPDX-License-Identifier: MIT
"""Reads Prometheus' text format, version 0.0.4, strictly: what a scraper would refuse, or
`promtool check metrics` complain of, is an AssertionError here."""

import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL})(?:,{LABEL})*)\}})? (\S+)")
VALUE = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|NaN|[+-]Inf")
SUFFIXES = ("_bucket", "_sum", "_count")


def _sample(line):
    match = SAMPLE.fullmatch(line)
    assert match, f"not a sample: {line!r}"
    labels = tuple(re.findall(LABEL, match.group(2) or ""))
    assert len(dict(labels)) == len(labels), f"a label twice: {line!r}"
    value = match.groups()[-1]
    assert VALUE.fullmatch(value), f"not a number: {line!r}"
    return match.group(1), labels, float(value)


def samples(page):
    """(name, ((label, value), ...)) -> number."""
    result = {}
    for line in page.splitlines():
        if not line.startswith("#"):
            name, labels, value = _sample(line)
            assert (name, labels) not in result, f"stands twice: {line!r}"
            result[name, labels] = value
    return result


def _check_histogram(name, of_family):
    series = {}
    for sample, labels, value in of_family:
        rest = tuple(pair for pair in labels if pair[0] != "le")
        series.setdefault(rest, {}).setdefault(sample[len(name):], []).append(
            (dict(labels).get("le"), value))
    for labels, parts in series.items():
        assert set(parts) == set(SUFFIXES), f"{name}{labels}: has {sorted(parts)}"
        bounds = [float(le) for le, _ in parts["_bucket"]]
        counts = [value for _, value in parts["_bucket"]]
        assert bounds == sorted(set(bounds)) and bounds[-1] == math.inf, f"{name}{labels}: {bounds}"
        assert counts == sorted(counts), f"{name}{labels}: not cumulative: {counts}"
        assert counts[-1] == parts["_count"][0][1], f"{name}{labels}: +Inf is not the count"


def check(page):
    assert page.endswith("\n")
    families, current, kind = {}, None, None
    for line in page.splitlines():
        if line.startswith("# HELP "):
            current = line.split(" ", 3)[2]
            assert current not in families, f"{current}: a second HELP"
            assert len(line.split(" ", 3)) == 4, f"{current}: HELP without text"
            families[current], kind = [], None
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == current and not families[name], f"{name}: TYPE out of place"
            assert kind in ("counter", "gauge", "histogram"), line
            assert (kind == "counter") == name.endswith("_total"), line
        else:
            name, labels, value = _sample(line)
            family = name
            if kind == "histogram":
                family = next((name[:-len(s)] for s in SUFFIXES if name.endswith(s)), name)
            assert kind and family == current, f"not in its family {current}: {line!r}"
            assert kind == "gauge" or value >= 0, line
            families[current].append((name, labels, value))
    for name, of_family in families.items():
        if of_family and of_family[0][0] != name:
            _check_histogram(name, of_family)
    samples(page)
