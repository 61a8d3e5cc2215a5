# SPDX-License-Identifier: MIT
"""Small models with random weights, written in the service's format, and bodies for them."""

import json
import random
import struct

FEATURES = ["down", "up", "rnti_count", "mcs_down", "mcs_up", "bler_down", "bler_up", "prb_down",
            "prb_up", "sinr_down", "sinr_up"]


def shapes(hidden, layers, targets, inputs=len(FEATURES)):
    result = {}
    for layer in range(layers):
        result[f"lstm.weight_ih_l{layer}"] = [4 * hidden, hidden if layer else inputs]
        result[f"lstm.weight_hh_l{layer}"] = [4 * hidden, hidden]
        result[f"lstm.bias_ih_l{layer}"] = [4 * hidden]
        result[f"lstm.bias_hh_l{layer}"] = [4 * hidden]
    result["fc.weight"] = [targets, hidden]
    result["fc.bias"] = [targets]
    return result


def write_safetensors(path, tensors, rng):
    header, values = {}, bytearray()
    for name, shape in tensors.items():
        count = 1
        for length in shape:
            count *= length
        begin = len(values)
        values += struct.pack(f"<{count}f", *(rng.uniform(-0.3, 0.3) for _ in range(count)))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, len(values)]}
    head = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head + values)


def write_model(folder, hidden=16, layers=2, targets=5, window=30, seed=1, target_names=None,
                **changes):
    """Fills folder and returns it; changes replace fields of model.json (None drops one)."""
    column = {"offset": 0.0, "scale": 100.0}
    target_names = target_names or [f"t{i}" for i in range(targets)]
    description = {
        "format": "cicada-lstm-1", "model": "LSTM", "run_id": "test", "weights": "w.safetensors",
        "window": window, "layers": layers, "hidden": hidden,
        "features": [{"name": name, **column} for name in FEATURES],
        "targets": [{"name": name, **column} for name in target_names],
    }
    description.update(changes)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").write_text(
        json.dumps({k: v for k, v in description.items() if v is not None}))
    inputs = len(FEATURES) + 2 * len(changes.get("time_features", []))
    write_safetensors(folder / "w.safetensors", shapes(hidden, layers, len(target_names), inputs),
                      random.Random(seed))
    return folder


def order_body(rows=30, seed=0):
    """A body as the order draws it, `rows` rows of the 11 features."""
    rng = random.Random(seed)
    return {"data": [{
        "timestamp": f"2024-01-15T10:00:{i % 60:02d}",
        "features": {
            "down": round(rng.uniform(0, 2000), 2), "up": round(rng.uniform(0, 1000), 2),
            "rnti_count": rng.randint(1, 40), "mcs_down": rng.randint(0, 28),
            "mcs_up": rng.randint(0, 28), "bler_down": round(rng.uniform(0, 0.1), 3),
            "bler_up": round(rng.uniform(0, 0.1), 3), "prb_down": rng.randint(0, 100),
            "prb_up": rng.randint(0, 100), "sinr_down": round(rng.uniform(-5, 30), 1),
            "sinr_up": round(rng.uniform(-5, 30), 1),
        }} for i in range(rows)]}
