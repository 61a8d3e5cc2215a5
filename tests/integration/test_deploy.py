# SPDX-License-Identifier: MIT
"""The manifests of deploy/: the names, ports and variables others rely on, and that the programs
start with exactly what the manifests give them."""

import fnmatch
import json
import os
import re
import shutil
import subprocess
import urllib.request

import pytest
import yaml

from kube_cluster import VirtualPod
from kube_double import EVERYTHING, KubeDouble
from kube_world import USER, World, make_kubeconfig, start_master
from programs import LOCUST, ROOT, find, free_port, wait_until

DEPLOY = ROOT / "deploy" / "kubernetes"
FILES = sorted(DEPLOY.glob("*.yaml"))
OBJECTS = [o for f in FILES if f.name != "kustomization.yaml"
           for o in yaml.safe_load_all(f.read_text())]
VARIANTS = [DEPLOY, *sorted((ROOT / "deploy" / "overlays").iterdir())]


def one(kind, name):
    (found,) = [o for o in OBJECTS if o["kind"] == kind and o["metadata"]["name"] == name]
    return found


def container_of(obj):
    (container,) = obj["spec"]["template"]["spec"]["containers"]
    return container


def env_of(obj):
    return {e["name"]: e["value"] for e in container_of(obj).get("env", [])}


WORKLOADS = [one("Deployment", "locust-master"), one("Deployment", "locust-worker"),
             one("Deployment", "inference"), one("Job", "locust-load-test-matrix")]
by_name = pytest.mark.parametrize("workload", WORKLOADS, ids=lambda o: o["metadata"]["name"])


def test_the_six_steps_find_their_files_and_objects():
    where = {(o["kind"], o["metadata"]["name"]): f.name for f in FILES
             if f.name != "kustomization.yaml" for o in yaml.safe_load_all(f.read_text())}
    assert where[("ServiceAccount", "locust-driver")] == "locust-driver-job.yaml"
    assert where[("Role", "locust-driver-role")] == "locust-driver-job.yaml"
    assert "locust-driver-job.yaml" in [f for (kind, _), f in where.items()
                                        if kind == "RoleBinding"]
    assert where[("ConfigMap", "locust-scripts")] == "locust-configmap.yaml"
    assert where[("Deployment", "locust-master")] == "locust-master.yaml"
    assert where[("Service", "locust-master")] == "locust-master.yaml"
    assert where[("Deployment", "locust-worker")] == "locust-worker.yaml"
    assert where[("Deployment", "inference")] == "inference.yaml"
    assert where[("Service", "inference")] == "inference.yaml"
    assert where[("Job", "locust-load-test-matrix")] == "locust-driver-job-simple.yaml"


def test_ports_are_those_of_the_order():
    service = one("Service", "locust-master")["spec"]
    assert service["type"] == "NodePort"
    assert {p["port"]: p.get("nodePort") for p in service["ports"]} == {
        8089: 30089, 5557: None, 5558: None}
    assert [p["port"] for p in one("Service", "inference")["spec"]["ports"]] == [8000]
    assert one("Deployment", "locust-worker")["spec"]["replicas"] == 4
    assert one("Deployment", "locust-master")["spec"]["replicas"] == 1
    assert container_of(one("Deployment", "inference"))["resources"]["limits"] == {
        "cpu": "1", "memory": "2Gi"}


def test_pods_with_metrics_say_where_they_are():
    """And those without say nothing: a scraper would call them down."""
    ports = {"inference": "8001", "locust-master": "8089"}
    for workload in WORKLOADS:
        said = workload["spec"]["template"]["metadata"].get("annotations")
        port = ports.get(workload["metadata"]["name"])
        assert said == (port and {"prometheus.io/scrape": "true", "prometheus.io/port": port,
                                  "prometheus.io/path": "/metrics"})
        assert not port or int(port) in [p["containerPort"] for p in container_of(workload)["ports"]]
    assert env_of(one("Deployment", "inference"))["CICADA_ADMIN_PORT"] == ports["inference"]


def test_variables_are_those_of_the_order():
    master, worker = (env_of(one("Deployment", n)) for n in ("locust-master", "locust-worker"))
    assert (master["LOCUST_MODE"], master["TARGET_HOST"]) == ("master", "http://inference:8000")
    assert (worker["LOCUST_MODE"], worker["MASTER"]) == ("worker", "locust-master:5557")
    for name in ("locust-master", "locust-worker"):
        workload = one("Deployment", name)
        (mount,) = [m for m in container_of(workload)["volumeMounts"]
                    if m["mountPath"] == "/home/locust"]
        (volume,) = [v for v in workload["spec"]["template"]["spec"]["volumes"]
                     if v["name"] == mount["name"]]
        assert volume["configMap"]["name"] == "locust-scripts"


def test_every_variable_is_known_to_its_program():
    for workload, program in zip(WORKLOADS, ["cicada", "cicada", "cicada-inference",
                                             "cicada-driver"]):
        said = subprocess.run([find(program), "--help"], capture_output=True, text=True,
                              check=True, timeout=30).stdout
        # LOCUST_MODE and MASTER stand in the help of the options they replace.
        unknown = [n for n in env_of(workload) if not re.search(rf"\b{n}\b", said)]
        assert not unknown, program


def check_replacement(job):
    """What another pod would not mend fails the Job; what stands in the way of a replacement does
    not (docs/driver.md, exit codes)."""
    assert job["backoffLimit"] > 0 and job["template"]["spec"]["restartPolicy"] == "Never"
    ignore, fail = job["podFailurePolicy"]["rules"]
    assert ignore == {"action": "Ignore", "onPodConditions": [
        {"type": "DisruptionTarget", "status": "True"}]}
    codes = fail["onExitCodes"]
    assert fail["action"] == "FailJob" and codes["operator"] == "In"
    assert codes["containerName"] == job["template"]["spec"]["containers"][0]["name"]
    table = (ROOT / "docs" / "driver.md").read_text().split("## Exit codes")[1].split("\n## ")[0]
    known = {int(c) for c in re.findall(r"^\| (\d+) \|", table, re.M)}
    assert known - set(codes["values"]) == {0, 105, 111} and set(codes["values"]) <= known
    assert codes["values"] == sorted(codes["values"])


@by_name
def test_nobody_is_root_and_nothing_is_writable_but_volumes(workload):
    pod, container = workload["spec"]["template"]["spec"], container_of(workload)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]}}
    assert set(container["resources"]) == {"requests", "limits"}
    # Why a program ended is in the pod's status, not in a log that goes with the pod.
    assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"
    if workload["kind"] == "Job":
        assert pod["serviceAccountName"] == "locust-driver"
        assert "activeDeadlineSeconds" in workload["spec"]
        check_replacement(workload["spec"])
    else:
        assert pod["automountServiceAccountToken"] is False


@by_name
def test_parts_refer_to_what_is_there(workload):
    template = workload["spec"]["template"]
    labels = template["metadata"]["labels"]
    if "selector" in workload["spec"]:
        assert workload["spec"]["selector"]["matchLabels"].items() <= labels.items()
    for label in ("name", "component", "part-of"):
        assert f"app.kubernetes.io/{label}" in labels
    volumes = {v["name"] for v in template["spec"].get("volumes", [])}
    assert {m["name"] for m in container_of(workload).get("volumeMounts", [])} == volumes
    ports = {p["name"] for p in container_of(workload).get("ports", [])}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        what = container_of(workload).get(probe, {})
        for way in ("httpGet", "tcpSocket"):
            assert what.get(way, {}).get("port") in ports | {None}


def test_services_and_policies_mean_pods_that_are_there():
    pods = {w["spec"]["template"]["metadata"]["labels"]["app"]: w for w in WORKLOADS}
    for service in (o for o in OBJECTS if o["kind"] == "Service"):
        # What is a key of a list: some servers do not apply without it (--server-side).
        assert all(p["protocol"] == "TCP" for p in service["spec"]["ports"])
        workload = pods[service["spec"]["selector"]["app"]]
        ports = {p["name"]: p["containerPort"] for p in container_of(workload)["ports"]}
        for port in service["spec"]["ports"]:
            assert ports[port["targetPort"]] == port["port"]
    policies = [o for o in OBJECTS if o["kind"] == "NetworkPolicy"]
    assert {p["spec"]["podSelector"]["matchLabels"]["app"] for p in policies} == set(pods)
    driver, target = ({p["metadata"]["name"]: p["spec"] for p in policies}[name]
                      for name in ("locust-driver", "inference"))
    metrics = [{"port": 8001, "protocol": "TCP"}]
    assert {"to": [{"podSelector": {"matchLabels": {"app": "inference"}}}],
            "ports": metrics} in driver["egress"]
    assert {"from": [{"podSelector": {"matchLabels": {"app": "locust-driver"}}}],
            "ports": metrics} in target["ingress"]
    assert env_of(one("Deployment", "inference"))["CICADA_ADMIN_PORT"] == "8001"
    text = (DEPLOY / "network-policies.yaml").read_text()
    assert set(re.findall(r"app: ([\w-]+)\}", text)) <= set(pods)


def test_the_configmap_is_the_scenario():
    subprocess.run([DEPLOY / "make_configmap", "--check"], check=True, timeout=30)
    for name, text in one("ConfigMap", "locust-scripts")["data"].items():
        assert text == (ROOT / "scenarios" / name).read_text()


def role_triples(rules):
    return {(g, r, v) for rule in rules for g in rule["apiGroups"] for r in rule["resources"]
            for v in rule["verbs"]}


def test_the_role_is_what_the_driver_asks_for(programs, target, tmp_path):
    rules = one("Role", "locust-driver-role")["rules"]
    world = World(programs, tmp_path, *start_master(programs))
    try:
        world.double.tokens["first"] = (USER, rules)
        world.cluster.add_deployment("inference", 2, service="inference")
        world.cluster.add_autoscaler("hpa", "inference", 1, 4)
        world.double.usage = lambda pod: ("5m", "20Mi", 15)
        driver = world.drive("--host", target.url, "--replicas", "1", "--workers", "1", "--users",
                             "4", "--duration", "2", "--pause-autoscaler")
        assert driver.wait(90) == 0, driver.text()
        # Events are of interest when something goes wrong.
        wait_until(lambda: world.cluster.get("deployments", "inference")["status"].get(
            "availableReplicas") == 2)
        world.cluster.set_kubelet("inference", lambda: VirtualPod(crashes=True))
        driver = world.drive("--host", target.url, "--replicas", "3", "--workers", "1", "--users",
                             "4", "--ready-timeout", "1", "--pause-autoscaler")
        assert driver.wait(90) == 1, driver.text()
        assert world.double.used == role_triples(rules)
        wait_until(lambda: len(world.cluster.pods_of("inference")) == 2, 30, "the crashed pod's end")
        driver = world.drive("--host", target.url, "--dry-run", "--pause-autoscaler")
        assert driver.wait(60) == 0, driver.text()
        assert world.double.reviewed == role_triples(rules)
    finally:
        world.close()


def test_the_programs_start_as_the_manifests_say(programs, tmp_path):
    """With the variables of the manifests and the files of the ConfigMap; only addresses differ."""
    scripts = tmp_path / "locust"
    scripts.mkdir()
    for name, text in one("ConfigMap", "locust-scripts")["data"].items():
        (scripts / name).write_text(text)

    def env(name):
        values = env_of(one("Deployment", name))
        if "LOCUST_LOCUSTFILE" in values:
            path = values["LOCUST_LOCUSTFILE"].replace("/home/locust", str(scripts))
            values["LOCUST_LOCUSTFILE"] = path
        return {**values, "CC": "tcc", "XDG_CACHE_HOME": str(tmp_path)}

    service = programs.start(
        "cicada-inference", ready=r"ready on \S+:(\d+)",
        env={**env("inference"), "CICADA_LISTEN_HOST": "127.0.0.1", "CICADA_LISTEN_PORT": "0",
             "CICADA_ADMIN_PORT": "0"})
    master = programs.start(
        "cicada", ready=r"Starting web interface at (\S+)",
        env={**env("locust-master"), "LOCUST_WEB_HOST": "127.0.0.1", "LOCUST_WEB_PORT": "0",
             "LOCUST_MASTER_BIND_HOST": "127.0.0.1", "LOCUST_MASTER_BIND_PORT": "0"})
    port = master.wait_line(r"Listening for workers on tcp://127\.0\.0\.1:(\d+)").group(1)
    programs.start("cicada", env={**env("locust-worker"), "MASTER": f"127.0.0.1:{port}"})
    job = env_of(one("Job", "locust-load-test-matrix"))
    plan, code = programs.run("cicada-driver", "plan", env=job)
    assert code == 0
    assert "24 scenarios" in plan.text() and "platform kubernetes" in plan.text()
    driver = programs.start(
        "cicada-driver", "--platform", "remote", "--replicas", "1", "--workers", "1", "--users",
        "5", "--duration", "2", "--linger", "0",
        env={**job, "CICADA_MASTER_URL": master.ready.group(1), "RESULTS_DIR": str(tmp_path / "r"),
             "TARGET_HOST": f"http://127.0.0.1:{service.ready.group(1)}",
             "CICADA_TERMINATION_LOG": str(tmp_path / "message")})
    assert driver.wait(60) == 0, driver.text()
    assert "1 of 1 scenarios ok" in (tmp_path / "message").read_text()


@pytest.mark.parametrize("folder", VARIANTS, ids=lambda p: p.name)
def test_kustomizations_name_files_that_are_there(folder):
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    names = {(o["kind"], o["metadata"]["name"]) for o in OBJECTS}
    for resource in kustomization["resources"]:
        assert (folder / resource).exists(), resource
    for patch in kustomization.get("patches", []):
        assert (patch["target"]["kind"], patch["target"]["name"]) in names
        assert "patch" in patch or (folder / patch["path"]).exists()
    used = {c["image"].split(":")[0] for c in map(container_of, WORKLOADS)}
    assert {i["name"] for i in kustomization.get("images", [])} <= used


def kustomize():
    """The command that builds a kustomization, if there is one that is young enough."""
    for command in (["kubectl", "kustomize"], ["kustomize", "build"]):
        if shutil.which(command[0]):
            said = subprocess.run([*command, DEPLOY], capture_output=True, timeout=60, check=False)
            if said.returncode == 0:
                return command
    return None


@pytest.mark.skipif(kustomize() is None, reason="no kubectl or kustomize")
@pytest.mark.parametrize("folder", VARIANTS, ids=lambda p: p.name)
def test_kustomizations_build(folder):
    built = subprocess.run([*kustomize(), folder], capture_output=True, text=True, check=True,
                           timeout=60)
    objects = {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(built.stdout)}
    assert set(objects) == {(o["kind"], o["metadata"]["name"]) for o in OBJECTS}
    env = env_of(objects["Job", "locust-load-test-matrix"])
    images = {container_of(o)["image"] for o in objects.values()
              if o["kind"] in ("Deployment", "Job")}
    if folder.name == "demo":
        assert (env["CICADA_REPLICAS"], env["RESULTS_DIR"]) == ("1,2", "/results")
    elif folder.name == "prod":
        assert all(re.fullmatch(r"registry\.example\.com/[\w-]+:\d+\.\d+\.\d+", i)
                   for i in images)
        assert objects["Service", "locust-master"]["spec"]["type"] == "ClusterIP"
    elif folder.name == "python-locustfile":
        for name in ("locust-master", "locust-worker"):
            assert env_of(objects["Deployment", name])["LOCUST_LOCUSTFILE"].endswith(".py")
    elif folder.name == "locust":
        assert images == {"locustio/locust:latest", "inference:latest", "locust-driver:latest"}
        pods = objects["Deployment", "locust-master"]["spec"]["template"]["metadata"]
        assert "annotations" not in pods  # it has no /metrics
    else:
        assert images == {"cicada:latest", "inference:latest", "locust-driver:latest"}


@pytest.mark.skipif(kustomize() != ["kubectl", "kustomize"], reason="no kubectl")
def test_kubectl_takes_every_manifest_without_a_warning(tmp_path):
    """As it would be applied, with a server that has none of it yet; nothing is sent."""
    double = KubeDouble(tmp_path)
    try:
        double.tokens["first"] = ("kubernetes-admin", EVERYTHING)
        config = make_kubeconfig(tmp_path / "kubeconfig", double.url, double.ca, "token: first",
                                 "llm")
        for folder in VARIANTS:
            said = subprocess.run(
                ["kubectl", "--kubeconfig", config, "apply", "--dry-run=client", "--validate=false",
                 "-k", folder], capture_output=True, text=True, check=True, timeout=60,
                env={**os.environ, "HOME": str(tmp_path)})
            assert said.stderr == ""
            assert len(re.findall(r" created \(dry run\)$", said.stdout, re.M)) == len(OBJECTS)
        assert all(r.startswith("GET ") for r in double.requests)
    finally:
        double.close()


@pytest.mark.skipif(kustomize() is None, reason="no kubectl or kustomize")
def test_locusts_own_program_starts_as_its_overlay_says(programs, tmp_path):
    """With nothing but the variables of the overlay; only addresses differ. On the other side of each
    is ours, for the package of Debian 12 does not know its version, and refuses itself."""
    built = subprocess.run([*kustomize(), ROOT / "deploy" / "overlays" / "locust"],
                           capture_output=True, text=True, check=True, timeout=60)
    objects = {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(built.stdout)}
    script = tmp_path / "locustfile.py"
    script.write_text(objects["ConfigMap", "locust-scripts"]["data"]["locustfile.py"])

    def env(name, **addresses):
        values = env_of(objects["Deployment", name])
        assert values["LOCUST_LOCUSTFILE"] == "/home/locust/locustfile.py"
        return {**values, "LOCUST_LOCUSTFILE": str(script), **addresses}

    def has_worker(url):
        try:
            with urllib.request.urlopen(f"{url}/stats/requests", timeout=30) as r:
                return [w["state"] for w in json.load(r).get("workers", [])] == ["ready"]
        except OSError:
            return False  # Locust says that it listens before it does

    assert env("locust-worker")["LOCUST_MASTER_NODE_HOST"] == "locust-master"
    url, worker = start_master(programs)
    web, port = str(free_port()), str(free_port())
    programs.start(LOCUST, env=env("locust-worker", LOCUST_MASTER_NODE_HOST="127.0.0.1",
                                   LOCUST_MASTER_NODE_PORT=worker[worker.index("--master-port") + 1]))
    programs.start(LOCUST, env=env("locust-master", LOCUST_WEB_HOST="127.0.0.1", LOCUST_WEB_PORT=web,
                                   LOCUST_MASTER_BIND_HOST="127.0.0.1",
                                   LOCUST_MASTER_BIND_PORT=port))
    programs.start("cicada", env=env("locust-worker", MASTER=f"127.0.0.1:{port}",
                                     LOCUST_MASTER_NODE_HOST="127.0.0.1",
                                     LOCUST_MASTER_NODE_PORT=port))
    wait_until(lambda: has_worker(url), 60)
    wait_until(lambda: has_worker(f"http://127.0.0.1:{web}"), 60)
    with urllib.request.urlopen(f"http://127.0.0.1:{web}/", timeout=30) as r:
        assert b"http://inference:8000" in r.read()


DOCKER = ROOT / "deploy" / "docker"
DOCKERFILES = sorted(DOCKER.iterdir())


def stages_of(dockerfile):
    _, build, final = dockerfile.read_text().split("\nFROM ${DEBIAN}")
    return build, final


def installed_by(dockerfile):
    _, final = stages_of(dockerfile)
    return set(re.search(r"apt-get install (.*?)&&", final, re.S).group(1).split())


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="not Debian")
@pytest.mark.parametrize("program, dockerfile", [
    ("cicada", "Dockerfile"), ("cicada-driver", "Dockerfile.driver"),
    ("cicada-inference", "Dockerfile.inference")])
def test_images_have_the_libraries_of_their_program(program, dockerfile):
    installed = installed_by(DOCKER / dockerfile)
    headers = subprocess.run(["objdump", "-p", find(program)], capture_output=True, text=True,
                             check=True, timeout=30).stdout
    for library in re.findall(r"NEEDED\s+(\S+)", headers):
        if re.match(r"lib(asan|ubsan|tsan)\.", library):
            continue
        owners = subprocess.run(["dpkg", "-S", f"*/{library}"], capture_output=True, text=True,
                                check=True, timeout=60).stdout
        packages = {line.split(":")[0] for line in owners.splitlines()}
        assert packages & (installed | {"libc6"}), f"{library} is in {packages}"


def test_the_load_image_has_no_compiler_but_tcc():
    installed = installed_by(DOCKER / "Dockerfile")
    assert "libc6-dev" in installed
    assert not installed & {"gcc", "clang", "build-essential", "g++"}
    final = stages_of(DOCKER / "Dockerfile")[1]
    (choice,) = re.findall(r"\$\((\[ .*? echo gcc \|\| echo tcc)\)", final)
    for machine, compiler in (("amd64", "tcc"), ("arm64", "gcc")):
        said = subprocess.run(["sh", "-c", f"dpkg() {{ echo {machine}; }}; {choice}"], check=True,
                              capture_output=True, text=True, timeout=30).stdout
        assert said == f"{compiler}\n"


def test_the_images_share_their_build_and_run_as_the_manifests_say():
    """Whoever builds all three compiles once, when the stage is the same to the letter."""
    assert len(DOCKERFILES) == 3 and len({stages_of(d)[0] for d in DOCKERFILES}) == 1
    (user,) = {w["spec"]["template"]["spec"]["securityContext"]["runAsUser"] for w in WORKLOADS}
    for dockerfile in DOCKERFILES:
        final = stages_of(dockerfile)[1]
        assert f"\nUSER {user}:{user}\n" in final
        assert re.search(r'org\.opencontainers\.image\.title="(cicada[\w-]*)"', final)
        # An entry point in a shell would keep SIGTERM from the program.
        assert re.search(r'\nENTRYPOINT \["cicada[\w-]*"\]\n$', final)


def test_the_images_set_no_scenario_and_a_platform_that_can_be(programs):
    """A locustfile in the working folder is found, as in Locust's image; and of the driver's platforms
    local needs programs that are in other images."""
    lines = {d.name: re.findall(r"\nENV (.*)", stages_of(d)[1]) for d in DOCKERFILES}
    said = {name: dict(re.findall(r"(\w+)=(\S+)", " ".join(v))) for name, v in lines.items()}
    assert said["Dockerfile"] == said["Dockerfile.inference"] == {}
    plan, code = programs.run("cicada-driver", "plan", env=said["Dockerfile.driver"])
    assert code == 0 and "platform kubernetes" in plan.text()


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="not Debian")
def test_the_load_image_has_the_packages_that_locust_brings():
    """What a locustfile may import because Locust is there, it may import here. The rest is for pages
    and a rounding that are cicada's own."""
    wants = subprocess.run(["dpkg-query", "-W", "-f", "${Depends}", "python3-locust"], timeout=60,
                           capture_output=True, text=True, check=True).stdout
    wanted = set(re.findall(r"python3-[\w-]+", wants))
    assert wanted - installed_by(DOCKER / "Dockerfile") == {
        "python3-flask-basicauth", "python3-flask-cors", "python3-roundrobin", "python3-werkzeug"}


def test_the_build_context_has_all_that_the_programs_are_made_of():
    build = find("cicada").parent
    ignored = (ROOT / ".dockerignore").read_text().split()
    sources = subprocess.run(["ninja", "-C", build, "-t", "inputs", "cicada", "cicada-driver",
                              "cicada-inference"], capture_output=True, text=True, check=True,
                             timeout=60).stdout.splitlines()
    read = subprocess.run(["meson", "introspect", "--buildsystem-files", build], check=True,
                          capture_output=True, text=True, timeout=60).stdout
    files = {(build / f).resolve() for f in [*sources, *json.loads(read)]}
    files = {f.relative_to(ROOT) for f in files if f.is_relative_to(ROOT)}
    files = {f for f in files if f.parts[0] != "build"}
    assert len(files) > 100 and {"meson.build", "src", "ui"} <= {f.parts[0] for f in files}
    for pattern in ignored:
        # Without a slash dockerignore means the root only.
        hidden = [f for f in files for p in [f, *f.parents]
                  if fnmatch.fnmatch(str(p), pattern.removeprefix("**/"))]
        assert not hidden, pattern
