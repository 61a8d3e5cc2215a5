# SPDX-License-Identifier: MIT
"""LTE traces: from rows of the public data set to a model's features and windows.

A trace is a CSV of two-minute averages (README.md says where it comes from). A view is what one
model takes from it. The columns as they are make one view. The other has features that are not
in the trace, BLER and SINR; they follow from the mean and the variance of the MCS by the rules
below, which README.md explains.
"""

import csv
import datetime
import math
import pathlib

import numpy

INTERVAL_S = 120
CARRIER_PRB = 100  # 20 MHz
MCS_MAX = 31
BLER_TARGET = 0.1  # what link adaptation aims at
# SINR in dB at which each CQI from 1 to 15 is reached with that BLER.
CQI_SINR = [-6.936, -5.147, -3.180, -1.253, 0.761, 2.699, 4.694, 6.525, 8.573, 10.366, 12.289,
            14.173, 15.888, 17.814, 19.829]


def read_columns(path):
    """The columns of a CSV by name; an empty cell is a NaN. `time` is in seconds."""
    with open(path, newline="") as f:
        rows = list(csv.DictReader(f))
    columns = {name: numpy.array([float(row[name]) if row[name] else math.nan for row in rows])
               for name in rows[0] if name != "time"}
    columns["time"] = numpy.array([datetime.datetime.fromisoformat(row["time"]).timestamp()
                                   for row in rows])
    return columns


def carry_forward(values):
    """Each NaN becomes the value before it; those at the beginning the first value there is."""
    known = ~numpy.isnan(values)
    at = numpy.where(known, numpy.arange(len(values)), 0)
    return values[numpy.maximum(numpy.maximum.accumulate(at), numpy.argmax(known))]


def sinr(mcs, variance):
    """The SINR that the better half of the users needs: CQI c is MCS 2 (c - 1)."""
    cqi = 1 + numpy.minimum(mcs + numpy.sqrt(variance), MCS_MAX) / 2
    beyond = numpy.maximum(cqi - 15, 0) * (CQI_SINR[-1] - CQI_SINR[-2])
    return numpy.interp(cqi, numpy.arange(1, 16), CQI_SINR) + beyond


def bler(variance):
    """The target, as far as the MCS spreads: all of it at the largest variance there can be."""
    return BLER_TARGET * numpy.minimum(variance / (MCS_MAX / 2) ** 2, 1)


def derived_features(c):
    """The order's eleven features, in the units that DERIVED says."""
    return numpy.stack([
        c["down"] / INTERVAL_S / 1000, c["up"] / INTERVAL_S / 1000, c["rnti_count"] / INTERVAL_S,
        c["mcs_down"], c["mcs_up"], bler(c["mcs_down_var"]), bler(c["mcs_up_var"]),
        c["rb_down"] * CARRIER_PRB, c["rb_up"] * CARRIER_PRB,
        sinr(c["mcs_down"], c["mcs_down_var"]), sinr(c["mcs_up"], c["mcs_up_var"]),
    ], axis=1)


class View:
    """Features and their units, targets among them, rows of a window, and how to get them."""

    def __init__(self, window, units, targets, features_of):
        self.window, self.units, self.targets = window, units, targets
        self.target_places = [list(units).index(name) for name in targets]
        self.features_of = features_of

    def target_units(self):
        return {name: self.units[name] for name in self.targets}


DERIVED = View(30, {
    "down": "kbit/s", "up": "kbit/s", "rnti_count": "1/s", "mcs_down": "", "mcs_up": "",
    "bler_down": "", "bler_up": "", "prb_down": "PRB", "prb_up": "PRB", "sinr_down": "dB",
    "sinr_up": "dB",
}, ["down", "up", "rnti_count", "prb_down", "prb_up"], derived_features)

COLUMNS = View(10, {
    "down": "bit", "up": "bit", "rnti_count": "", "mcs_down": "", "mcs_down_var": "", "mcs_up": "",
    "mcs_up_var": "", "rb_down": "", "rb_down_var": "", "rb_up": "", "rb_up_var": "",
}, ["down", "up", "rnti_count", "rb_down", "rb_up"],
    lambda c: numpy.stack([c[name] for name in COLUMNS.units], axis=1))


def view_of(description):
    """The view that the model of this description was trained on."""
    names = [column["name"] for column in description["features"]]
    for view in (DERIVED, COLUMNS):
        if list(view.units) == names:
            return view
    raise SystemExit(f"no trace has the features {', '.join(names)}")


class Trace:
    """One site's rows: `features` and, for each window that may be used, its first row."""

    def __init__(self, name, view, features, starts):
        self.name, self.view, self.features, self.starts = name, view, features, starts

    @classmethod
    def read(cls, path, view):
        columns = read_columns(path)
        # Nobody heard in two minutes: the receiver was off. A step in time: it was off, too.
        is_heard = columns["rnti_count"] > 0
        follows = numpy.diff(columns["time"], prepend=columns["time"][0]) == INTERVAL_S
        window = view.window
        starts = [i for i in range(len(is_heard) - window)
                  if is_heard[i:i + window + 1].all() and follows[i + 1:i + window + 1].all()]
        known = {name: carry_forward(values) for name, values in columns.items()}
        return cls(pathlib.Path(path).stem, view, view.features_of(known), numpy.array(starts))

    def windows(self):
        """[windows][rows][features], and the targets in the row after each."""
        rows = self.starts[:, None] + numpy.arange(self.view.window)
        after = self.features[self.starts + self.view.window]
        return self.features[rows], after[:, self.view.target_places]

    def split(self, share):
        """The windows that end before `share` of the time, and those that begin after it."""
        border = int(len(self.features) * share)
        early = self.starts[self.starts + self.view.window < border]
        late = self.starts[self.starts >= border]
        return [Trace(self.name, self.view, self.features, part) for part in (early, late)]


def read_folder(folder, view):
    """The traces to train on and those to test on (`*_test.csv`), each by name."""
    paths = sorted(pathlib.Path(folder).glob("*.csv"))
    if not paths:
        raise SystemExit(f"{folder}: no .csv file in it; see models/README.md for the data set")
    tests = [p for p in paths if p.stem.endswith("_test")]
    return ([Trace.read(p, view) for p in paths if p not in tests],
            [Trace.read(p, view) for p in tests])
