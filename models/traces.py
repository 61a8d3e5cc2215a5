# SPDX-License-Identifier: MIT
"""LTE traces: from rows of the public data set to the model's features and windows.

A trace is a CSV of two-minute averages (README.md says where it comes from). Two of the eleven
features' families, BLER and SINR, are not in it; they follow from the mean and the variance of
the MCS by the rules below, which README.md explains.
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

WINDOW = 30
FEATURES = {
    "down": "kbit/s", "up": "kbit/s", "rnti_count": "1/s", "mcs_down": "", "mcs_up": "",
    "bler_down": "", "bler_up": "", "prb_down": "PRB", "prb_up": "PRB", "sinr_down": "dB",
    "sinr_up": "dB",
}
TARGETS = ["down", "up", "rnti_count", "prb_down", "prb_up"]
TARGET_PLACES = [list(FEATURES).index(name) for name in TARGETS]


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


def features_of(columns):
    """[rows][11], in the units of FEATURES."""
    c = {name: carry_forward(values) for name, values in columns.items()}
    return numpy.stack([
        c["down"] / INTERVAL_S / 1000, c["up"] / INTERVAL_S / 1000, c["rnti_count"] / INTERVAL_S,
        c["mcs_down"], c["mcs_up"], bler(c["mcs_down_var"]), bler(c["mcs_up_var"]),
        c["rb_down"] * CARRIER_PRB, c["rb_up"] * CARRIER_PRB,
        sinr(c["mcs_down"], c["mcs_down_var"]), sinr(c["mcs_up"], c["mcs_up_var"]),
    ], axis=1)


class Trace:
    """One site's rows: `features` and, for each window that may be used, its first row."""

    def __init__(self, name, features, starts):
        self.name, self.features, self.starts = name, features, starts

    @classmethod
    def read(cls, path):
        columns = read_columns(path)
        # Nobody heard in two minutes: the receiver was off. A step in time: it was off, too.
        is_heard = columns["rnti_count"] > 0
        follows = numpy.diff(columns["time"], prepend=columns["time"][0]) == INTERVAL_S
        starts = [i for i in range(len(is_heard) - WINDOW)
                  if is_heard[i:i + WINDOW + 1].all() and follows[i + 1:i + WINDOW + 1].all()]
        return cls(pathlib.Path(path).stem, features_of(columns), numpy.array(starts))

    def windows(self):
        """[windows][WINDOW][11], and the targets in the row after each: [windows][5]."""
        rows = self.starts[:, None] + numpy.arange(WINDOW)
        return self.features[rows], self.features[self.starts + WINDOW][:, TARGET_PLACES]

    def split(self, share):
        """The windows that end before `share` of the time, and those that begin after it."""
        border = int(len(self.features) * share)
        early = self.starts[self.starts + WINDOW < border]
        late = self.starts[self.starts >= border]
        return Trace(self.name, self.features, early), Trace(self.name, self.features, late)


def read_folder(folder):
    """The traces to train on and those to test on (`*_test.csv`), each by name."""
    paths = sorted(pathlib.Path(folder).glob("*.csv"))
    if not paths:
        raise SystemExit(f"{folder}: no .csv file in it; see models/README.md for the data set")
    tests = [p for p in paths if p.stem.endswith("_test")]
    return ([Trace.read(p) for p in paths if p not in tests], [Trace.read(p) for p in tests])
