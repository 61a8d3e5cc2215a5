#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How good a model is on traces it has not seen: models/evaluate.py MODEL TRACE.csv...

Prints a Markdown table: per trace and target the model beside two naive forecasts, "the last row
again" and "the mean of the window". NRMSE is the root mean square error divided by the mean of the
target, as in the publication the traces belong to.
"""

import sys

import numpy
import torch

import network as net
import traces

# name: how it is computed, how it is printed; the MAE has the unit of its target
METRICS = {
    "NRMSE": (lambda wanted, got: numpy.sqrt(numpy.mean((got - wanted) ** 2)) /
              numpy.mean(wanted), ".3f"),
    "MAE": (lambda wanted, got: numpy.mean(numpy.abs(got - wanted)), "#.4g"),
    "R2": (lambda wanted, got: 1 - numpy.mean((got - wanted) ** 2) / numpy.var(wanted), ".3f"),
}


def predict(model, feature_scaling, target_scaling, windows):
    scaled = torch.from_numpy(feature_scaling.scaled(windows))
    with torch.no_grad():
        return target_scaling.unscaled(torch.cat([model(x) for x in scaled.split(1024)]).numpy())


def report(folder, parts):
    description, model, feature_scaling, target_scaling = net.read_folder(folder)
    view = traces.view_of(description)
    heads = [f"{metric} {who}" for metric in METRICS for who in ("model", "last", "mean")]
    print(f"\n| trace | windows | target | {' | '.join(heads)} |")
    print("|---" * (len(heads) + 3) + "|")
    for part in parts:
        windows, wanted = part.windows()
        history = windows[:, :, view.target_places]
        forecasts = (predict(model, feature_scaling, target_scaling, windows), history[:, -1],
                     history.mean(axis=1))
        for i, name in enumerate(view.targets):
            figures = [f"{metric(wanted[:, i], got[:, i]):{form}}"
                       for metric, form in METRICS.values() for got in forecasts]
            print(f"| {part.name} | {len(windows)} | {name} | {' | '.join(figures)} |")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__.splitlines()[0])
    wanted_view = traces.view_of(net.read_folder(sys.argv[1])[0])
    report(sys.argv[1], [traces.Trace.read(path, wanted_view) for path in sys.argv[2:]])
