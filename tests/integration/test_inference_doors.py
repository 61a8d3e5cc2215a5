# SPDX-License-Identifier: MIT
"""The other protocols of cicada-inference: MLflow's, KServe's, and the documents about itself."""

import json
import re

import pytest

import models
import openapi
from programs import ROOT
from service import Service

MODEL = ROOT / "models" / "lte-2x64"
DESCRIPTION = json.loads((MODEL / "model.json").read_text())
TARGETS = [t["name"] for t in DESCRIPTION["targets"]]


@pytest.fixture
def service(programs):
    return Service(programs, "--port", "0")


def rows_of(body):
    return [[row["features"][name] for name in models.FEATURES] for row in body["data"]]


def times_of(body):
    return [row["timestamp"] for row in body["data"]]


BODY = models.order_body()
ROWS, TIMES = rows_of(BODY), times_of(BODY)
SPLIT = {"columns": models.FEATURES, "data": ROWS}
RECORDS = [dict(zip(models.FEATURES, row)) for row in ROWS]
COLUMNS = {name: [row[i] for row in ROWS] for i, name in enumerate(models.FEATURES)}
TENSOR = {"name": "input", "shape": [1, 30, 11], "datatype": "FP32", "data": sum(ROWS, [])}


def wanted(service, body=BODY, steps=None):
    extra = {} if steps is None else {"inference_length": steps}
    status, reply = service.post("/predict", {**body, **extra})
    assert status == 200
    return reply["predictions"]


def close_to(want):
    return pytest.approx(want, rel=1e-5)


# MLflow.


TABLES = [
    {"dataframe_split": SPLIT},
    {"dataframe_split": {**SPLIT, "index": list(range(30))}},
    {"dataframe_split": {"columns": models.FEATURES[::-1], "data": [row[::-1] for row in ROWS]}},
    {"dataframe_split": {"columns": models.FEATURES, "data": [[1e9] * 11] * 7 + ROWS}},
    {"dataframe_records": RECORDS},
    {"instances": RECORDS},
    {"inputs": COLUMNS},
    {"inputs": RECORDS, "params": {}},
]


def test_a_table_in_mlflows_forms(service):
    want = close_to(wanted(service))
    for body in TABLES:
        status, reply = service.post("/invocations", body)
        assert status == 200, reply
        assert list(reply) == ["predictions"]
        assert [list(row) for row in reply["predictions"]] == [TARGETS]
        assert list(reply["predictions"][0].values()) == want


def test_a_table_with_times_and_steps(service):
    want = wanted(service, steps=3)
    records = [{"time": time, **record} for time, record in zip(TIMES, RECORDS)]
    split = {"columns": ["ts", *models.FEATURES], "data": [[t, *r] for t, r in zip(TIMES, ROWS)]}
    for name, body in (("time", {"dataframe_records": records}),
                       ("ts", {"dataframe_split": split}),
                       ("timestamp", {"inputs": {"timestamp": TIMES, **COLUMNS}})):
        status, reply = service.post("/invocations", {**body, "params": {"inference_length": 3}})
        assert status == 200, reply
        assert [row.pop(name) for row in reply["predictions"]] == [
            "2024-01-15T10:00:30", "2024-01-15T10:00:31", "2024-01-15T10:00:32"]
        assert [list(row.values()) for row in reply["predictions"]] == [close_to(w) for w in want]


def test_bare_numbers_in_mlflows_forms(service):
    other = models.order_body(seed=5)
    want = [close_to(wanted(service)), close_to(wanted(service, other))]
    for field in ("instances", "inputs"):
        assert service.post("/invocations", {field: ROWS}) == (200, {"predictions": want[:1]})
        assert service.post("/invocations", {field: [ROWS, rows_of(other)]}) == (
            200, {"predictions": want})


WRONG_FOR_MLFLOW = [
    (b"{", 400, "body: not JSON at line 1"),
    (b'{"inputs": NaN}', 400, "body: not JSON at line 1"),
    (b"[" * 100000, 400, "body: not JSON"),
    (b'{"inputs": 1, "inputs": 2}', 422, "body: at line 1, column 22: duplicate"),
    (b'{"instances": [[1e400]]}', 422, "body: at line 1, column 21: real number overflow"),
    ({"instances": ROWS, "parms": {}}, 422, 'body: unknown field "parms"'),
    ({"instances": ROWS, "params": {"inference_lenght": 2}}, 422,
     'params: unknown "inference_lenght"'),
    ({"instances": ROWS, "params": {"inference_length": 1.5}}, 422,
     "params.inference_length: must be a whole number"),
    ([1], 422, "body: must be an object"),
    ({}, 422, "body: must have dataframe_split, dataframe_records, instances or inputs"),
    ({"inputs": 1, "instances": 1}, 422, "body: both inputs and instances"),
    ({"instances": []}, 422, "instances: must be a list that is not empty"),
    ({"instances": 5}, 422, "instances: must be a list that is not empty"),
    ({"instances": ROWS[:29]}, 422, "instances: must be a list of 30 rows"),
    ({"instances": [ROWS, ROWS[:4] + [[1]] + ROWS[5:]]}, 422,
     "instances[1][4]: must be a list of 11 features"),
    ({"instances": [ROWS[:29] + [["x"] * 11]]}, 422, "instances[0][29][0]: must be a number"),
    ({"instances": [ROWS[:29] + [[1e300] * 11]]}, 422, "instances[0][29][0]: too large"),
    ({"inputs": {**COLUMNS, "up": [1, 2]}}, 422,
     "inputs.up: 2 values, but the column before has 30"),
    ({"inputs": {**COLUMNS, "snr": [1] * 30}}, 422, 'inputs: unknown feature "snr"'),
    ({"inputs": {**COLUMNS, "up": 3}}, 422, "inputs.up: must be a list"),
    ({"inputs": {"down": [1] * 30}}, 422, "inputs: row 0: up: missing"),
    ({"inputs": {"ts": TIMES, "time": TIMES, **COLUMNS}}, 422,
     "inputs: two columns of times, ts and time"),
    ({"inputs": {"ts": ["noon"] * 30, **COLUMNS}}, 422, "inputs: row 0: ts must be a time"),
    ({"dataframe_records": RECORDS[:29]}, 422, "dataframe_records: 29 rows, the model takes 30"),
    ({"dataframe_records": RECORDS[:29] + [{"down": 1}]}, 422,
     "dataframe_records: row 29: up: missing"),
    ({"dataframe_records": RECORDS[:29] + [{**RECORDS[29], "x": 1}]}, 422,
     "dataframe_records: row 29 has 12 values, not 11"),
    ({"dataframe_records": [1]}, 422, "dataframe_records[0]: must be an object"),
    ({"dataframe_split": {}}, 422, "dataframe_split.columns: must be a list"),
    ({"dataframe_split": {"columns": [1]}}, 422, "dataframe_split.columns[0]: must be a text"),
    ({"dataframe_split": {"columns": ["up", "up"]}}, 422, "dataframe_split.columns[1]: stands"),
    ({"dataframe_split": {"columns": models.FEATURES}}, 422, "dataframe_split.data: must be"),
    ({"dataframe_split": {**SPLIT, "data": ROWS[:29] + [ROWS[0][:4]]}}, 422,
     "dataframe_split: row 29: mcs_up: missing"),
    ({"dataframe_split": SPLIT, "params": 5}, 422, "params: must be an object"),
    ({"dataframe_split": SPLIT, "params": {"inference_length": 0}}, 422,
     "params.inference_length: must be a whole number from 1 to 10000"),
]


def test_wrong_bodies_for_mlflow(service):
    for body, status, text in WRONG_FOR_MLFLOW:
        data = body if isinstance(body, bytes) else json.dumps(body)
        got, _, reply = service.ask("POST", "/invocations", data)
        assert (got, list(json.loads(reply))) == (status, ["error"]), reply
        assert text in json.loads(reply)["error"]


def test_formats_that_are_not_read_are_named(service):
    for path, body, headers, text in (
            ("/invocations", b"down,up\n1,2\n", {"Content-Type": "text/csv; charset=utf-8"},
             "text/csv is not read here; send dataframe_split"),
            ("/v2/models/lte-2x64/infer", json.dumps({"inputs": []}).encode() + bytes(8),
             {"Inference-Header-Content-Length": "14"}, "binary tensors are not read here")):
        status, _, reply = service.ask("POST", path, body, headers)
        assert (status, text in json.loads(reply)["error"]) == (415, True), reply


def test_mlflows_pages(service):
    assert service.ask("GET", "/ping")[::2] == (200, b"\n")
    status, headers, reply = service.ask("GET", "/version")
    assert (status, headers["Content-Type"]) == (200, "text/plain")
    assert re.fullmatch(rb"\d+\.\d+\.\d+", reply)


# KServe.


def test_kserves_tensors(service):
    other = models.order_body(seed=5)
    path = "/v2/models/lte-2x64/infer"
    want = wanted(service)
    status, reply = service.post(path, {"id": "7\n\"x", "inputs": [TENSOR],
                                        "outputs": [{"name": "predictions"}]})
    assert status == 200, reply
    assert reply == {
        "model_name": "lte-2x64", "model_version": DESCRIPTION["run_id"], "id": "7\n\"x",
        "outputs": [{"name": "predictions", "shape": [1, 5], "datatype": "FP64",
                     "data": close_to(want)}]}
    nested = {**TENSOR, "shape": [2, 30, 11], "datatype": "FP64", "data": [ROWS, rows_of(other)]}
    flat = {**nested, "data": sum(ROWS + rows_of(other), [])}
    for tensor in (nested, flat):
        status, reply = service.post(path, {"inputs": [tensor]})
        assert (status, "id" in reply) == (200, False)
        assert reply["outputs"][0]["shape"] == [2, 5]
        assert reply["outputs"][0]["data"] == close_to(want + wanted(service, other))
    # Integers of every size are numbers.
    large = {**TENSOR, "name": "x", "datatype": "UINT64", "data": [2**63] * 330}
    assert service.post(path, {"inputs": [large]})[0] == 200
    status, reply = service.post(path, {"inputs": [{**TENSOR, "shape": [30, 11], "data": ROWS}],
                                        "parameters": {"inference_length": 2, "content_type": "np"}})
    assert reply["outputs"][0]["shape"] == [1, 2, 5]
    assert reply["outputs"][0]["data"] == close_to(sum(wanted(service, steps=2), []))


WRONG_FOR_KSERVE = [
    ({}, "inputs: must be a list of one tensor"),
    ({"inputs": [TENSOR, TENSOR]}, "inputs: must be a list of one tensor"),
    ({"inputs": [{**TENSOR, "datatype": "BYTES"}]}, "inputs[0].datatype: must be a numeric type"),
    ({"inputs": [{**TENSOR, "shape": [1, 11, 30]}]},
     "inputs[0].shape: must be [windows, 30, 11] or [30, 11]"),
    ({"inputs": [{**TENSOR, "shape": []}]}, "inputs[0].shape: must be [windows, 30, 11]"),
    ({"inputs": [{**TENSOR, "shape": [-1, 30, 11]}]}, "inputs[0].shape: must be of 1 to 10000"),
    ({"inputs": [{**TENSOR, "shape": [2, 30, 11]}]}, "inputs[0].data: 330 values, the shape has 660"),
    ({"inputs": [{**TENSOR, "shape": [2, 30, 11], "data": [ROWS]}]},
     "inputs[0].data: 1 windows, the shape has 2"),
    ({"inputs": [{**TENSOR, "data": 5}]}, "inputs[0].data: must be a list"),
    ({"inputs": [{**TENSOR, "data": [None] * 330}]}, "inputs[0].data[0]: must be a number"),
    ({"inputs": [TENSOR], "id": 5}, "id: must be a text"),
    ({"inputs": [TENSOR], "outputs": [{"name": "x"}]}, "outputs[0].name: there is only"),
    ({"inputs": [TENSOR], "parameters": {"inference_length": "3"}},
     "parameters.inference_length: must be a whole number"),
    ({"inputs": [{**TENSOR, "shape": [1.5, 30, 11]}]}, "inputs[0].shape: must be of 1 to 10000"),
    ({"inputs": [{**TENSOR, "shape": {"a": 1}}]}, "inputs[0].shape: must be [windows, 30, 11]"),
]


def test_wrong_bodies_for_kserve(service):
    for body, text in WRONG_FOR_KSERVE:
        status, reply = service.post("/v2/models/lte-2x64/infer", body)
        assert (status, list(reply)) == (422, ["error"]), reply
        assert text in reply["error"]


def test_kserves_pages(service):
    def page(path):
        status, headers, reply = service.ask("GET", path)
        assert headers["Content-Type"] == "application/json"
        return status, json.loads(reply)

    assert page("/v2/health/live") == (200, {"live": True})
    assert page("/v2/health/ready") == (200, {"ready": True})
    status, reply = page("/v2")
    assert (status, reply["name"], reply["extensions"]) == (200, "cicada-inference", [])
    assert page("/v2/models/lte-2x64") == (200, {
        "name": "lte-2x64", "versions": [DESCRIPTION["run_id"]], "platform": "cicada-lstm-1",
        "inputs": [{"name": "input", "datatype": "FP32", "shape": [-1, 30, 11]}],
        "outputs": [{"name": "predictions", "datatype": "FP64", "shape": [-1, 5]}]})
    assert page("/v2/models/lte-2x64/ready") == (200, {"name": "lte-2x64", "ready": True})
    assert page("/v2/models/x") == (404, {"error": "no such model: x"})
    for path in ("/v2/models/", "/v2/models/lte-2x64/x", "/v2/models//ready"):
        assert page(path)[0] == 404
    for method, path, allow in (("GET", "/v2/models/lte-2x64/infer", "POST"),
                                ("POST", "/v2/models/lte-2x64/ready", "GET, HEAD"),
                                ("POST", "/ping", "GET, HEAD")):
        status, headers, _ = service.ask(method, path, b"{}" if method == "POST" else None)
        assert (status, headers["Allow"]) == (405, allow)


def test_a_model_that_needs_times_says_so_at_every_door(programs, tmp_path):
    models.write_model(tmp_path / "clock", time_features=["hour"])
    service = Service(programs, "--port", "0", "--model", tmp_path / "clock")
    for path, body in (("/invocations", {"instances": ROWS}),
                       ("/invocations", {"dataframe_split": SPLIT}),
                       ("/v2/models/clock/infer", {"inputs": [TENSOR]})):
        status, reply = service.post(path, body)
        assert (status, "this model looks at the time of each row" in reply["error"]) == (422, True)
    records = [{"ts": time, **record} for time, record in zip(TIMES, RECORDS)]
    status, reply = service.post("/invocations", {"instances": records})
    assert list(reply["predictions"][0].values())[1:] == close_to(wanted(service))


def test_all_of_it_is_counted(service):
    service.post("/invocations", {"instances": [ROWS, ROWS]})
    service.post("/v2/models/lte-2x64/infer", {"inputs": [TENSOR]})
    service.post("/v2/models/lte-2x64/infer", {})
    service.ask("GET", "/v2/models/lte-2x64")
    samples = service.metrics()
    for method, path, code, count in (("POST", "/invocations", 200, 1),
                                      ("POST", "/v2/models/*", 200, 1),
                                      ("POST", "/v2/models/*", 422, 1),
                                      ("GET", "/v2/models/*", 200, 1)):
        labels = (("path", path), ("method", method), ("code", str(code)))
        assert samples["inference_requests_total", labels] == count
    assert samples["inference_predictions_total", ()] == 3


# Documents and the log.


def test_the_openapi_document_has_every_route_and_no_other(service):
    status, headers, page = service.ask("GET", "/openapi.json")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    document = json.loads(page)
    assert document["openapi"].startswith("3.")
    routes = re.findall(r'\{ "(GET|POST)", (?:KSERVE_MODELS )?"([^"]+)"',
                        (ROOT / "src/infer/service_routes.c").read_text())
    assert len(routes) > 10
    for method, path in routes:
        assert path == "*" or method.lower() in document["paths"][path], path
    manual = (ROOT / "docs" / "inference.md").read_text()
    assert all(path in manual for path in document["paths"])


def test_answers_are_as_the_openapi_document_says(service):
    document = json.loads(service.ask("GET", "/openapi.json")[2])
    infer = "/v2/models/{model}/infer"
    asked = [("POST", "/predict", body, 200) for body in (
        BODY, {**BODY, "inference_length": 2}, {"windows": [BODY["data"]], "inference_length": 2},
        {"data": {"ts": TIMES, **COLUMNS}})]
    asked += [("POST", "/invocations", body, 200) for body in (
        *TABLES, {"instances": ROWS}, {"inputs": [ROWS, ROWS], "params": {"inference_length": 2}},
        {"inputs": {"ts": TIMES, **COLUMNS}})]
    asked += [("POST", infer, {"id": "1", "inputs": [TENSOR]}, 200)]
    asked += [("GET", path, None, 200) for path, operations in document["paths"].items()
              if "get" in operations]
    asked += [("POST", path, body, status) for path in ("/predict", "/invocations", infer)
              for body, status in (({}, 422), (1, 422), ("x" * 2**20, 413))]
    for method, path, body, want in asked:
        data = None if body is None else json.dumps(body)
        status, headers, text = service.ask(method, path.replace("{model}", "lte-2x64"), data)
        assert status == want, (path, text)
        openapi.check(document, method, path, status, headers["Content-Type"], text, body)
    for method, path in (("POST", infer), ("GET", "/v2/models/{model}")):
        status, headers, text = service.ask(method, path.replace("{model}", "x"),
                                            b"{}" if method == "POST" else None)
        assert status == 404
        openapi.check(document, method, path, status, headers["Content-Type"], text)


def test_a_json_log_has_a_line_for_each_request(programs):
    service = Service(programs, "--port", "0", "--log-format", "json")
    body = json.dumps(BODY)
    service.ask("POST", "/predict", body)
    service.ask("GET", "/a%22b%0a%c3%a9%ff")
    service.ask("GET", "/healthz", is_admin=True)
    service.program.stop()
    lines = [json.loads(line) for line in service.program.text("stderr").splitlines()]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
               for line in lines)
    access = [line for line in lines if line["logger"] == "cicada.access"]
    assert [(a["method"], a["path"], a["status"], a["body_bytes"]) for a in access] == [
        ("POST", "/predict", 200, len(body)), ("GET", '/a"b\n\u00e9\ufffd', 404, 0)]
    for line in access:
        assert line["remote"] == "127.0.0.1" and line["reply_bytes"] > 10
        assert 0 < line["duration_us"] < 60e6
    assert any("lte-2x64: model LSTM" in line["message"] for line in lines if "message" in line)
    assert service.program.process.returncode == 0


def test_a_wrong_log_format_is_named(programs):
    program, code = programs.run("cicada-inference", "--log-format", "xml")
    assert code == 2
    assert "--log-format: 'xml' is neither text nor json" in program.text("stderr")
