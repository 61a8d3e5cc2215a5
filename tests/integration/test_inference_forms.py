# SPDX-License-Identifier: MIT
"""The forms of a request: rows, columns, several windows, several steps; one model or several."""

import concurrent.futures
import json
import shutil
import signal
import threading
import time

import pytest

import models
from programs import ROOT, wait_until
from service import Service, ask_at_once, exchange

MODEL = ROOT / "models" / "lte-2x64"
TARGETS = [t["name"] for t in json.loads((MODEL / "model.json").read_text())["targets"]]


@pytest.fixture
def service(programs):
    return Service(programs, "--port", "0")


def columns_of(body, index="ts"):
    """The same window in columns."""
    columns = {index: [row["timestamp"] for row in body["data"]]}
    for name in models.FEATURES:
        columns[name] = [row["features"][name] for row in body["data"]]
    return columns


def predictions(service, body, path="/predict"):
    status, reply = service.post(path, body)
    assert status == 200, reply
    return reply["predictions"]


def forecast_by_hand(service, body, steps):
    """Each prediction becomes the next row, one request per step."""
    rows, result = list(body["data"]), []
    for _ in range(steps):
        result.append(predictions(service, {"data": rows}))
        features = dict(rows[-1]["features"], **dict(zip(TARGETS, result[-1])))
        rows = rows[1:] + [{"timestamp": rows[-1]["timestamp"], "features": features}]
    return result


def close_to(want):
    return [pytest.approx(values, rel=1e-5) for values in want]


def test_columns_are_answered_as_their_services_answer(service):
    body = models.order_body()
    status, reply = service.post("/predict", {"index_col": "ts", "inference_length": 2,
                                              "data": columns_of(body)})
    assert status == 200
    assert list(reply) == ["status", "identifier", "run_id", "predictions", "req_id", "cached"]
    assert (reply["status"], reply["identifier"], reply["cached"]) == ("SUCCESS", "default", False)
    assert len(reply["req_id"]) == 8 and int(reply["req_id"], 16) >= 0
    assert [list(row) for row in reply["predictions"]] == 2 * [["ts", *TARGETS]]
    assert [row["ts"] for row in reply["predictions"]] == ["2024-01-15T10:00:30",
                                                           "2024-01-15T10:00:31"]
    got = [[row[name] for name in TARGETS] for row in reply["predictions"]]
    assert got == close_to(forecast_by_hand(service, body, 2))
    # Longer columns: the newest rows count.
    longer = columns_of({"data": models.order_body(rows=20, seed=9)["data"] + body["data"]}, "time")
    row = predictions(service, {"data": longer})[0]
    assert [row[name] for name in TARGETS] == pytest.approx(got[0], rel=1e-5)


def test_several_steps_are_the_same_steps_one_by_one(service):
    body = models.order_body(seed=3)
    want = close_to(forecast_by_hand(service, body, 6))
    assert predictions(service, {**body, "inference_length": 6}) == want
    assert predictions(service, body, "/predict?inference_length=6") == want
    assert predictions(service, body, "/predict?inference_length=1") == want[:1]
    before = service.metrics()["inference_predictions_total", ()]
    assert len(predictions(service, {**body, "inference_length": 300})) == 300
    assert service.metrics()["inference_predictions_total", ()] == before + 300
    for text in ("0", "10001", "-1", "two", "1.0", ""):
        status, reply = service.post(f"/predict?inference_length={text}", body)
        assert status == 422, text
        assert reply["error"].startswith("inference_length: must be a whole number from 1 to 10000")


def test_several_windows_are_the_same_windows_one_by_one(service):
    bodies = [models.order_body(seed=i) for i in range(70)]
    want = close_to([predictions(service, body) for body in bodies])
    windows = [body["data"] if i % 2 else columns_of(body) for i, body in enumerate(bodies)]
    assert predictions(service, {"windows": windows}) == want
    assert predictions(service, {"windows": windows[:1]}) == want[:1]
    steps = predictions(service, {"windows": windows[:3], "inference_length": 3})
    assert steps == [close_to(forecast_by_hand(service, body, 3)) for body in bodies[:3]]
    status, reply = service.post("/predict", {"windows": windows[:20], "inference_length": 501})
    assert status == 422
    assert "501 steps for each of 20 windows are more than the 10000" in reply["error"]


def test_short_requests_are_answered_beside_long_ones(programs):
    service = Service(programs, "--port", "0", "--threads", "1")
    body = json.dumps(models.order_body())
    want = json.loads(service.ask("POST", "/predict", body)[2])["predictions"]
    done = threading.Event()

    def ask_long(_):
        status, reply = service.post("/predict", {**models.order_body(), "inference_length": 2000})
        return status, len(reply["predictions"])

    def ask_short(_):
        count = 0
        connection = service.connection()
        while not done.is_set():
            status, _, reply = exchange(connection, "POST", "/predict", body)
            assert status == 200
            assert json.loads(reply)["predictions"] == pytest.approx(want, rel=1e-5)
            count += 1
        return count

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        shorts = [pool.submit(ask_short, i) for i in range(4)]
        assert list(pool.map(ask_long, range(8))) == 8 * [(200, 2000)]
        done.set()
        assert min(short.result() for short in shorts) >= 10


def test_more_long_requests_than_there_is_room_for_are_refused(programs, tmp_path):
    tiny = models.write_model(tmp_path / "tiny", hidden=2, layers=1, window=2, target_names=TARGETS)
    service = Service(programs, "--port", "0", "--threads", "1", "--model", tiny)
    body = json.dumps({**models.order_body(rows=2), "inference_length": 10000})
    replies = ask_at_once(service, body, 40)
    done = [reply["predictions"] for status, _, reply in replies if status == 200]
    assert [len(rows) for rows in done] == 32 * [10000]
    refused = [(headers["Retry-After"], reply["error"]) for status, headers, reply in replies
               if status == 503]
    assert refused == 8 * [("1", "32 requests of several steps or windows are being computed "
                            "already; ask again later")]


def test_a_client_that_leaves_a_long_forecast_leaves_nothing_behind(programs):
    service = Service(programs, "--port", "0", "--threads", "1", "--idle-timeout", "1s")
    body = json.dumps({**models.order_body(), "inference_length": 10000}).encode()
    for _ in range(3):
        with service.raw() as s:
            s.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
                      % len(body) + body)
    assert len(predictions(service, models.order_body())) == 5
    wait_until(lambda: service.metrics()["inference_requests_in_flight", ()] == 0,
               what="the forecasts are over")


# Times.


def test_a_model_may_look_at_the_clock(programs, tmp_path):
    names = ["hour", "weekday", "minute"]
    models.write_model(tmp_path / "clock", time_features=names, interval_s=3600)
    service = Service(programs, "--port", "0", "--model", tmp_path / "clock")
    body = models.order_body()

    def at(stamp):
        for row in body["data"]:
            row["timestamp"] = stamp
        return predictions(service, body)

    morning = at("2024-01-15T08:00:00")
    assert at("2024-01-15T08:00:59.9+05:00") == morning  # the clock on the wall, by the minute
    assert at("2024-01-22T08:00:00Z") == morning  # a Monday as well
    assert at("2024-01-16T08:00:00") != morning
    assert at("2024-01-15T20:00:00") != morning
    assert at("2024-01-15T08:01:00") != morning
    # Times that stand still: the model knows how far it looks.
    reply = predictions(service, {"data": columns_of(body, "timestamp")})
    assert reply[0]["timestamp"] == "2024-01-15T09:01:00"


# Several models, and new ones.


def test_several_models_have_their_names(programs, tmp_path):
    small = models.write_model(tmp_path / "small", targets=2, run_id="s")
    tiny = models.write_model(tmp_path / "x" / "small", targets=1, window=3, run_id="t")
    service = Service(programs, "--port", "0", "--model", small, "--model", f"tiny={tiny}")
    body = models.order_body()
    assert len(predictions(service, body)) == 2
    assert predictions(service, body, "/predict?model=small") == predictions(service, body)
    assert len(predictions(service, models.order_body(rows=3), "/predict?model=tiny")) == 1
    status, reply = service.post("/predict?model=large", body)
    assert (status, reply["error"]) == (404, "no such model: large")
    status, reply = service.post("/predict?model=tiny", {"data": columns_of(body)})
    assert (reply["identifier"], reply["run_id"]) == ("tiny", "t")
    samples = service.metrics()
    assert samples["inference_model_info", (("name", "tiny"), ("model", "LSTM"),
                                            ("run_id", "t"))] == 1
    program = programs.start("cicada-inference", "--port", "0", "--model", small, "--model", tiny)
    assert program.wait() == 1
    assert "there is another one of the name small; give one as NAME=DIR" in program.text("stderr")


def exchange_files(folder, other):
    """Puts the files of another folder in place of those of this one, each at once."""
    for name in ("w.safetensors", "model.json"):
        shutil.copy(other / name, folder / "new")
        (folder / "new").replace(folder / name)


def run_id_of(service):
    return service.post("/predict", models.order_body())[1]["run_id"]


@pytest.mark.parametrize("how", ["signal", "changed folder"])
def test_a_new_model_is_taken_and_a_bad_one_is_not(programs, tmp_path, how):
    folder = models.write_model(tmp_path / "m", run_id="one")
    service = Service(programs, "--port", "0", "--model", folder)
    reloads = (("outcome", "refused"),), (("outcome", "taken"),)

    def reload():
        if how == "signal":
            service.program.signal(signal.SIGHUP)

    def count(which):
        return service.metrics()["inference_model_reloads_total", reloads[which]]

    assert run_id_of(service) == "one"
    exchange_files(folder, models.write_model(tmp_path / "n", run_id="two", hidden=8, seed=5))
    reload()
    wait_until(lambda: run_id_of(service) == "two", what="the new model is in use")
    assert count(1) >= 1
    before = count(0)
    (folder / "model.json").write_text('{"format": "cicada-lstm-1"}')
    reload()
    wait_until(lambda: count(0) > before, what="the bad model is refused")
    assert run_id_of(service) == "two"
    wait_until(lambda: "m stays as it was, its folder was refused: " in service.program.text("stderr")
               and "model.json: model: must be a text" in service.program.text("stderr"),
               what="the log says why")
    exchange_files(folder, models.write_model(tmp_path / "o", run_id="three"))
    reload()
    wait_until(lambda: run_id_of(service) == "three", what="the mended model is in use")


def test_no_request_is_lost_when_models_come_and_go(programs, tmp_path):
    folder = models.write_model(tmp_path / "m", run_id="run-0", target_names=TARGETS)
    others = [models.write_model(tmp_path / f"n{i}", run_id=f"run-{i}", seed=i,
                                 target_names=TARGETS) for i in range(1, 7)]
    service = Service(programs, "--port", "0", "--model", folder)

    def ask_until_the_last(number):
        connection, seen, deadline = service.connection(), "run-0", time.monotonic() + 120
        body = models.order_body()
        if number == 0:
            body["inference_length"] = 400
        while seen != "run-6" and time.monotonic() < deadline:
            status, _, reply = exchange(connection, "POST", "/predict", json.dumps(body))
            assert status == 200
            assert json.loads(reply)["run_id"] >= seen
            seen = json.loads(reply)["run_id"]
        return seen

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(ask_until_the_last, i) for i in range(4)]
        for i, other in enumerate(others, 1):
            exchange_files(folder, other)
            service.program.signal(signal.SIGHUP)
            wait_until(lambda want=f"run-{i}": run_id_of(service) == want, what="the next model")
        assert [client.result() for client in clients] == 4 * ["run-6"]
