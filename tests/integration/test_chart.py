# SPDX-License-Identifier: MIT
"""The Helm chart: its defaults are the manifests of deploy/kubernetes, its values do what they say,
and its schema lets in nothing else. Rendered by Go's own template language (render_chart.go), for
Debian 12 has no Helm."""

import copy
import json
import re
import subprocess

import jsonschema
import pytest
import yaml

from programs import ROOT
from test_deploy import DEPLOY, container_of, env_of

CHART = ROOT / "deploy" / "helm" / "cicada"
TEMPLATES = sorted((CHART / "templates").iterdir())
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())


@pytest.fixture(scope="module")
def renderer(tmp_path_factory):
    program = tmp_path_factory.mktemp("go") / "render_chart"
    source = ROOT / "tests" / "integration" / "render_chart.go"
    subprocess.run(["gccgo-12", "-o", program, source], check=True, timeout=120)
    return program


def merged(values, changes):
    """As Helm does it: mappings are merged, everything else is replaced."""
    if not isinstance(changes, dict) or not isinstance(values, dict):
        return changes
    return {**values, **{k: merged(values.get(k), v) for k, v in changes.items()}}


def render(renderer, changes=None, names=None):
    """{template: its text}. Numbers are floats, as those of a values file are in Helm."""
    values = merged(copy.deepcopy(VALUES), changes or {})
    jsonschema.validate(values, SCHEMA)
    data = {"Values": values, "Release": {"Name": "load", "Namespace": "llm", "Service": "Helm"}, "Chart": {},
            "Files": {"Texts": {f"files/{p.name}": p.read_text()
                                for p in (CHART / "files").iterdir()}}}
    done = subprocess.run([renderer, *TEMPLATES], input=json.dumps(data), capture_output=True,
                          text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    parts = re.split(r"^---\n# Source: (.*)\n", done.stdout, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def objects(renderer, changes=None):
    return {(o["kind"], o["metadata"]["name"]): o
            for name, text in render(renderer, changes).items() if name != "NOTES.txt"
            for o in yaml.safe_load_all(text) if o}


def base():
    kustomization = yaml.safe_load((DEPLOY / "kustomization.yaml").read_text())
    assert kustomization.keys() == {"apiVersion", "kind", "resources"}
    return {(o["kind"], o["metadata"]["name"]): o for name in kustomization["resources"]
            for o in yaml.safe_load_all((DEPLOY / name).read_text())}


def without_helms_labels(obj):
    """What only an installation has: its name, and who made it."""
    for metadata in (obj["metadata"], obj.get("spec", {}).get("template", {}).get("metadata")):
        if metadata:
            labels = metadata["labels"]
            assert labels.pop("app.kubernetes.io/instance") == "load"
            assert labels.pop("app.kubernetes.io/managed-by") == "Helm"
    return obj


def test_the_defaults_are_the_manifests(renderer):
    chart, manifests = objects(renderer), base()
    assert chart.keys() == manifests.keys()
    for name, manifest in manifests.items():
        assert without_helms_labels(chart[name]) == manifest, name


def leaves(value, path=()):
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    else:
        yield path


def test_every_value_is_used_and_known_to_the_schema():
    used = "".join(p.read_text() for p in TEMPLATES)
    for path in leaves(VALUES):
        if {"resources", "securityContext", "podSecurityContext", "podLabels"} & set(path):
            path = path[:[p in ("resources", "securityContext", "podSecurityContext", "podLabels")
                          for p in path].index(True) + 1]
        assert re.search(rf"\.{path[-1]}\b", used), path

    def check(schema, values, path):
        assert schema["additionalProperties"] is False, path
        assert set(schema["properties"]) - {"global"} == set(values), path
        for name, inner in schema["properties"].items():
            if inner.get("type") == "object" and "properties" in inner:
                check(inner, values[name], (*path, name))

    check(SCHEMA, VALUES, ())
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_a_service_that_is_there_already(renderer):
    chart = objects(renderer, {"target": {
        "enabled": False, "url": "http://triton:9000", "deployment": "triton", "service": "triton",
        "podLabels": {"app": "triton", "tier": "gpu"}, "port": 9001, "metricsPort": 0}})
    assert base().keys() - chart.keys() == {
        ("Deployment", "inference"), ("Service", "inference"), ("NetworkPolicy", "inference")}
    env = env_of(chart["Job", "locust-load-test-matrix"])
    assert (env["CICADA_TARGET_DEPLOYMENT"], env["CICADA_TARGET_SERVICE"],
            env["CICADA_TARGET_METRICS_PORT"], env["TARGET_HOST"]) == (
        "triton", "triton", "0", "http://triton:9000")
    assert env_of(chart["Deployment", "locust-master"])["TARGET_HOST"] == "http://triton:9000"
    egress = chart["NetworkPolicy", "locust-worker"]["spec"]["egress"]
    pods = [{"podSelector": {"matchLabels": {"app": "triton", "tier": "gpu"}}}]
    assert {"to": pods, "ports": [{"port": 9001, "protocol": "TCP"}]} in egress
    driver = chart["NetworkPolicy", "locust-driver"]["spec"]["egress"]
    assert not [rule for rule in driver if rule.get("to") == pods]
    assert 0 not in [p["port"] for rule in driver for p in rule["ports"]]


def test_the_plan_is_the_jobs_environment(renderer):
    chart = objects(renderer, {"driver": {
        "plan": {"replicas": [3], "workers": [1, 2], "users": [1000000, 10000000],
                 "duration": "5m", "cooldown": 0},
        "env": {"CICADA_RETRIES": "1"}, "linger": "0", "activeDeadlineSeconds": 1000000}})
    job = chart["Job", "locust-load-test-matrix"]
    env = env_of(job)
    assert (env["CICADA_REPLICAS"], env["CICADA_WORKERS"], env["CICADA_USERS"]) == (
        "3", "1,2", "1000000,10000000")
    assert (env["CICADA_DURATION"], env["CICADA_COOLDOWN"], env["CICADA_RETRIES"],
            env["CICADA_LINGER"]) == ("5m", "0", "1", "0")
    assert job["spec"]["activeDeadlineSeconds"] == 1000000


def test_a_scenario_of_ones_own(renderer):
    text = "from locust import HttpUser\n\n\nclass Me(HttpUser):\n    host = \"{{ x }}\"\n"
    chart = objects(renderer, {"scenario": {"file": "me.py", "scripts": {"me.py": text}}})
    assert chart["ConfigMap", "locust-scripts"]["data"] == {"me.py": text}
    for name in ("locust-master", "locust-worker"):
        assert env_of(chart["Deployment", name])["LOCUST_LOCUSTFILE"] == "/home/locust/me.py"


def test_what_a_cluster_of_ones_own_needs(renderer):
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "kubernetes.io/hostname",
         "labelSelector": {"matchLabels": {"app": "inference"}}}]}}
    chart = objects(renderer, {
        "images": {"load": "registry.example.com:5000/cicada:0.1.0", "pullSecrets": ["mine"]},
        "master": {"service": {"type": "ClusterIP"}},
        "workers": {"replicas": 8, "affinity": affinity,
                    "resources": {"limits": {"cpu": 2, "memory": "1Gi"}}},
        "podSecurityContext": {"runAsUser": 1000},
        "securityContext": {"capabilities": {"drop": ["NET_RAW"]}},
        "networkPolicies": {"enabled": False},
        "persistence": {"storageClass": "fast", "size": "5Gi"}})
    worker = chart["Deployment", "locust-worker"]
    pod = worker["spec"]["template"]["spec"]
    assert worker["spec"]["replicas"] == 8 and pod["affinity"] == affinity
    assert container_of(worker)["image"] == "registry.example.com:5000/cicada:0.1.0"
    assert container_of(worker)["resources"]["limits"] == {"cpu": 2, "memory": "1Gi"}
    for name in ("Deployment", "locust-worker"), ("Deployment", "inference"), (
            "Job", "locust-load-test-matrix"):
        pod = chart[name]["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsUser"] == 1000
        assert pod["imagePullSecrets"] == [{"name": "mine"}]
        assert container_of(chart[name])["securityContext"]["capabilities"] == {"drop": ["NET_RAW"]}
    assert "nodePort" not in chart["Service", "locust-master"]["spec"]["ports"][0]
    assert not [name for kind, name in chart if kind == "NetworkPolicy"]
    claim = chart["PersistentVolumeClaim", "locust-results"]["spec"]
    assert claim["storageClassName"] == "fast"
    assert claim["resources"]["requests"]["storage"] == "5Gi"


def test_results_on_another_volume_or_none(renderer):
    def volume(**persistence):
        chart = objects(renderer, {"persistence": persistence})
        (found,) = chart["Job", "locust-load-test-matrix"]["spec"]["template"]["spec"]["volumes"]
        return ("PersistentVolumeClaim", "locust-results") in chart, found

    assert volume() == (True, {"name": "results",
                               "persistentVolumeClaim": {"claimName": "locust-results"}})
    assert volume(existingClaim="mine") == (False, {
        "name": "results", "persistentVolumeClaim": {"claimName": "mine"}})
    assert volume(enabled=False) == (False, {"name": "results", "emptyDir": {}})
    job = objects(renderer, {"persistence": {"enabled": False}})["Job", "locust-load-test-matrix"]
    assert job["spec"]["backoffLimit"] == 0
    assert [r["action"] for r in job["spec"]["podFailurePolicy"]["rules"]] == ["FailJob"]


def test_without_the_driver_there_is_no_right_to_scale(renderer):
    kinds = {kind for kind, _ in objects(renderer, {"driver": {"enabled": False}})}
    assert not kinds & {"Job", "Role", "RoleBinding", "ServiceAccount", "PersistentVolumeClaim"}


def test_notes_say_how_to_go_on(renderer):
    text = render(renderer)["NOTES.txt"]
    assert "http://NODE:30089" in text
    assert "kubectl -n llm logs -f job/locust-load-test-matrix" in text
    text = render(renderer, {"master": {"service": {"type": "ClusterIP"}},
                             "driver": {"enabled": False},
                             "target": {"enabled": False}})["NOTES.txt"]
    assert "port-forward service/locust-master 8089" in text and "job/" not in text
    assert "Deployment inference, Service inference" in text


@pytest.mark.parametrize("changes, place", [
    ({"driver": {"plan": {"users": [0]}}}, "driver.plan.users.0"),
    ({"driver": {"plan": {"users": []}}}, "driver.plan.users"),
    ({"driver": {"plan": {"users": [200, 200]}}}, "driver.plan.users"),
    ({"driver": {"plan": {"users": "200"}}}, "driver.plan.users"),
    ({"driver": {"plan": {"replicas": [1001]}}}, "driver.plan.replicas.0"),
    ({"driver": {"plan": {"duration": "soon"}}}, "driver.plan.duration"),
    ({"driver": {"plan": {"duration": ""}}}, "driver.plan.duration"),
    ({"driver": {"env": {"cicada_retries": "1"}}}, "driver.env"),
    ({"driver": {"env": {"CICADA_RETRIES": 1}}}, "driver.env.CICADA_RETRIES"),
    ({"drivers": {}}, ""),
    ({"workers": {"replica": 4}}, "workers"),
    ({"workers": {"replicas": -1}}, "workers.replicas"),
    ({"workers": {"resources": {"limits": {"memory": "lots"}}}},
     "workers.resources.limits.memory"),
    ({"master": {"service": {"nodePort": 8089}}}, "master.service.nodePort"),
    ({"master": {"service": {"type": "Ingress"}}}, "master.service.type"),
    ({"images": {"load": ""}}, "images.load"),
    ({"images": {"pullPolicy": "Sometimes"}}, "images.pullPolicy"),
    ({"target": {"url": "inference:8000"}}, "target.url"),
    ({"target": {"deployment": "a b"}}, "target.deployment"),
    ({"scenario": {"file": "../x.c"}}, "scenario.file"),
    ({"scenario": {"scripts": {"a/b.py": ""}}}, "scenario.scripts"),
    ({"persistence": {"size": "big"}}, "persistence.size"),
])
def test_wrong_values_are_refused_where_they_are(changes, place):
    values = merged(copy.deepcopy(VALUES), changes)
    errors = list(jsonschema.Draft7Validator(SCHEMA).iter_errors(values))
    assert place in [".".join(map(str, e.absolute_path)) for e in errors]
