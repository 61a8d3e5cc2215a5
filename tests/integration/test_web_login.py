# SPDX-License-Identifier: MIT
"""People who log in at port 8089: form, session, HTTP Basic, and who is kept out."""

import json
import subprocess

import pytest

from test_web_api import FORM, Api, Description
from test_web_doors import (READY, SWARM, TOKEN, Door, certificates, opened,  # noqa: F401
                            token_file)

PASSWORD = "correct horse"
# openssl passwd -6 -salt cicada
ANN = "ann:" + subprocess.run(["openssl", "passwd", "-6", "-salt", "cicada", PASSWORD],
                              capture_output=True, text=True, check=True).stdout.strip()
BASIC = ("-u", f"ann:{PASSWORD}")
PAGE = ("-H", "Accept: text/html,*/*")


class Stranger(Api):
    """Asks without a login; only the description of the routes it gets with one."""

    def __init__(self, door):
        self.door, self.port = door, door.port

    def get_json(self, path):
        return json.loads(self.door.curl(*BASIC, path)[1])


@pytest.fixture
def door(opened):
    return opened("--web-login", ANN)


def log_in(door, jar, *more, password=PASSWORD):
    return door.curl("-i", "-c", jar, "--data-urlencode", "username=ann", "--data-urlencode",
                     f"password={password}", *more, "/login")


def test_a_session_opens_every_route_until_it_is_closed(door, tmp_path):
    jar = str(tmp_path / "jar")
    status, form = door.curl(*PAGE, "/login")
    assert status == 200 and 'name="username"' in form and 'name="password"' in form
    status, reply = log_in(door, jar)
    assert status == 302 and "\nLocation: ./\n" in reply
    cookie = next(line for line in reply.splitlines() if line.startswith("Set-Cookie: "))
    assert cookie.startswith(f"Set-Cookie: cicada_session_{door.port}=")
    assert "; HttpOnly; SameSite=Strict" in cookie and "Secure" not in cookie
    session = cookie.partition("=")[2].partition(";")[0]
    assert len(session) == 64
    for path in (("/",), ("/stats/requests",), SWARM, ("/stop",)):
        assert door.status("-b", jar, *path) == 200
    assert "You are logged in" in door.curl("-b", jar, "/login")[1]
    # Another session of the same user is not touched by the end of this one.
    other = str(tmp_path / "other")
    assert log_in(door, other)[0] == 302
    status, reply = door.curl("-i", "-b", jar, "-c", jar, "-X", "POST", "/logout")
    assert status == 302 and "\nLocation: login\n" in reply
    stolen = ("-H", f"Cookie: cicada_session_{door.port}={session}")
    assert door.status("-b", jar, "/stats/requests") == door.status(*stolen, "/") == 401
    assert door.status("-b", other, "/stats/requests") == 200


def test_all_routes_but_form_and_probes_want_it(door):
    document = json.loads(door.curl(*BASIC, "/openapi.json")[1])
    routes = [(method.upper(), path) for path, operations in document["paths"].items()
              for method in operations if path != "/login"]
    assert len(routes) > 20
    for method, path in [*routes, ("GET", "/nowhere"), ("OPTIONS", "/login"), ("HEAD", "/stop")]:
        status = door.status(*(("-I",) if method == "HEAD" else ("-X", method)), path)
        assert (status == 401) == (path not in ("/healthz", "/readyz")), (method, path, status)


def test_who_wants_a_page_is_led_to_the_form(door):
    # By relative ways, for a proxy may have it all below a path of its own.
    for path, way in (("/", "login"), ("/stats/report", "../login"), ("/a/b/", "../../login")):
        status, reply = door.curl("-i", *PAGE, path)
        assert status == 302 and f"\nLocation: {way}\n" in reply
    status, reply = door.curl("-i", "-L", *PAGE, "/stats/report")
    assert status == 200 and 'name="username"' in reply
    assert door.status(*PAGE, "/" * 3000) == 302
    assert door.status(*PAGE, *SWARM) == 401


def test_only_programs_are_asked_for_basic(door):
    assert 'WWW-Authenticate: Basic realm="Cicada"' in door.curl("-i", "/stats/requests")[1]
    for said in ("Sec-Fetch-Mode: cors", f"Cookie: cicada_session_{door.port}=old"):
        status, reply = door.curl("-i", "-H", said, "/stats/requests")
        assert status == 401 and "WWW-Authenticate: Session" in reply


@pytest.mark.parametrize("said, status", [
    (BASIC, 200),
    (("-u", f"ann:{PASSWORD} "), 401),
    (("-u", "ann:"), 401),
    (("-u", f":{PASSWORD}"), 401),
    (("-u", f"Ann:{PASSWORD}"), 401),
    (("-u", f"ann:{'x' * 1000}"), 401),
    (("-H", "Authorization: Basic ????"), 401),
    (("-H", f"Authorization: Bearer {PASSWORD}"), 401),
    (("-H", "Authorization: Bearer"), 401),
    (("-H", "Cookie: cicada_session=x"), 401),
    (("-H", "Cookie: " + "=;" * 20 + "a"), 401),
])
def test_programs_say_user_and_password(door, said, status):
    assert door.status(*said, "/stats/requests") == status
    assert door.status(*said, *SWARM) == status


def test_guessing_is_slow_and_disturbs_nobody_who_is_known(door, tmp_path):
    jar = str(tmp_path / "jar")
    assert log_in(door, jar)[0] == 302 and door.status(*BASIC, "/stats/requests") == 200
    seen = [Stranger(door).ask("POST", "/login", "username=ann&password=guess", FORM)
            for _ in range(100)]
    assert {status for status, _, _ in seen} == {401, 429}
    for status, said, _ in seen:
        assert "Set-Cookie" not in said and (status == 401 or said["Retry-After"] == "1")
    assert door.status("-b", jar, "/stats/requests") == 200
    assert door.status(*BASIC, "/stats/requests") == 200


@pytest.mark.parametrize("form", [
    ("-d", ""), ("-d", "username=ann"), ("-d", "password=x"), ("-d", "username=ann&password="),
    ("-d", "username=%00&password=%00"), ("-d", "{}", "-H", "Content-Type: application/json"),
    ("-F", "username=ann", "-F", "password=x"), ("-d", "username=" + "a" * 10000 + "&password=x")])
def test_what_is_no_login_is_refused(door, form):
    status, body = door.curl(*form, "/login")
    assert status == 401 and "User or password is wrong." in body


def test_the_page_of_another_site_cannot_log_in_or_out(opened):
    door = opened("--web-login", ANN, host="*")
    form = ("-d", f"username=ann&password={PASSWORD}")
    foreign = ("-H", "Origin: http://evil.example")
    assert door.status(*foreign, *form, "/login") == 403
    assert door.status(*foreign, *BASIC, "-X", "POST", "/logout") == 403


def test_over_https_the_cookie_stays_there(opened, certificates, tmp_path):
    cert, key = certificates[0]
    door = opened("--web-login", ANN, "--tls-cert", cert, "--tls-key", key)
    reply = log_in(door, str(tmp_path / "jar"), "--cacert", cert)[1]
    assert "; HttpOnly; SameSite=Strict; Secure" in reply
    assert door.status("--cacert", cert, "-b", str(tmp_path / "jar"), "/") == 200


LOGIN = """
from flask_login import UserMixin, login_user
from locust import User, events, task

class Person(UserMixin):
    id = "ann"

class Ant(User):
    @task
    def nothing(self):
        pass

@events.init.add_listener
def init(web_ui, **kwargs):
    web_ui.app.secret_key = "not so secret"
    web_ui.login_manager.user_loader(lambda id: Person())

    @web_ui.app.route("/enter", methods=["POST"])
    def enter():
        login_user(Person(), remember=True)
        return "in"
"""


def test_over_https_all_cookies_of_a_locustfile_s_login_stay_there(programs, certificates, tmp_path):
    cert, key = certificates[0]
    (tmp_path / "login.py").write_text(LOGIN)
    door = Door(programs.start("cicada", "-f", tmp_path / "login.py", "--web-login", "--tls-cert", cert,
                               "--tls-key", key, "--web-host", "127.0.0.1", "-P", "0", ready=READY))
    status, reply = door.curl("-i", "--cacert", cert, "-X", "POST", "/enter")
    cookies = [line for line in reply.splitlines() if line.startswith("Set-Cookie: ")]
    assert status == 200 and len(cookies) == 3
    for cookie in cookies:
        assert "; Secure" in cookie and "; HttpOnly" in cookie and "; SameSite=" in cookie, cookie


def test_a_file_has_several_users_and_a_token_may_stand_beside(opened, token_file, tmp_path):
    users = tmp_path / "users"
    users.write_text(f"# people\n{ANN.replace('ann', 'bob')}\n{ANN}\n")
    door = opened("--web-token", token_file, env={"LOCUST_WEB_LOGIN": str(users)})
    for said in (BASIC, ("-u", f"bob:{PASSWORD}"), ("-u", f"x:{TOKEN}"),
                 ("-H", f"Authorization: Bearer {TOKEN}")):
        assert door.status(*said, "/stats/requests") == 200
    assert door.status("/stats/requests") == 401


def test_the_switch_of_locust_off_is_no_login(opened):
    assert opened(env={"LOCUST_WEB_LOGIN": "false"}).status("/stats/requests") == 200


@pytest.mark.parametrize("password, said", [
    ("correct%20horse", "the master answers and no test runs"),
    ("wrong%20horse", "/stats/window: answered 401")])
def test_the_driver_has_them_in_the_address(door, programs, password, said):
    program, _ = programs.run("cicada-driver", "--dry-run", "--master",
                              f"http://ann:{password}@127.0.0.1:{door.port}", "--host",
                              "http://127.0.0.1:1", "--users", "1", timeout_s=60)
    assert said in program.text() and "horse" not in program.text()


def test_passwords_and_hashes_are_shown_nowhere(opened, tmp_path):
    users = tmp_path / "users"
    users.write_text(ANN)
    door = opened("--web-login", users, "-L", "DEBUG")
    assert log_in(door, str(tmp_path / "jar"))[0] == 302
    said = [door.curl(*BASIC, path)[1] for path in ("/", "/logs", "/openapi.json", "/metrics")]
    assert door.program.stop() == 0
    said.append(door.program.text())
    assert not any(PASSWORD in text or "$6$" in text for text in said)


def test_refusals_are_as_described(door):
    described = Description(Stranger(door))
    for method, path in described.routes():
        if path not in ("/healthz", "/readyz"):
            described.check(method, path)
    guesses = [described.check("POST", "/login", "username=ann&password=x", FORM)[0]
               for _ in range(100)]
    assert 429 in guesses
    guess = {"Authorization": "Basic YW5uOng="}
    assert 429 in [described.check("GET", "/tasks", headers=guess)[0] for _ in range(100)]
