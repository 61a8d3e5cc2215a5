#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes a model's folder of a PyTorch state_dict: models/export.py STATE.pt MODEL.json FOLDER.

STATE.pt is what torch.save(network.state_dict(), ...) wrote, of a network that has one
LSTM(batch_first=True) and one Linear on the last row's output, whatever these two are called.
MODEL.json is a model.json without what follows from the weights: window, features and targets with
their scaling, and what else docs/models.md has. Layers, hidden, weights and run_id are filled in.
"""

import argparse
import json
import pathlib
import re

import torch

import network as net

LSTM_PART = re.compile(r"(?:(.*)\.)?(weight_ih|weight_hh|bias_ih|bias_hh)_l(\d+)$")


def wrong(what):
    raise SystemExit(f"export.py: {what}")


def the_only(names, what):
    if len(names) != 1:
        wrong(f"the state has {len(names)} {what} ({', '.join(map(str, names))}), one is needed")
    return names.pop()


def read_state(path):
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # as many kinds as there are bytes that are no state
        wrong(f"{path}: not a saved state_dict(): {error}")
    tensors = state.values() if isinstance(state, dict) else [None]
    if not tensors or not all(isinstance(t, torch.Tensor) for t in tensors):
        wrong(f"{path}: must be a state_dict(), tensors by name; of a checkpoint save that part alone")
    for name, tensor in state.items():
        if not torch.isfinite(tensor).all():
            wrong(f"{path}: {name}: has values that are not finite")
    return {name: tensor.float() for name, tensor in state.items()}


def is_column(column):
    return (isinstance(column, dict) and isinstance(column.get("name"), str) and
            all(isinstance(column.get(part), (int, float)) for part in ("offset", "scale")))


def read_description(path):
    try:
        description = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        wrong(f"{path}: {error}")
    for field in ("window", "features", "targets"):
        if not isinstance(description, dict) or field not in description:
            wrong(f"{path}: {field}: missing")
    for field in ("features", "targets"):
        columns = description[field]
        if not isinstance(columns, list) or not all(map(is_column, columns)):
            wrong(f"{path}: {field}: must be a list of objects with name, offset and scale")
    return description


def rename(state):
    """The tensors under the names that docs/models.md asks for."""
    for name in state:
        if name.endswith("_reverse") or "weight_hr_l" in name:
            wrong(f"{name}: bidirectional LSTMs and projections are not supported")
    parts = {name: LSTM_PART.match(name) for name in state}
    lstm = the_only({m[1] for m in parts.values() if m}, "LSTMs")
    rest = [name for name, m in parts.items() if not m]
    head = the_only({name.rpartition(".")[0] for name in rest}, "layers beside the LSTM")
    result = {f"lstm.{m[2]}_l{m[3]}": state[name] for name, m in parts.items() if m}
    for part in ("weight", "bias"):
        name = f"{head}.{part}" if head else part
        if name not in state:
            wrong(f"{name}: missing; the layer beside the LSTM must be a Linear with a bias")
        result[f"fc.{part}"] = state[name]
    if len(result) != len(state):
        wrong(f"{head}: must be a Linear with weight and bias only")
    return result


def build(tensors, description):
    """The network of these tensors, checked against the description."""
    layers = sum(name.startswith("lstm.weight_hh_l") for name in tensors)
    hidden = tensors["lstm.weight_hh_l0"].shape[1]
    network = net.Forecaster(net.input_count(description), len(description["targets"]), hidden,
                             layers)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        wrong(f"state and description do not fit: {error}")
    return network


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("state", type=pathlib.Path)
    parser.add_argument("description", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    options = parser.parse_args()

    description = read_description(options.description)
    network = build(rename(read_state(options.state)), description)
    net.write_weights(options.folder, network, description)


if __name__ == "__main__":
    main()
