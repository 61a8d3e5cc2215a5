# SPDX-License-Identifier: MIT
"""The network and its folder: model.json and weights.safetensors, as docs/models.md has them."""

import hashlib
import json
import pathlib
import struct

import numpy
import torch

WEIGHTS = "weights.safetensors"


class Forecaster(torch.nn.Module):
    """LSTM layers over a window of scaled features; a dense head on the last row's state."""

    def __init__(self, features, targets, hidden, layers):
        super().__init__()
        self.lstm = torch.nn.LSTM(features, hidden, layers, batch_first=True)
        self.fc = torch.nn.Linear(hidden, targets)

    def forward(self, windows):
        return self.fc(self.lstm(windows)[0][:, -1])


class Scaling:
    """scaled = (value - offset) / scale, computed in double precision like the service does."""

    def __init__(self, offset, scale):
        self.offset, self.scale = numpy.asarray(offset, float), numpy.asarray(scale, float)

    def scaled(self, values):
        return ((values - self.offset) / self.scale).astype(numpy.float32)

    def unscaled(self, values):
        return values.astype(float) * self.scale + self.offset


def json_text(value, indent=""):
    """JSON for people: a list or an object of plain values stands on one line."""
    parts = value.values() if isinstance(value, dict) else value
    if not any(isinstance(part, (dict, list)) for part in parts):
        return json.dumps(value)
    deeper = indent + "  "
    lines = [deeper + (f"{json.dumps(key)}: " if isinstance(value, dict) else "") +
             (json_text(part, deeper) if isinstance(part, (dict, list)) else json.dumps(part))
             for key, part in (value.items() if isinstance(value, dict) else enumerate(value))]
    begin, end = "{}" if isinstance(value, dict) else "[]"
    return begin + "\n" + ",\n".join(lines) + "\n" + indent + end


def safetensors_bytes(network):
    header, values = {}, b""
    for name, tensor in network.state_dict().items():
        data = tensor.detach().contiguous().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape),
                        "data_offsets": [len(values), len(values) + len(data)]}
        values += data
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)  # the values begin on a multiple of 8
    return struct.pack("<Q", len(head)) + head + values


def read_safetensors(data):
    (length,) = struct.unpack_from("<Q", data)
    header, values = json.loads(data[8:8 + length]), data[8 + length:]
    result = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        array = numpy.frombuffer(values[begin:end], "<f4").reshape(entry["shape"])
        result[name] = torch.from_numpy(array.copy())
    return result


def write_folder(folder, network, features, targets, feature_scaling, target_scaling, window,
                 interval_s):
    """features, targets: name -> unit. The run's id is a digest of the weights."""
    def columns(units, scaling):
        return [{"name": name, "unit": unit, "offset": offset, "scale": scale}
                for (name, unit), offset, scale in zip(units.items(), scaling.offset.tolist(),
                                                       scaling.scale.tolist())]

    write_weights(folder, network, {
        "window": window, "interval_s": interval_s, "features": columns(features, feature_scaling),
        "targets": columns(targets, target_scaling),
    })


def write_weights(folder, network, description):
    """The same for a description that lacks only what follows from the weights."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    weights = safetensors_bytes(network)
    known = {
        "format": "cicada-lstm-1", "model": description.get("model", "LSTM"),
        "run_id": hashlib.sha256(weights).hexdigest()[:32], "weights": WEIGHTS,
        "layers": network.lstm.num_layers, "hidden": network.lstm.hidden_size,
    }
    description = {**known, **{k: v for k, v in description.items() if k not in known}}
    (folder / WEIGHTS).write_bytes(weights)
    (folder / "model.json").write_text(json_text(description) + "\n")


def input_count(description):
    """Of a row: its features, and sine and cosine of each part of its time."""
    return len(description["features"]) + 2 * len(description.get("time_features", []))


def read_folder(folder):
    """The description, the network, and the scaling of features and targets."""
    folder = pathlib.Path(folder)
    description = json.loads((folder / "model.json").read_text())
    network = Forecaster(input_count(description), len(description["targets"]),
                         description["hidden"], description["layers"])
    network.load_state_dict(read_safetensors((folder / description["weights"]).read_bytes()))
    scalings = [Scaling([c["offset"] for c in description[part]],
                        [c["scale"] for c in description[part]])
                for part in ("features", "targets")]
    return description, network.eval(), *scalings
