# SPDX-License-Identifier: MIT
"""The service as it is usually built, for bench/inference.py: FastAPI, uvicorn and PyTorch.

    uvicorn --app-dir bench inference_peer:app

It takes the body of POST /predict, checks it with pydantic and answers with the forecast of the
model that comes with the program."""

import pathlib
import sys

import fastapi
import numpy
import pydantic
import torch

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "models"))
import network as net  # noqa: E402


class Row(pydantic.BaseModel):
    timestamp: str
    features: dict[str, float]


class Request(pydantic.BaseModel):
    data: list[Row]


description, network, inputs, outputs = net.read_folder(ROOT / "models" / "lte-2x64")
names = [column["name"] for column in description["features"]]
torch.set_num_threads(1)
app = fastapi.FastAPI()


@app.get("/healthz")
async def healthz():
    return {"status": "ok"}


@app.post("/predict")
async def predict(request: Request):
    rows = numpy.array([[row.features[name] for name in names] for row in request.data])
    with torch.no_grad():
        scaled = network(torch.from_numpy(inputs.scaled(rows))[None])[0].numpy()
    return {"predictions": outputs.unscaled(scaled).tolist(), "model": description["model"],
            "run_id": description["run_id"]}
