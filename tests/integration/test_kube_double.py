# SPDX-License-Identifier: MIT
"""The double of the Kubernetes API against exchanges recorded with a real API server.

Errors must be equal to the letter. Of an object, what the double says must be said by the real
server in the same place with the same type; volatile values (uids, versions, times) may differ."""

import copy
import json
import ssl
import urllib.error
import urllib.request

import pytest

from kube_cluster import VirtualPod
from kube_double import EVERYTHING, KubeDouble
from programs import ROOT, wait_until

VECTORS = ROOT / "tests" / "vectors" / "kubernetes"
LOADGEN_RULES = [{"apiGroups": ["apps"], "resources": ["deployments", "deployments/scale"],
                  "verbs": ["get", "list", "patch", "update"]}]
ERRORS = ["17", "23", "25", "26", "27", "28", "29", "30", "31", "38", "44", "45", "46", "88"]
OBJECTS = ["05", "06", "10", "11", "52", "53", "54", "63"]


def load(number):
    (path,) = VECTORS.glob(f"{number}-*.json")
    return json.loads(path.read_text())


@pytest.fixture
def double(tmp_path):
    double = KubeDouble(tmp_path)
    double.tokens.update({
        "<token of loadgen>": ("system:serviceaccount:llm:loadgen", LOADGEN_RULES),
        "<token of nobody>": ("system:serviceaccount:llm:nobody", []),
        "admin": ("kubernetes-admin", EVERYTHING)})
    double.cluster.add_deployment("inference", 1, service="inference")
    wait_until(lambda: double.cluster.get("deployments", "inference")["status"].get(
        "availableReplicas") == 1)
    yield double
    double.close()


def ask(double, request):
    """(status, content type, body) of a recorded request."""
    # Without a token the recording's client came with the administrator's certificate, but for the
    # one that is anonymous on purpose.
    token = request["token"]
    body = request["body"]
    data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if data is not None:
        # urllib would add the form's type; the empty one stands for none.
        headers["Content-Type"] = request["content_type"] or ""
    query = urllib.request.Request(double.url + request["path"], data=data, headers=headers,
                                   method=request["method"])
    tls = ssl.create_default_context(cafile=double.ca)
    try:
        with urllib.request.urlopen(query, context=tls, timeout=30) as reply:
            return reply.status, reply.headers["Content-Type"], reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def is_part_of(part, whole, where="$"):
    """Everything `part` says, `whole` says in the same place, with the same type."""
    if isinstance(part, dict):
        assert isinstance(whole, dict), where
        for name, value in part.items():
            if "labels" not in where and "matchLabels" not in where:
                assert name in whole, f"{where}.{name}"
            if name in whole:
                is_part_of(value, whole[name], f"{where}.{name}")
    elif isinstance(part, list):
        assert isinstance(whole, list), where
        if where.endswith(".conditions"):
            known = {c["type"]: c for c in whole}
            for condition in part:
                is_part_of(condition, known[condition["type"]], f"{where}.{condition['type']}")
        elif part and whole:
            is_part_of(part[0], whole[0], f"{where}[0]")
    else:
        assert isinstance(part, type(whole)) or whole is None, where


def is_like(part, whole):
    try:
        is_part_of(part, whole)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("number", ERRORS)
def test_errors_are_those_of_the_real_server(double, number):
    vector = load(number)
    if number == "88":
        double.cluster.forget_history()
        vector["request"]["token"] = "admin"
    status, content_type, body = ask(double, vector["request"])
    want = vector["response"]
    assert (status, content_type) == (want["status"], want["content-type"])
    assert json.loads(body) == want["body"]


@pytest.mark.parametrize("number", OBJECTS)
def test_objects_have_the_fields_of_the_real_ones(double, number):
    vector = load(number)
    vector["request"]["token"] = vector["request"]["token"] or "admin"
    if number in ("53", "54", "63"):
        wanted = 3 if number == "63" else 0
        double.cluster.scale("inference", wanted)
        # The recorded ones ran.
        wait_until(lambda: [double.cluster.is_ready(p) for p in
                            double.cluster.pods_of("inference")] == [True] * wanted)
    status, content_type, body = ask(double, vector["request"])
    want = vector["response"]
    assert (status, content_type) == (want["status"], want["content-type"])
    said = json.loads(body)
    is_part_of(said, want["body"])
    assert said["kind"] == want["body"]["kind"]
    if "spec" in said:
        assert said["spec"].get("replicas") == want["body"]["spec"].get("replicas")


@pytest.mark.parametrize("number", ["57", "58", "59"])
def test_access_is_reviewed_as_by_the_real_server(double, number):
    vector = load(number)
    status, content_type, body = ask(double, vector["request"])
    want = vector["response"]
    assert (status, content_type) == (want["status"], want["content-type"])
    said = json.loads(body)
    is_part_of(said, want["body"])
    assert said["status"]["allowed"] is want["body"]["status"]["allowed"]
    assert said["spec"] == want["body"]["spec"]


def test_values_of_a_wrong_type_are_422(double):
    for number in ("41", "42"):
        vector = load(number)
        status, _, body = ask(double, vector["request"])
        assert status == vector["response"]["status"] == 422
        assert json.loads(body)["reason"] == vector["response"]["body"]["reason"]


def test_too_many_requests_is_plain_text(double):
    vector = load("93")
    double.fail(429, times=1)
    status, content_type, body = ask(double, vector["request"])
    want = vector["response"]
    assert (status, content_type, body) == (want["status"], want["content-type"],
                                            want["body_text"])


def watch(double, path, seconds):
    status, _, body = ask(double, {"method": "GET", "token": "admin", "body": None,
                                   "path": f"{path}&watch=true&timeoutSeconds={seconds}"
                                           "&allowWatchBookmarks=true"})
    assert status == 200
    return [json.loads(line) for line in body.splitlines()]


DEPLOYMENT = "/apis/apps/v1/namespaces/llm/deployments?fieldSelector=metadata.name%3Dinference"


def test_a_watch_shows_the_states_of_a_scale_and_ends_with_a_bookmark(double):
    recorded = load("80")["response"]["events"]
    at = double.cluster.version
    double.cluster.scale("inference", 3)
    events = watch(double, f"{DEPLOYMENT}&resourceVersion={at}", 2)
    for event in events:
        assert any(is_like(event, e) for e in recorded if e["type"] == event["type"]), event
    bookmark = next(e for e in recorded if e["type"] == "BOOKMARK")
    assert events[-1]["type"] == "BOOKMARK"
    assert events[-1]["object"]["spec"] == bookmark["object"]["spec"]

    def states(list_of_events):
        """Generation observed?, replicas: as they follow upon one another."""
        return [(e["object"]["status"].get("observedGeneration", 0) ==
                 e["object"]["metadata"]["generation"], e["object"]["status"].get("replicas"))
                for e in list_of_events if e["type"] == "MODIFIED"]

    # New generation, then observed with the old count, then the pods: as recorded.
    assert states(events)[:2] == states(recorded)[:2] == [(False, 1), (True, 1)]
    assert (True, 3) in states(events) and (True, 3) in states(recorded)


def test_a_watch_from_a_forgotten_version_is_an_event_with_410(double):
    double.cluster.forget_history()
    (event,) = watch(double, f"{DEPLOYMENT}&resourceVersion=1", 1)
    (want,) = load("84")["response"]["events"]
    event["object"]["message"] = want["object"]["message"]
    assert event == want


def test_pages_go_on_where_they_ended_until_they_expire(double):
    double.cluster.scale("inference", 3)
    wait_until(lambda: len(double.cluster.pods_of("inference")) == 3)
    request = {"method": "GET", "token": "admin", "body": None,
               "path": "/api/v1/namespaces/llm/pods?labelSelector=app%3Dinference&limit=2"}
    page = json.loads(ask(double, request)[2])
    second = copy.deepcopy(request)
    second["path"] += "&continue=" + page["metadata"]["continue"]
    rest = json.loads(ask(double, second)[2])
    names = [i["metadata"]["name"] for i in page["items"] + rest["items"]]
    assert len(set(names)) == 3 and "continue" not in rest["metadata"]
    double.cluster.forget_history()
    status, _, body = ask(double, second)
    want = load("96")["response"]
    got = json.loads(body)
    assert got["metadata"].keys() == want["body"]["metadata"].keys()
    got["metadata"] = want["body"]["metadata"]
    assert (status, got) == (want["status"], want["body"])


def test_a_pod_that_crashes_looks_like_a_recorded_one(double):
    recorded = load("75")["response"]["body"]["items"][0]["status"]["containerStatuses"][0]
    double.cluster.add_deployment("crash", 1, kubelet=lambda: VirtualPod(crashes=True))

    def crashed():
        for pod in double.cluster.pods_of("crash"):
            for container in pod["status"].get("containerStatuses", []):
                if container["restartCount"] and "terminated" in container["state"]:
                    return container
        return None

    container = wait_until(crashed)
    is_part_of(container, recorded)
    assert container["ready"] is recorded["ready"] is False


def test_an_ending_pod_stays_in_the_list_until_it_is_gone(double):
    double.cluster.set_kubelet("inference", lambda: VirtualPod(stop_s=0.5))
    double.cluster.scale("inference", 2)
    wait_until(lambda: double.cluster.get("deployments", "inference")["status"].get(
        "availableReplicas") == 2)
    double.cluster.scale("inference", 0)
    wait_until(lambda: all("deletionTimestamp" in p["metadata"]
                           for p in double.cluster.pods_of("inference")))
    wait_until(lambda: not double.cluster.pods_of("inference"))
    wait_until(lambda: double.cluster.get("deployments", "inference")["status"][
        "terminatingReplicas"] == 0)
