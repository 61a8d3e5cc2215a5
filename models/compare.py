#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds a running service against PyTorch: models/compare.py MODEL URL [TRACE.csv...].

Draws COUNT windows, half of them from the traces if there are any and the rest at random, asks
the service for each alone and for all in batches, and prints the largest difference of a scaled
output from PyTorch's. Fails if it is above 1e-5.
"""

import argparse
import http.client
import json
import pathlib
import urllib.parse

import numpy
import torch

import golden
import network as net
import traces

BATCH = 20
ERROR_MAX = 1e-5


def draw(description, paths, count, random):
    """[count][window][features], as 32-bit floats, which the service keeps."""
    parts = []
    if paths:
        view = traces.view_of(description)
        real = numpy.concatenate([traces.Trace.read(path, view).windows()[0] for path in paths])
        parts.append(real[random.choice(len(real), count // 2)])
    missing = count - sum(map(len, parts))
    parts.append(numpy.stack([golden.walk(random, description) for _ in range(missing)]))
    return numpy.concatenate(parts).astype(numpy.float32)


def data_of(rows, names):
    return {"ts": ["2024-01-15T10:00:00"] * len(rows),
            **{name: rows[:, i].tolist() for i, name in enumerate(names)}}


class Client:
    def __init__(self, url, names, targets):
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=60)
        self.names, self.targets = names, targets

    def post(self, body):
        self.connection.request("POST", "/predict", json.dumps(body))
        reply = self.connection.getresponse()
        text = reply.read()
        if reply.status != 200:
            raise SystemExit(f"{reply.status}: {text.decode()}")
        return json.loads(text)["predictions"]

    def alone(self, windows):
        rows = [self.post({"data": data_of(rows, self.names)})[0] for rows in windows]
        return numpy.array([[row[name] for name in self.targets] for row in rows])

    def together(self, windows):
        return numpy.concatenate([
            self.post({"windows": [data_of(rows, self.names) for rows in windows[i:i + BATCH]]})
            for i in range(0, len(windows), BATCH)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="folder of the model that the service has")
    parser.add_argument("url", help="such as http://127.0.0.1:8000")
    parser.add_argument("traces", nargs="*", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=10000)
    options = parser.parse_args()

    description, network, feature_scaling, target_scaling = net.read_folder(options.model)
    windows = draw(description, options.traces, options.count, numpy.random.default_rng(1))
    with torch.no_grad():
        scaled = torch.from_numpy(feature_scaling.scaled(windows.astype(float)))
        wanted = torch.cat([network(x) for x in scaled.split(1024)]).numpy()
    client = Client(options.url, [f["name"] for f in description["features"]],
                    [t["name"] for t in description["targets"]])
    worst = 0.0
    for name, ask in (("alone", client.alone), ("in batches", client.together)):
        got = (ask(windows) - target_scaling.offset) / target_scaling.scale
        error = float(numpy.abs(got - wanted).max())
        print(f"{len(windows)} windows {name}: largest difference {error:.2g}")
        worst = max(worst, error)
    if not worst <= ERROR_MAX:
        raise SystemExit(f"more than {ERROR_MAX:g}")


if __name__ == "__main__":
    main()
