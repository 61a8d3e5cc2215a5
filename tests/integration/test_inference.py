# SPDX-License-Identifier: MIT
"""cicada-inference with its trained model, as a client meets it: the manual is docs/inference.md."""

import calendar
import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import threading
import time

import pytest

import metrics_page
import models
from programs import BUILD, ROOT, wait_until
from service import JSON, Service, ask_at_once, exchange, is_stopped

MODEL = ROOT / "models" / "lte-2x64"
VECTORS = json.loads((ROOT / "tests" / "vectors" / "lte-2x64.json").read_text())
BODY_MAX = 1024 * 1024


@pytest.fixture
def service(programs):
    return Service(programs, "--port", "0")


def order_example():
    """The order's own example: its row with 29 more timestamps."""
    row = {"down": 1234.56, "up": 789.01, "rnti_count": 15, "mcs_down": 18, "mcs_up": 12,
           "bler_down": 0.02, "bler_up": 0.01, "prb_down": 45, "prb_up": 30, "sinr_down": 22.5,
           "sinr_up": 20.1}
    return {"data": [{"timestamp": f"2024-01-15T10:00:{i:02d}", "features": dict(row)}
                     for i in range(30)]}


def golden_body(vector):
    return {"data": [{"timestamp": "2024-01-15T10:00:00",
                      "features": dict(zip(VECTORS["features"], row))}
                     for row in vector["rows"]]}


GOOD = json.dumps(order_example()).encode()


# Answers.


def test_the_orders_example_is_answered_as_the_order_shows(service):
    before = int(time.time())
    status, headers, reply = service.ask("POST", "/predict", GOOD)
    after = int(time.time())

    assert status == 200
    assert headers["Content-Type"] == "application/json"
    reply = json.loads(reply)
    assert list(reply) == ["predictions", "model", "run_id", "timestamp"]
    description = json.loads((MODEL / "model.json").read_text())
    assert reply["model"] == "LSTM" == description["model"]
    assert reply["run_id"] == description["run_id"]
    assert re.fullmatch(r"[0-9a-f]{32}", reply["run_id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", reply["timestamp"])
    said = calendar.timegm(time.strptime(reply["timestamp"], "%Y-%m-%dT%H:%M:%S"))
    assert before <= said <= after
    assert len(reply["predictions"]) == len(description["targets"])
    assert all(isinstance(p, float) for p in reply["predictions"])


def test_predictions_are_those_of_pytorch(service):
    targets = json.loads((MODEL / "model.json").read_text())["targets"]
    connection = service.connection()
    for vector in VECTORS["vectors"]:
        status, _, reply = exchange(connection, "POST", "/predict",
                                    json.dumps(golden_body(vector)))
        assert status == 200
        got = json.loads(reply)["predictions"]
        scaled = [(p - t["offset"]) / t["scale"] for p, t in zip(got, targets)]
        assert scaled == pytest.approx(vector["scaled"], rel=0, abs=1e-5), vector["name"]


def test_order_of_fields_and_form_of_the_request_do_not_matter(service):
    want = json.loads(service.ask("POST", "/predict", GOOD)[2])["predictions"]
    turned = {"data": [{"features": dict(reversed(row["features"].items())),
                        "timestamp": row["timestamp"]} for row in order_example()["data"]]}
    forms = [
        (json.dumps(turned, indent=4), JSON),
        (GOOD.replace(b'"down"', b'"\\u0064own"'), JSON),
        (GOOD.replace(b"1234.56", b"123456E-2"), JSON),
        (b" \r\n\t" + GOOD + b"\n", JSON),
        (GOOD, {"Content-Type": "application/x-www-form-urlencoded"}),  # curl -d
        (GOOD, {}),
        (GOOD, {**JSON, "Expect": "100-continue"}),
    ]
    for body, headers in forms:
        status, _, reply = service.ask("POST", "/predict", body, headers)
        assert (status, json.loads(reply)["predictions"]) == (200, want)
    assert service.ask("POST", "/predict?trace=1", GOOD)[0] == 200


def test_a_body_in_chunks(service):
    pieces = [GOOD[i:i + 1000] for i in range(0, len(GOOD), 1000)]
    connection = service.connection()
    connection.request("POST", "/predict", iter(pieces), JSON, encode_chunked=True)
    assert connection.getresponse().status == 200


def test_health_and_readiness(service):
    for path, status in (("/healthz", "ok"), ("/readyz", "ready")):
        for is_admin in (False, True):
            code, headers, reply = service.ask("GET", path, is_admin=is_admin)
            assert (code, headers["Content-Type"]) == (200, "application/json")
            assert json.loads(reply) == {"status": status}


# Wrong bodies.


def changed(change):
    """The example with a change to its object, as bytes."""
    body = order_example()
    change(body)
    return json.dumps(body).encode()


def set_feature(row, name, value):
    return changed(lambda b: b["data"][row]["features"].__setitem__(name, value))


def set_row(row, value):
    return changed(lambda b: b["data"].__setitem__(row, value))


def feature_text(text):
    """The example with other text for the value of mcs_down in row 0."""
    return GOOD.replace(b'"mcs_down": 18', b'"mcs_down": ' + text, 1)


def in_row(row, text, by):
    """The example with a text of one row replaced."""
    parts = GOOD.split(b'{"timestamp"')
    assert text in parts[row + 1]
    parts[row + 1] = parts[row + 1].replace(text, by, 1)
    return b'{"timestamp"'.join(parts)


# name: body, status, what the message must contain (the place above all).
WRONG = {
    "empty": (b"", 400, "body: not JSON at byte 0: ends too early"),
    "blank": (b" \n", 400, "ends too early"),
    "not json": (b"hello", 400, "body: not JSON at byte 0"),
    "form fields": (b"data=1&x=2", 400, "not JSON at byte 0"),
    "cut off": (GOOD[:-2], 400, "ends too early"),
    "cut off in a string": (GOOD[:12], 400, "not JSON at byte 12: ends inside a string"),
    "trailing bytes": (GOOD + b"x", 400, f"at byte {len(GOOD)}: something follows"),
    "two documents": (GOOD + GOOD, 400, f"at byte {len(GOOD)}"),
    "byte order mark": (b"\xef\xbb\xbf" + GOOD, 400, "at byte 0"),
    "single quotes": (GOOD.replace(b'"', b"'"), 400, "double quotes"),
    "comment": (b"/* */" + GOOD, 400, "comments"),
    "trailing comma": (in_row(29, b"20.1}", b"20.1,}"), 400, "data[29].features"),
    "missing colon": (GOOD.replace(b'"down": ', b'"down" ', 1), 400, "data[0].features.down"),
    "control character": (GOOD.replace(b"2024", b"20\x01", 1), 400, "data[0].timestamp"),
    "bad utf-8": (in_row(3, b'"down"', b'"d\xc0wn"'), 400, "data[3].features: not JSON"),
    "nul byte": (b"\0" + GOOD, 400, "at byte 0"),
    "list": (b"[1]", 422, "body: must be an object"),
    "number": (b"5", 422, "body: must be an object"),
    "no data": (b"{}", 422, "data: missing"),
    "wrong top key": (changed(lambda b: b.update(dada=b.pop("data"))), 422,
                      'body: unknown field "dada"'),
    "second top key": (changed(lambda b: b.update(model="x")), 422, 'body: unknown field "model"'),
    "data twice": (GOOD[:-1] + b', "data": []}', 422, "data: stands twice"),
    "data is an object": (b'{"data": {}}', 422, "data.down: missing"),
    "data is null": (b'{"data": null}', 422, "data: must be a list of 30 rows"),
    "no rows": (b'{"data": []}', 422, "data: 0 rows, the model takes 30"),
    "29 rows": (changed(lambda b: b["data"].pop()), 422, "data: 29 rows, the model takes 30"),
    "31 rows": (changed(lambda b: b["data"].append(b["data"][0])), 422,
                "data[30]: one row too many, the model takes 30"),
    "row is a list": (set_row(4, [1, 2]), 422, "data[4]: must be an object"),
    "row is null": (set_row(29, None), 422, "data[29]: must be an object"),
    "deep nesting": (b'{"data": ' + 1000 * b"[" + 1000 * b"]" + b"}", 400, "nested too deep"),
    "unknown row field": (changed(lambda b: b["data"][2].update(station=1)), 422,
                          'data[2]: unknown field "station"'),
    "features missing": (changed(lambda b: b["data"][7].pop("features")), 422,
                         "data[7].features: missing"),
    "features is a list": (changed(lambda b: b["data"][7].update(features=[1] * 11)), 422,
                           "data[7].features: must be an object"),
    "features empty": (changed(lambda b: b["data"][7].update(features={})), 422,
                       "data[7].features.down: missing"),
    "feature missing": (changed(lambda b: b["data"][8]["features"].pop("bler_up")), 422,
                        "data[8].features.bler_up: missing"),
    "feature unknown": (set_feature(9, "snr_up", 1), 422,
                        'data[9].features: unknown feature "snr_up"'),
    "feature twice": (in_row(10, b'"up":', b'"down":'), 422,
                      "data[10].features.down: stands twice"),
    "number in a string": (set_feature(11, "prb_down", "45"), 422,
                           "data[11].features.prb_down: must be a number"),
    "null": (set_feature(12, "sinr_up", None), 422, "data[12].features.sinr_up: must be a number"),
    "true": (set_feature(13, "sinr_up", True), 422, "data[13].features.sinr_up: must be a number"),
    "list for a number": (set_feature(14, "up", [1]), 422, "data[14].features.up: must be a number"),
    "object for a number": (set_feature(15, "up", {}), 422,
                            "data[15].features.up: must be a number"),
    "NaN": (set_feature(16, "mcs_up", float("nan")), 400,
            "data[16].features.mcs_up: not JSON at byte"),
    "Infinity": (set_feature(17, "mcs_up", float("inf")), 400, "data[17].features.mcs_up"),
    "-Infinity": (set_feature(18, "mcs_up", float("-inf")), 400, "data[18].features.mcs_up"),
    "1e999": (feature_text(b"1e999"), 422, "data[0].features.mcs_down: too large"),
    "-1e39": (feature_text(b"-1e39"), 422, "data[0].features.mcs_down: too large"),
    "leading zero": (feature_text(b"018"), 400, "data[0].features.mcs_down"),
    "plus sign": (feature_text(b"+18"), 400, "data[0].features.mcs_down"),
    "no digit after the point": (feature_text(b"18."), 400, "data[0].features.mcs_down"),
    "hexadecimal": (feature_text(b"0x12"), 400, "data[0].features"),
    "timestamp missing": (changed(lambda b: b["data"][20].pop("timestamp")), 422,
                          "data[20].timestamp: missing"),
    "timestamp is a number": (changed(lambda b: b["data"][21].update(timestamp=1705312800)), 422,
                              "data[21].timestamp: must be a text"),
    "timestamp is no time": (changed(lambda b: b["data"][22].update(timestamp="yesterday")), 422,
                             "data[22].timestamp: must be a time of ISO 8601"),
    "timestamp with month 13": (changed(lambda b: b["data"][23].update(timestamp="2024-13-01")),
                                422, "data[23].timestamp: must be a time of ISO 8601"),
    "timestamp twice": (in_row(24, b': "2024', b': "2024-01-01", "timestamp": "2024'), 422,
                        "data[24].timestamp: stands twice"),
    "too large": (b" " * BODY_MAX + GOOD, 413, f"larger than the {BODY_MAX} bytes"),
}


def test_wrong_bodies_get_the_status_and_the_place(service):
    connection = service.connection()
    for name, (body, status, text) in WRONG.items():
        got, headers, reply = exchange(connection, "POST", "/predict", body)
        assert (got, headers["Content-Type"]) == (status, "application/json"), name
        reply = json.loads(reply)
        assert list(reply) == ["error"], name
        assert text in reply["error"], name
    # None of them has harmed the connection, and none was taken for a prediction.
    assert exchange(connection, "POST", "/predict", GOOD)[0] == 200
    assert service.metrics()["inference_predictions_total", ()] == 1


def test_numbers_at_the_edge_are_numbers(service):
    for text in (b"0", b"-0", b"0.0", b"1E+2", b"1e-400", b"3.4e38",
                 b"0." + 400 * b"0" + b"1", b"18" + 30 * b"0"):
        assert service.ask("POST", "/predict", feature_text(text))[0] == 200, text


def test_a_body_in_chunks_that_is_too_large(service):
    connection = service.connection()
    connection.request("POST", "/predict", iter([b" " * 65536] * 17 + [GOOD]), JSON,
                       encode_chunked=True)
    assert connection.getresponse().status == 413


def test_a_body_announced_as_too_large_is_refused_before_it_is_sent(service):
    with service.raw() as s:
        s.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                  b"Content-Length: 100000000\r\n\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 413 ")


# Routes and connections.


def test_wrong_methods_and_paths(service):
    for method, path, allow in (("GET", "/predict", "POST"), ("PUT", "/predict", "POST"),
                                ("DELETE", "/healthz", "GET, HEAD"),
                                ("POST", "/metrics", "GET, HEAD"), ("BREW", "/readyz", "GET, HEAD")):
        status, headers, reply = service.ask(method, path, b"" if method != "GET" else None)
        assert (status, headers["Allow"]) == (405, allow)
        assert path in json.loads(reply)["error"]
    for path in ("/", "/predict/", "/Predict", "/predict/../healthz", "/%2e"):
        assert service.ask("GET", path)[0] == 404
    status, headers, reply = service.ask("HEAD", "/healthz")
    assert (status, reply) == (200, b"")
    # Predictions have no place on the admin port.
    assert service.ask("POST", "/predict", GOOD, is_admin=True)[0] == 404


def test_a_connection_is_kept_until_asked_otherwise(service):
    connection = service.connection()
    exchange(connection, "GET", "/healthz")
    first = connection.sock.getsockname()
    for _ in range(20):
        assert exchange(connection, "POST", "/predict", GOOD)[0] == 200
        assert exchange(connection, "POST", "/predict", b"{")[0] == 400
        assert exchange(connection, "GET", "/none")[0] == 404
    assert connection.sock.getsockname() == first
    status, headers, _ = exchange(connection, "GET", "/healthz", b"", {"Connection": "close"})
    assert (status, headers["Connection"].lower()) == (200, "close")
    with service.raw() as s:
        s.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert b" 200 OK\r\n" in read_to_end(s)


def test_requests_in_one_packet_and_byte_by_byte(service):
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n" % len(GOOD)
    last = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    with service.raw() as s:
        s.sendall(head + b"\r\n" + GOOD + head + b"\r\n" + GOOD + last)
        assert read_to_end(s).count(b"HTTP/1.1 200 OK\r\n") == 3
    with service.raw() as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in head + b"Connection: close\r\n\r\n" + GOOD[:200]:
            s.sendall(bytes([byte]))
        s.sendall(GOOD[200:])
        assert read_to_end(s).startswith(b"HTTP/1.1 200 OK\r\n")


def read_to_end(s):
    said = b""
    while piece := s.recv(65536):
        said += piece
    return said


def test_a_silent_connection_is_closed(programs):
    service = Service(programs, "--port", "0", "--idle-timeout", "1s")
    with service.raw() as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert read_to_end(s).startswith(b"HTTP/1.1 200 OK\r\n")


# Counting.


def test_the_page_of_metrics_is_valid_and_complete(service):
    service.ask("POST", "/predict", GOOD)
    service.ask("POST", "/predict", b"{")
    status, headers, page = service.ask("GET", "/metrics")
    assert status == 200
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    metrics_page.check(page.decode())
    samples = metrics_page.samples(page.decode())
    description = json.loads((MODEL / "model.json").read_text())
    info = (("name", "lte-2x64"), ("model", "LSTM"), ("run_id", description["run_id"]))
    assert samples["inference_model_info", info] == 1
    assert samples["inference_predictions_total", ()] == 1
    assert abs(samples["process_start_time_seconds", ()] - time.time()) < 600
    assert samples["process_resident_memory_bytes", ()] > 1 << 20


def test_counters_equal_what_was_sent(service):
    """Ten clients at once, each with kinds of requests in numbers of its own."""
    sent = {}

    def client(number):
        connection = service.connection()
        kinds = [("POST", "/predict", GOOD, 200), ("POST", "/predict", b"{", 400),
                 ("POST", "/predict", b"{}", 422), ("GET", "/healthz", None, 200),
                 ("GET", "/metrics", None, 200), ("GET", "/readyz", None, 200),
                 ("PUT", "/healthz", b"", 405), ("GET", "/nowhere", None, 404)]
        mine = {}
        for i, (method, path, body, want) in enumerate(kinds):
            for _ in range(3 + (number + i) % 5):
                status, _, _ = exchange(connection, method, path, body)
                assert status == want
                route = path if (method, status) not in (("GET", 404), ("PUT", 405)) else "other"
                key = (("code", str(status)), ("method", method), ("path", route))
                mine[key] = mine.get(key, 0) + 1
        connection.close()
        return mine

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        for mine in pool.map(client, range(10)):
            for key, count in mine.items():
                sent[key] = sent.get(key, 0) + count
    samples = service.metrics()
    requests = {tuple(sorted(labels)): int(value) for (name, labels), value in samples.items()
                if name == "inference_requests_total"}
    assert requests == sent
    for path in {dict(key)["path"] for key in sent}:
        total = sum(count for key, count in sent.items() if dict(key)["path"] == path)
        assert samples["inference_request_duration_seconds_count", (("path", path),)] == total
    good = sum(c for k, c in sent.items() if dict(k)["path"] == "/predict" and dict(k)["code"] == "200")
    assert samples["inference_predictions_total", ()] == good
    # Looking through the admin port has not changed them.
    again = service.metrics()
    assert all(again[key] == value for key, value in samples.items()
               if key[0].startswith("inference_"))


def histogram(samples, name):
    """Count, sum and the counts up to each bound."""
    return (samples[name + "_count", ()], samples[name + "_sum", ()],
            {dict(labels)["le"]: value for (sample, labels), value in samples.items()
             if sample == name + "_bucket"})


def outcomes(samples):
    return {dict(labels)["outcome"]: int(value) for (name, labels), value in samples.items()
            if name == "inference_outcomes_total" and value}


def test_batches_waits_and_runs_are_counted(programs):
    service = Service(programs, "--port", "0", "--threads", "1", "--max-batch", "4",
                      "--queue-delay-us", "1000000")
    assert [reply[0] for reply in ask_at_once(service, GOOD, 12)] == [200] * 12
    samples = service.metrics()
    count, total, sizes = histogram(samples, "inference_batch_size")
    assert (count, total) == (3, 12)
    assert (sizes["2"], sizes["4"], sizes["+Inf"]) == (0, 3, 3)
    count, total, _ = histogram(samples, "inference_compute_duration_seconds")
    assert count == 3 and total > 0
    count, total, bounds = histogram(samples, "inference_queue_duration_seconds")
    assert count == 12 and min(map(float, bounds)) == 5e-05
    # One that comes alone has waited for others.
    assert service.ask("POST", "/predict", GOOD)[0] == 200
    samples = service.metrics()
    count, total, bounds = histogram(samples, "inference_queue_duration_seconds")
    assert count == 13 and total >= 1 and bounds["0.5"] <= 12
    assert histogram(samples, "inference_batch_size")[2]["1"] == 1
    assert outcomes(samples) == {"predicted": 13}


def test_what_became_of_requests_is_counted(programs):
    service = Service(programs, "--port", "0", "--threads", "1", "--queue", "3")
    service.ask("POST", "/predict", b"{}")
    service.ask("POST", "/predict", b"{")
    ask_at_once(service, GOOD, 5)
    assert outcomes(service.metrics()) == {"predicted": 3, "invalid": 2, "queue_full": 2}


def test_requests_in_flight_are_shown(service):
    def shown():
        return service.metrics()["inference_requests_in_flight", ()]

    assert shown() == 0
    with service.raw() as s:
        s.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                  b"Content-Length: %d\r\n\r\n" % len(GOOD))
        wait_until(lambda: shown() == 1)
        s.sendall(GOOD)
        assert read_to_end(s).startswith(b"HTTP/1.1 200 OK\r\n")
    wait_until(lambda: shown() == 0)


# Endurance.


@pytest.mark.skipif(BUILD.name != "release", reason="a sanitizer keeps what was freed")
def test_memory_does_not_grow_and_no_request_is_lost(programs):
    """How many requests there are in that time does not matter."""
    service = Service(programs, "--port", "0", "--threads", "1")

    def answered(seconds):
        load = programs.start("cicada", "-f", str(ROOT / "bench" / "predict.c"), "-H",
                              f"http://127.0.0.1:{service.port}", "--headless", "--json", "-u", "64",
                              "-r", "64", "-t", f"{seconds}s", "-s", "30", "--threads", "1")
        assert load.wait(seconds + 60) == 0, load.text()
        [row] = json.loads(load.text("stdout"))
        assert row["num_failures"] == 0
        return row["num_requests"]

    count = answered(5)
    before = service.resident_kb()
    count += answered(30)
    assert service.resident_kb() - before < 2048
    assert service.metrics()["inference_predictions_total", ()] == count > 0


def begin_upload(service):
    """A connection on which half of the largest body there may be has been sent."""
    stream = service.raw()
    stream.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % BODY_MAX)
    stream.sendall(b" " * (BODY_MAX // 2))
    return stream


@pytest.mark.skipif(BUILD.name != "release", reason="a sanitizer keeps what was freed")
def test_memory_for_large_bodies_is_given_back(programs):
    service = Service(programs, "--port", "0", "--threads", "1")
    before = service.resident_kb()
    for _ in range(3):
        streams = [begin_upload(service) for _ in range(100)]
        for stream in streams:
            with stream, stream.makefile("rb") as replies:
                stream.sendall(b" " * (BODY_MAX - BODY_MAX // 2))
                assert read_reply(replies)[0] == 400
    wait_until(lambda: service.resident_kb() - before < 20 * 1024, what="memory given back")


# The queue.


def test_requests_that_wait_together_are_answered_alike(programs):
    service = Service(programs, "--port", "0", "--threads", "1")
    alone = json.loads(service.ask("POST", "/predict", GOOD)[2])["predictions"]
    for status, _, reply in ask_at_once(service, GOOD, 45):
        assert status == 200
        assert reply["predictions"] == pytest.approx(alone, rel=1e-6)
    assert service.metrics()["inference_predictions_total", ()] == 46


def test_each_of_a_batch_gets_its_own_answer(programs):
    """Different windows, and some that are wrong, in one batch after the other."""
    service = Service(programs, "--port", "0", "--threads", "1", "--max-batch", "8",
                      "--queue-delay-us", "20000")
    bodies = [json.dumps(golden_body(vector)) for vector in VECTORS["vectors"]]
    want = [json.loads(service.ask("POST", "/predict", body)[2])["predictions"] for body in bodies]

    def client(number):
        connection = service.connection()
        for i in range(number, number + 20):
            if i % 5 == 0:
                assert exchange(connection, "POST", "/predict", b"{}")[0] == 422
                continue
            status, _, reply = exchange(connection, "POST", "/predict", bodies[i % len(bodies)])
            assert status == 200
            got = json.loads(reply)["predictions"]
            assert got == pytest.approx(want[i % len(bodies)], rel=1e-5)

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        list(pool.map(client, range(12)))


def test_a_full_queue_refuses_at_once_and_says_when_to_come_back(programs):
    service = Service(programs, "--port", "0", "--threads", "1", "--queue", "8")
    replies = ask_at_once(service, GOOD, 50)
    assert [status for status, _, _ in replies].count(200) == 8
    refused = [(headers, reply) for status, headers, reply in replies if status == 503]
    assert len(refused) == 42
    for headers, reply in refused:
        assert headers["Retry-After"] == "1"
        assert "8 requests wait already" in reply["error"]
    # It was no lasting state, and others were never concerned.
    assert service.ask("POST", "/predict", GOOD)[0] == 200
    assert service.metrics()["inference_predictions_total", ()] == 9


def read_reply(replies):
    """Status and decoded body of the next answer of a stream."""
    status, length = int(replies.readline().split()[1]), 0
    while line := replies.readline().strip():
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return status, json.loads(replies.read(length))


def pipelined(service, connection_count, request_count):
    """What the answers say that are no predictions, of requests that are all there at once."""
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(GOOD)
    streams = [service.raw() for _ in range(connection_count)]
    for stream in streams:
        stream.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert stream.recv(4096).startswith(b"HTTP/1.1 200 ")
    service.program.signal(signal.SIGSTOP)
    wait_until(lambda: is_stopped(service.program.pid))
    for stream in streams:
        stream.sendall((head + GOOD) * request_count)
    service.program.signal(signal.SIGCONT)
    errors = []
    for stream in streams:
        with stream, stream.makefile("rb") as replies:
            for _ in range(request_count):
                status, body = read_reply(replies)
                if status != 200:
                    errors.append(body["error"])
    return errors


def test_a_crowd_that_does_not_end_is_kept_short(programs):
    options = ("--port", "0", "--threads", "1", "--max-batch", "1")
    # As many as may wait: nobody is refused, however long it lasts.
    assert pipelined(Service(programs, *options, "--queue", "20"), 20, 6) == []
    # More: a burst fills the queue, of what goes on two batches may wait.
    crowded = Service(programs, *options, "--queue", "19")
    errors = pipelined(crowded, 60, 6)
    assert "19 requests wait already; ask again later" in errors
    assert "2 requests wait already; ask again later" in errors
    assert crowded.ask("POST", "/predict", GOOD)[0] == 200


def test_who_has_waited_too_long_is_refused(programs):
    service = Service(programs, "--port", "0", "--queue-delay-us", "100000", "--deadline-ms", "1")
    status, headers, reply = service.ask("POST", "/predict", GOOD)
    assert (status, headers["Retry-After"]) == (503, "1")
    assert "waited for more than 1 ms" in json.loads(reply)["error"]
    assert outcomes(service.metrics()) == {"deadline": 1}


def test_a_queue_delay_ends_with_the_delay_or_a_full_batch(programs):
    service = Service(programs, "--port", "0", "--threads", "1", "--max-batch", "2",
                      "--queue-delay-us", "300000")
    before = time.monotonic()
    assert service.ask("POST", "/predict", GOOD)[0] == 200
    assert time.monotonic() - before >= 0.3
    # Others are served meanwhile.
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(service.ask, "POST", "/predict", GOOD)
        connection = service.connection()
        while not waiting.done():
            assert exchange(connection, "GET", "/healthz")[0] == 200
        assert waiting.result()[0] == 200


def test_clients_that_do_not_wait_for_their_answer(programs):
    """Again until some resets came while their requests stood in the queue."""
    service = Service(programs, "--port", "0", "--threads", "1", "--queue-delay-us", "1000000")
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(GOOD)

    def lost_some():
        clients = [service.raw() for _ in range(20)]
        for s in clients:
            s.sendall(head + GOOD)
        wait_until(lambda: service.metrics()["inference_requests_in_flight", ()] > 0)
        for i, s in enumerate(clients):
            if i % 2:  # a reset in place of an end
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            s.close()
        assert service.ask("POST", "/predict", GOOD)[0] == 200
        return service.metrics()["inference_outcomes_total", (("outcome", "connection_lost"),)]

    wait_until(lost_some, 60, "a reset while its request waited")
    assert service.program.stop() == 0
    assert "cut off" not in service.program.text()


# Start and end.


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_requests_in_flight_finish(programs, number):
    service = Service(programs, "--port", "0")
    with service.raw() as s:
        s.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                  b"Content-Length: %d\r\n\r\n" % len(GOOD))
        assert s.recv(4096).startswith(b"HTTP/1.1 100 ")  # so the request has begun
        s.sendall(GOOD[:100])
        service.program.signal(number)
        service.program.wait_line("finishing the requests in flight")
        wait_until(lambda: service.ask("GET", "/readyz", is_admin=True)[0] == 503)
        assert service.ask("GET", "/healthz", is_admin=True)[0] == 200
        wait_until(lambda: refuses(service.port), what="the main port's closing")
        assert service.program.process.poll() is None
        s.sendall(GOOD[100:])
        reply = read_to_end(s)
    assert reply.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nconnection: close\r\n" in reply.lower()
    assert b'"predictions"' in reply
    assert service.program.wait() == 0
    assert "cut off" not in service.program.text()


def test_requests_that_wait_unread_are_answered_at_the_end(programs):
    """The signal comes while requests are in the kernel's buffers, as under load."""
    service = Service(programs, "--port", "0", "--threads", "1")
    connections = [service.connection() for _ in range(50)]
    for connection in connections:
        assert exchange(connection, "GET", "/healthz")[0] == 200
    service.program.signal(signal.SIGSTOP)
    for connection in connections:
        connection.request("POST", "/predict", GOOD, JSON)
    service.program.signal(signal.SIGTERM)
    service.program.signal(signal.SIGCONT)
    assert [connection.getresponse().status for connection in connections] == [200] * 50
    assert service.program.wait() == 0


def test_no_reply_is_lost_when_the_end_comes_under_load(programs):
    service = Service(programs, "--port", "0", "--threads", "2", "--drain-timeout", "60s")
    begun = threading.Barrier(17)

    def client(_):
        connection = service.connection()
        assert exchange(connection, "POST", "/predict", GOOD)[0] == 200
        begun.wait()
        count = 1
        while True:
            status, headers, reply = exchange(connection, "POST", "/predict", GOOD)
            assert (status, "predictions" in json.loads(reply)) == (200, True)
            count += 1
            if headers.get("Connection", "").lower() == "close":
                return count

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        counts = pool.map(client, range(16))
        begun.wait()
        service.program.signal(signal.SIGTERM)
        assert min(counts) >= 2
    assert service.program.wait() == 0
    assert "cut off" not in service.program.text()


def test_what_waits_in_the_queue_is_answered_at_the_end(programs):
    service = Service(programs, "--port", "0", "--queue-delay-us", "1000000")
    with service.raw() as s:
        s.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(GOOD))
        s.sendall(GOOD)
        wait_until(lambda: service.metrics()["inference_requests_in_flight", ()] == 1)
        service.program.signal(signal.SIGTERM)
        assert read_to_end(s).startswith(b"HTTP/1.1 200 OK\r\n")
    assert service.program.wait() == 0
    assert "cut off" not in service.program.text()


def refuses(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=20).close()
    except ConnectionRefusedError:
        return True
    return False


def test_what_takes_longer_than_the_drain_timeout_is_cut_off_and_told(programs):
    service = Service(programs, "--port", "0", "--drain-timeout", "1s")
    with service.raw() as s:
        s.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                  b"Content-Length: 10\r\n\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 100 ")
        assert service.program.stop() == 0
    assert "1 request took longer than 1 s and was cut off" in service.program.text("stderr")


def test_idle_connections_do_not_hold_up_the_end(programs):
    service = Service(programs, "--port", "0", "--drain-timeout", "10m")
    connections = [service.connection() for _ in range(5)]
    for connection in connections:
        exchange(connection, "GET", "/healthz")
    assert service.program.stop() == 0


def test_two_replicas_share_a_port(programs):
    first = Service(programs, "--port", "0", "--reuse-port")
    second = Service(programs, "--port", str(first.port), "--reuse-port")
    assert second.port == first.port and second.admin_port != first.admin_port
    for _ in range(200):
        assert first.ask("GET", "/healthz")[0] == 200

    def served(service):
        key = (("path", "/healthz"),)
        return int(service.metrics().get(("inference_request_duration_seconds_count", key), 0))

    assert served(first) and served(second)
    assert served(first) + served(second) == 200
    # One goes, the other serves all.
    before = served(second)
    assert first.program.stop() == 0
    for _ in range(50):
        assert second.ask("GET", "/healthz")[0] == 200
    assert served(second) == before + 50


def test_threads_are_as_many_as_asked_for(programs):
    def count(threads):
        service = Service(programs, "--port", "0", "--threads", str(threads), admin=False)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: service.ask("POST", "/predict", GOOD)[0], range(40)))
        assert answers == [200] * 40
        return len(os.listdir(f"/proc/{service.program.pid}/task"))

    assert count(6) - count(2) == 4


def test_options_come_from_the_environment_too(programs):
    service = Service(programs, admin=False,
                      env={"CICADA_LISTEN_PORT": "0", "CICADA_THREADS": "1",
                           "CICADA_ADMIN_PORT": "0", "MODEL_PATH": str(MODEL)})
    assert service.admin_port
    service.program.wait_line(": 1 thread$")


def test_models_of_the_command_line_replace_those_of_the_environment(programs):
    service = Service(programs, "--port", "0", "--model", MODEL,
                      env={"CICADA_MODEL": "/nowhere"})
    assert service.ask("POST", "/predict", GOOD)[0] == 200


def test_a_port_that_is_taken(programs):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for extra in ([], ["--reuse-port"]):
            program, code = programs.run("cicada-inference", "--host", "127.0.0.1", "--port",
                                         str(port), *extra)
            assert code == 1
            assert f"127.0.0.1:{port}: the port is in use" in program.text("stderr")
            assert "ready" not in program.text("stdout")


def copy_of_model(folder):
    shutil.copytree(MODEL, folder)
    return folder


def break_model(folder, how):
    weights = folder / "weights.safetensors"
    if how == "gone":
        shutil.rmtree(folder)
    elif how == "no weights":
        weights.unlink()
    elif how == "cut off":
        weights.write_bytes(weights.read_bytes()[:-4])
    elif how == "not finite":
        weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\xc0\x7f")
    elif how == "empty":
        weights.write_bytes(b"")
    elif how == "not json":
        (folder / "model.json").write_text('{\n"format": \n')
    elif how == "other format":
        text = (folder / "model.json").read_text()
        (folder / "model.json").write_text(text.replace("cicada-lstm-1", "onnx"))
    elif how == "other size":
        text = (folder / "model.json").read_text()
        (folder / "model.json").write_text(text.replace('"hidden": 64', '"hidden": 65'))


@pytest.mark.parametrize("how, text", [
    ("gone", "model.json"),
    ("no weights", "weights.safetensors"),
    ("cut off", "weights.safetensors: tensor fc.bias: data_offsets: outside the file"),
    ("not finite", "weights.safetensors: tensor fc.bias: value 4 is not finite"),
    ("empty", "weights.safetensors: header length"),
    ("not json", "model.json: line 3"),
    ("other format", "model.json: format"),
    ("other size", "weights.safetensors: tensor lstm.weight_ih_l0: shape must be [260, 11]"),
])
def test_a_broken_model_is_named(programs, tmp_path, how, text):
    folder = copy_of_model(tmp_path / "model")
    break_model(folder, how)
    program, code = programs.run("cicada-inference", "--host", "127.0.0.1", "--port", "0",
                                 "--model", str(folder))
    assert code == 1
    assert str(folder) in program.text("stderr")
    assert text in program.text("stderr")
    assert "ready" not in program.text("stdout")


def test_models_of_other_sizes_are_served(programs, tmp_path):
    folder = models.write_model(tmp_path / "small", hidden=3, layers=1, targets=2, window=4)
    service = Service(programs, "--port", "0", "--model", str(folder))
    status, _, reply = service.ask("POST", "/predict", json.dumps(models.order_body(rows=4)))
    assert status == 200
    assert len(json.loads(reply)["predictions"]) == 2
    status, _, reply = service.ask("POST", "/predict", GOOD)
    assert (status, "the model takes 4" in reply.decode()) == (422, True)


@pytest.mark.parametrize("args, text", [
    (["--threads", "0"], "--threads"),
    (["--max-batch", "65"], "--max-batch"),
    (["--queue", "0"], "--queue"),
    (["--port", "70000"], "--port"),
    (["--port", "http"], "--port"),
    (["--modle", "x"], "--model"),
    (["serve"], "serve"),
])
def test_wrong_options_are_named(programs, args, text):
    program, code = programs.run("cicada-inference", *args)
    assert code == 2
    assert text in program.text("stderr")


def test_an_address_that_is_not_ours(programs):
    program, code = programs.run("cicada-inference", "--host", "203.0.113.7", "--port", "0")
    assert code == 1
    assert "203.0.113.7:0: no interface of this machine" in program.text("stderr")
