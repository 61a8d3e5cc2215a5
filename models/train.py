#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Trains a model from a folder of LTE traces: models/train.py MODEL TRACES [--out FOLDER].

Needs PyTorch and NumPy (Debian: python3-torch). One seed, one thread and deterministic kernels:
the same traces, PyTorch and kind of CPU give the same bytes. Ends by writing the folder and
printing the figures of evaluate.py.
"""

import argparse
import copy
import math
import os
import pathlib
import time

# One thread, whichever BLAS there is; it reads this when it is loaded.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy  # noqa: E402
import torch  # noqa: E402

import evaluate  # noqa: E402
import network as net  # noqa: E402
import traces  # noqa: E402

SEED = 20240115
EPOCHS, BATCH = 14, 128
LEARNING_RATE = 4e-3
WEIGHT_DECAY = 1e-4
TRAIN_SHARE = 0.85  # of each site's time; the rest is to choose the epoch
# The loss of a forecast is Huber's of (error * weight), with
# weight = (mean of the target over the window / scale + LEVEL_FLOOR) ** -LEVEL_POWER.
LEVEL_FLOOR, LEVEL_POWER, HUBER_BETA = 0.1, 0.75, 0.5
# name: what it takes from the traces, units of a layer, layers
MODELS = {"lte-2x64": (traces.DERIVED, 64, 2), "lte-1x128": (traces.COLUMNS, 128, 1)}


def robust_scaling(values):
    """Median and the distance between the quartiles, which outliers do not move."""
    low, middle, high = numpy.quantile(values, [0.25, 0.5, 0.75], axis=0)
    return net.Scaling([float(f"{v:.6g}") for v in middle],
                       [float(f"{v:.6g}") for v in high - low])


class Part:
    """All windows of several traces as tensors: scaled inputs, wanted outputs, weights."""

    def __init__(self, parts, feature_scaling, target_scaling):
        windows, wanted = (numpy.concatenate(a) for a in zip(*(p.windows() for p in parts)))
        places = parts[0].view.target_places
        level = windows[:, :, places].mean(axis=1) / target_scaling.scale
        weight = (level + LEVEL_FLOOR) ** -LEVEL_POWER
        self.tensors = [torch.from_numpy(array) for array in (
            feature_scaling.scaled(windows), target_scaling.scaled(wanted),
            weight.astype(numpy.float32))]
        self.count = len(windows)

    def rows(self, which):
        return [tensor[which] for tensor in self.tensors]


def loss_of(model, x, wanted, weight):
    return torch.nn.functional.smooth_l1_loss(model(x) * weight, wanted * weight, beta=HUBER_BETA)


def mean_loss(model, part):
    with torch.no_grad():
        batches = torch.arange(part.count).split(1024)
        return sum(float(loss_of(model, *part.rows(b))) * len(b) for b in batches) / part.count


def train(model, learn, check):
    """Leaves in the model the weights of the epoch that was best on `check`."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    plan = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, EPOCHS * math.ceil(learn.count / BATCH), pct_start=0.15)
    best, best_weights, best_epoch = math.inf, None, 0
    for epoch in range(1, EPOCHS + 1):
        begun, total = time.monotonic(), 0.0
        for which in torch.randperm(learn.count).split(BATCH):
            optimizer.zero_grad()
            loss = loss_of(model, *learn.rows(which))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            plan.step()
            total += float(loss) * len(which)
        validation = mean_loss(model, check)
        print(f"epoch {epoch}: loss {total / learn.count:.5f}, validation {validation:.5f}, "
              f"{time.monotonic() - begun:.0f} s", flush=True)
        if validation < best:
            best, best_epoch = validation, epoch
            best_weights = copy.deepcopy(model.state_dict())
    model.load_state_dict(best_weights)
    print(f"kept epoch {best_epoch}: validation {best:.5f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("traces", help="folder of the CSV files")
    parser.add_argument("--out", help="folder to write (default: the model's, beside this script)")
    options = parser.parse_args()
    view, hidden, layers = MODELS[options.model]
    out = options.out or pathlib.Path(__file__).parent / options.model

    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    sites, tests = traces.read_folder(options.traces, view)
    early, late = zip(*(site.split(TRAIN_SHARE) for site in sites))
    rows = numpy.concatenate([part.features[part.starts] for part in early])
    scaling = robust_scaling(rows)
    target_scaling = net.Scaling(scaling.offset[view.target_places],
                                 scaling.scale[view.target_places])
    model = net.Forecaster(len(view.units), len(view.targets), hidden, layers)
    train(model, Part(early, scaling, target_scaling), Part(late, scaling, target_scaling))
    net.write_folder(out, model, view.units, view.target_units(), scaling, target_scaling,
                     view.window, traces.INTERVAL_S)
    evaluate.report(out, list(late) + tests)


if __name__ == "__main__":
    main()
