# SPDX-License-Identifier: MIT
"""The driver's own page: what it answers, to whom, and that it holds up nobody."""

import http.client
import json
import socket

import pytest

from programs import ROOT, wait_until

READY = r"Page: http://127\.0\.0\.1:(\d+)/matrix"


def start(programs, folder, *args):
    scenario = folder / "inference.c"
    scenario.write_text((ROOT / "scenarios" / "inference.c").read_text())
    driver = programs.start("cicada-driver", "--results", folder / "results", "--scenario", scenario,
                            "--replicas", "1", "--workers", "1", "--cooldown", "0", "--poll", "0.5",
                            "--spawn-rate", "100", "--page-port", "0", *args, ready=READY)
    return driver, int(driver.ready.group(1))


def ask(port, path, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): text for name, text in headers.items()})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def live(port):
    return json.loads(ask(port, "/live.json")[1])


@pytest.fixture(name="running")
def running_driver(programs, tmp_path):
    """One whose test runs until it is ended."""
    driver, port = start(programs, tmp_path, "--users", "5,6", "--duration", "600",
                         "--page-allow-host", "board.example")
    wait_until(lambda: (live(port)["step"] or {}).get("name") == "measuring", 60, "the window")
    return driver, port


def test_what_is_done_now(running):
    _, port = running
    now = wait_until(lambda: live(port) if (live(port)["look"] or {}).get("rps") else None, 60, "requests")
    assert now["state"] == "running"
    assert now["scenario"] == {"number": 1, "replicas": 1, "workers": 1, "users": 5, "repeat": 1, "duration_s": 600}
    assert now["step"]["name"] == "measuring" and 1 < now["step"]["number"] < now["step"]["of"]
    assert now["look"]["users"] == 5
    assert 600 < now["left_s"] < 1300 and 0 <= now["done_share"] < 0.5
    assert any("RPS" in line["text"] for line in now["lines"])


def test_the_report_is_there_before_the_first_row_and_is_sent_once(running):
    _, port = running
    answer, body = ask(port, "/report.json")
    assert answer.status == 200 and json.loads(body)["rows"] == []
    again, empty = ask(port, "/report.json", If_None_Match=answer.headers["ETag"])
    assert (again.status, empty) == (304, b"")
    other, _ = ask(port, "/report.json", If_None_Match='"another"')
    assert other.status == 200
    page, html = ask(port, "/report.html")
    assert page.status == 200 and b"cicada-report" in html


def test_pages_and_files(running):
    _, port = running
    for path, kind in (("/", "text/html"), ("/matrix", "text/html"), ("/assets/matrix.js", "text/javascript"),
                       ("/assets/matrix.css", "text/css"), ("/healthz", "text/plain")):
        answer, body = ask(port, path)
        assert answer.status == 200 and answer.headers["Content-Type"].startswith(kind), path
        assert body
    assert "script-src 'self'" in ask(port, "/matrix")[0].headers["Content-Security-Policy"]
    for path in ("/assets/report.html", "/run.jsonl", "/assets/../run.jsonl", "/logs/master.log"):
        assert ask(port, path)[0].status == 404, path


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_changed(running, method):
    assert ask(running[1], "/live.json", method)[0].status == 405


def test_a_name_that_was_made_to_lead_here_is_refused(running):
    _, port = running
    answer, body = ask(port, "/live.json", Host="rebound.example")
    assert answer.status == 403 and b"--page-allow-host" in body
    assert ask(port, "/live.json", Host="board.example:8090")[0].status == 200
    assert ask(port, "/report.json", Host=f"localhost:{port}")[0].status == 200


def test_clients_that_are_silent_hold_up_nobody(running):
    driver, port = running
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(10)]
    for one in silent:
        one.sendall(b"GET /live.json HTTP/1.1\r\nHost: ")
    # Who asks for a large answer and does not read it.
    deaf = socket.create_connection(("127.0.0.1", port))
    deaf.sendall(b"GET /report.html HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50)
    said = live(port)["lines"][-1]
    wait_until(lambda: live(port)["lines"][-1] != said, 60, "the next line of the driver")
    driver.process.terminate()
    assert driver.process.wait(60) == 105
    for one in [*silent, deaf]:
        one.close()


def test_the_end_is_told_to_who_looks_on(programs, tmp_path):
    driver, port = start(programs, tmp_path, "--users", "5", "--duration", "1")
    states = []

    def ended():
        states.append(live(port)["state"])
        return states[-1] == "done"

    wait_until(ended, 120, "the end")
    assert len(json.loads(ask(port, "/report.json")[1])["rows"]) == 1
    # Now it need not wait any longer.
    assert driver.process.wait(60) in (0, 1)
    assert states[0] == "running"


def test_a_port_that_is_taken_is_told_before_anything_is_measured(programs, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        driver, code = programs.run("cicada-driver", "--results", tmp_path / "results", "--replicas", "1",
                                    "--workers", "1", "--users", "1", "--page-port", port)
    assert code == 111
    assert str(port) in driver.text()
    assert not (tmp_path / "results" / "report.json").exists()
