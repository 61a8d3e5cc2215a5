# SPDX-License-Identifier: MIT
"""tools/e2e_kubernetes against a kubectl that plays a cluster: what it asks for, and that it finds what is
wrong. The kubectl of the cluster is a program of this file; its state is a folder."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
KUBECTL = r'''#!%(python)s
import os, pathlib, sys, time
state, args = pathlib.Path(%(state)r), sys.argv[1:]
with open(state / "calls", "a") as f:
    f.write(" ".join(args) + "\n")
flaw = (state / "flaw").read_text()
if args[0] == "-n":
    assert args[1] == "e2e-test"
    args = args[2:]
names = [p.name for p in sorted(state.glob("pod-*"))]
said = " ".join(args)
if said == "get namespace e2e-test":
    sys.exit(flaw != "a namespace of somebody else")
elif args[0] == "apply":
    (state / "pod-1").write_text("cicada-driver: 2 scenarios, about 9s\n- Deployment inference: 1 replicas before\n"
                                 "- Deployment locust-worker: 4 replicas before\n"
                                 "[1/2] replicas=1 workers=1 users=5   ok: 9.1 RPS\n")
    if flaw == "a warning":
        print("Warning: would violate PodSecurity", file=sys.stderr)
    print("deployment.apps/inference created")
elif args[:2] == ["get", "pods"]:
    print("\n".join("pod/" + n for n in names))
elif args[0] == "delete" and args[1].startswith("pod/"):
    assert args[1] == "pod/pod-1" and "--force" in args
    (state / "pod-2").write_text("" if flaw == "it begins anew" else
                                 "Continuing /results/run.jsonl: 1 of 2\n")
elif args[0] == "logs":
    pod = state / args[-1].removeprefix("pod/")
    print(pod.read_text(), end="")
    if pod.name == "pod-2" and args[1] != "-f":
        with open(pod, "a") as f:
            f.write("Waiting 10m00s, so that the results can be copied\n")
elif args[:2] == ["get", "job"]:
    print("BackoffLimitExceeded" if flaw == "it begins anew" else "", end="")
elif args[0] == "cp":
    source, target = args[1:]
    assert source.startswith("pod-2:/results/")
    rows = {"a row is missing": "1,1,5,9,,,,,,,,ok\n", "a row is not ok": "1,1,5,9,,,,,,,,ok\n2,1,5,9,,,,,,,,changed\n",
            "a scenario has two rows": 2 * "1,1,5,9,,,,,,,,ok\n" + "2,1,5,9,,,,,,,,ok\n"}
    text = {"auto_summary.csv": "Replicas,...\n" + rows.get(flaw, "1,1,5,9,,,,,,,,ok\n2,1,5,9,,,,,,,,ok\n"),
            "auto_summary.md": "- **Best Throughput:** 9 RPS\n"}
    pathlib.Path(target).write_text(text.get(source.split("/")[-1], ""))
elif args[:3] == ["get", "deployment", "inference"]:
    print(8 if flaw == "replicas are not given back" else 1, end="")
elif args[:2] == ["get", "deployment"]:
    print(4, end="")
'''


def run(folder, flaw=""):
    state = folder / "state"
    state.mkdir()
    (state / "flaw").write_text(flaw)
    kubectl = folder / "kubectl"
    kubectl.write_text(KUBECTL % {"python": sys.executable, "state": str(state)})
    kubectl.chmod(0o755)
    done = subprocess.run(
        [ROOT / "tools" / "e2e_kubernetes", "deploy/overlays/demo"], capture_output=True, text=True,
        check=False, timeout=120,
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "E2E_NAMESPACE": "e2e-test",
             "E2E_RESULTS": str(folder / "results"), "E2E_PAUSE": "0.01", "E2E_TIMEOUT": "60"})
    return done, (state / "calls").read_text()


def test_it_walks_from_the_manifests_to_the_files_and_cleans_up(tmp_path):
    done, calls = run(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "e2e: 2 rows, all ok" in done.stdout
    assert "label namespace e2e-test pod-security.kubernetes.io/enforce=restricted" in calls
    assert "-n e2e-test apply -k deploy/overlays/demo" in calls
    assert calls.splitlines()[-1] == "delete namespace e2e-test --wait=false"


@pytest.mark.parametrize("flaw, said", [
    ("a namespace of somebody else", "is there already"), ("a warning", "with a warning"),
    ("it begins anew", "the Job has failed"), ("a row is missing", "1 of 2 scenarios"),
    ("a row is not ok", "these rows are not ok"), ("a scenario has two rows", "has two rows"),
    ("replicas are not given back", "inference has 8 replicas, and had 1 before")])
def test_it_says_what_is_wrong_and_cleans_up(tmp_path, flaw, said):
    done, calls = run(tmp_path, flaw)
    assert done.returncode == 1 and "e2e: " in done.stderr and said in done.stderr, done
    is_ours = flaw != "a namespace of somebody else"
    assert ("delete namespace" in calls) == is_ours
