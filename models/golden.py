#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Golden vectors: what PyTorch says for a model, into tests/vectors/: models/golden.py [MODEL].

Eight windows of raw features, among them an example, windows as the traces have them and
extremes; of each the scaled outputs and the predictions. The tests hold the service against
them. To be run again whenever the model has changed.
"""

import pathlib
import sys

import numpy
import torch

import network as net

HERE = pathlib.Path(__file__).resolve().parent
# A usual row of each model; the first is the order's.
EXAMPLES = {
    "lte-2x64": [1234.56, 789.01, 15, 18, 12, 0.02, 0.01, 45, 30, 22.5, 20.1],
    "lte-1x128": [1.5e8, 1.2e6, 6000, 15.2, 88, 15.9, 55, 0.025, 4.5e-8, 4e-4, 2.5e-8],
}
SEED = 7


def walk(random, description):
    """A slow walk around the middle of each feature, with outbursts, as traffic has them."""
    window = description["window"]
    offset = numpy.array([f["offset"] for f in description["features"]])
    scale = numpy.array([f["scale"] for f in description["features"]])
    steps = random.normal(0, 0.12, (window, len(offset))).cumsum(axis=0)
    outbursts = random.random(steps.shape) < 0.05
    return numpy.maximum(offset + scale * numpy.where(outbursts, 3 * numpy.abs(steps), steps), 0)


def windows(description, example):
    random = numpy.random.default_rng(SEED)
    window = description["window"]
    rising = numpy.array(example) * numpy.linspace(0, 2, window)[:, None]
    middle = numpy.tile([f["offset"] for f in description["features"]], (window, 1))
    middle[0] = example
    return {
        "the example in each row": numpy.tile(example, (window, 1)),
        "as the traces, 1": walk(random, description),
        "as the traces, 2": walk(random, description),
        "as the traces, 3": walk(random, description),
        "from nothing to twice the example": rising,
        "all zero": numpy.zeros((window, len(example))),
        "the example in the oldest row only": middle,
        "far outside, both signs": random.uniform(-1e6, 1e6, (window, len(example))),
    }


def vector(name, rows, network, feature_scaling, target_scaling):
    # The service keeps what it reads as 32-bit floats: so do we, before scaling.
    rows = numpy.array([[float(f"{v:.6g}") for v in row] for row in rows])
    scaled_rows = feature_scaling.scaled(rows.astype(numpy.float32).astype(float))
    with torch.no_grad():
        scaled = network(torch.from_numpy(scaled_rows)[None])[0].numpy()
    return {"name": name, "rows": rows.tolist(), "scaled": scaled.astype(float).tolist(),
            "predictions": target_scaling.unscaled(scaled).tolist()}


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "lte-2x64"
    description, network, feature_scaling, target_scaling = net.read_folder(folder)
    page = {
        "run_id": description["run_id"], "torch": torch.__version__,
        "features": [f["name"] for f in description["features"]],
        "targets": [t["name"] for t in description["targets"]],
        "vectors": [vector(name, rows, network, feature_scaling, target_scaling)
                    for name, rows in windows(description, EXAMPLES[folder.name]).items()],
    }
    path = HERE.parent / "tests" / "vectors" / f"{folder.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(net.json_text(page) + "\n")


if __name__ == "__main__":
    main()
