# SPDX-License-Identifier: MIT
"""cicada-driver --platform kubernetes against the double of the API server.

Workers are real ones in "pods" of the double, the master is a real one. Where the target's own work
does not matter its pods only keep time, and a counting server answers in their place."""

import base64
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import urllib.request

import pytest
import yaml

from kube_cluster import ProcessPod, VirtualPod
from kube_double import KubeDouble
from kube_world import USER, ClusterIP, World, make_kubeconfig, start_master
from programs import free_port, wait_until
from target import Target


@pytest.fixture
def world(programs, tmp_path):
    world = World(programs, tmp_path, *start_master(programs))
    yield world
    world.close()


@pytest.fixture
def timed(world, target):
    """The world with a target whose pods only keep time."""
    world.cluster.add_deployment("inference", 2, service="inference")
    wait_until(lambda: world.cluster.get("deployments", "inference")["status"].get(
        "availableReplicas") == 2)
    # Users wait up to 2 s: of twelve one asks within any second.
    world.host = ["--host", target.url, "--replicas", "1", "--workers", "1", "--users", "12"]
    return world


@pytest.fixture
def real(world):
    """The world with real replicas, each at an address of its own behind a Service."""
    places = itertools.count(2)
    port, world.metrics_port = free_port(), free_port()

    def replica():
        address = f"127.88.0.{next(places)}"
        return ProcessPod(
            world.programs, ["cicada-inference", "--host", address, "--port", str(port),
                             "--admin-port", str(world.metrics_port), "--threads", "1"],
            r"cicada-inference ready on", address=address)

    world.cluster.add_deployment("inference", 3, replica, service="inference")
    service = ClusterIP(world.cluster, "inference", port)
    world.host = ["--host", service.url, "--target-metrics-port", str(world.metrics_port)]
    yield world
    service.close()


def test_a_whole_matrix_of_real_programs(real):
    host = real.host[1].replace("://", "://me:s3cret@")
    wait_until(lambda: real.cluster.get("deployments", "inference")["status"].get(
        "availableReplicas") == 3)
    driver = real.drive("--host", host, *real.host[2:], "--replicas", "1,2", "--workers", "1,2",
                        "--users", "5", "--duration", "2")
    assert driver.wait(180) == 0, driver.text()
    rows = real.rows()
    assert [(r["Replicas"], r["Workers"], r["Status"]) for r in rows] == [
        (a, b, "ok") for a in "12" for b in "12"]
    assert all(float(r["RPS"]) > 0 and float(r["Failures_Pct"]) == 0 for r in rows)
    # Counted by the replicas themselves.
    assert all(r["Server_Requests"] == r["Total_Requests"] != "" for r in rows)
    # What they say of themselves, each pod asked at its own address.
    for r in rows:
        assert 0 <= float(r["Server_CPU_Pct"]) < 200 and 1 < float(r["Server_Memory_MiB"]) < 4096
        assert float(r["Server_CPU_ms"]) > 0 and float(r["Server_Compute_ms"]) > 0
        share = float(r["Server_Share_Max_Pct"])
        assert share == 100 if r["Replicas"] == "1" else 50 <= share < 100
    assert all(r["Note"] == "" for r in rows)
    # Once, not for each scenario.
    assert 0 < sum("selfsubjectaccessreviews" in r for r in real.double.requests) < 20
    assert (real.replicas("inference"), real.replicas("locust-worker")) == (3, 1)
    assert "platform kubernetes" in driver.text("stdout")
    report = (real.folder / "results" / "auto_summary.md").read_text()
    assert re.search(r"- Deployment inference: 3 replicas before\n", report)
    assert f"target {real.host[1]} by Service inference" in report
    assert re.search(r"- Images of inference: server:latest \(docker\S+@sha256:5{64}\)\n", report)
    assert "s3cret" not in report + driver.text()


def test_a_tag_that_was_moved_between_two_rows_is_told(timed):
    timed.cluster.digest = "6" * 64
    driver = timed.drive(*timed.host[:2], "--replicas", "1,3", "--workers", "1", "--users", "12",
                         "--duration", "1", "--target-metrics-port", "0")
    assert driver.wait(60) == 0, driver.text()
    assert [r["Status"] for r in timed.rows()] == ["ok", "ok"]
    assert "other images" not in timed.rows()[0]["Note"]
    assert re.search(r"^inference has other images than when the driver came: server:latest "
                     r"\(docker\S+@sha256:6{64}\)", timed.rows()[1]["Note"]), timed.rows()


def test_pods_replaced_between_two_rows_of_the_same_replicas_are_no_loss(timed):
    """Nothing is scaled then, so that only the server knows that those of the watch are old."""
    timed.cluster.digest = "6" * 64
    driver = timed.drive(*timed.host[:2], "--replicas", "1", "--workers", "1", "--users", "12,13",
                         "--duration", "1", "--cooldown", "3", "--retries", "0",
                         "--target-metrics-port", "0")
    driver.wait_line(r"users=12 .* ok: ", 60)
    (pod,) = timed.cluster.pods_of("inference")
    timed.cluster.remove("pods", pod["metadata"]["name"])
    assert driver.wait(60) == 0, driver.text()
    assert [r["Status"] for r in timed.rows()] == ["ok", "ok"], timed.rows()
    assert "inference has other images than when the driver came" in timed.rows()[1]["Note"]


def test_a_target_without_the_counter_is_measured_and_says_so(timed, tmp_path):
    """Its pods have a page of metrics, of another make."""
    for body, said in [(b"# TYPE requests_total counter\nrequests_total 1\n",
                        "has no counter inference_requests_total"),
                       (b"inference_requests_total 1.5\n", "has no counter"),
                       (None, "/metrics")]:
        page = Target(address=("127.88.0.1", 0),
                      pages={"/metrics": (200 if body else 404, None, body or b"")})
        try:
            driver = timed.drive(*timed.host, "--duration", "1", "--fresh", "--target-metrics-port",
                                 page.url.rsplit(":", 1)[1])
            assert driver.wait(60) == 0, driver.text()
        finally:
            page.close()
        (row,) = timed.rows()
        assert (row["Status"], row["Server_Requests"]) == ("ok", "")
        assert "the replicas' requests were not counted: " in row["Note"] and said in row["Note"]
    driver = timed.drive(*timed.host, "--duration", "1", "--fresh", "--target-metrics-port", "0")
    assert driver.wait(60) == 0 and "not counted" not in timed.rows()[0]["Note"]


def test_what_the_cluster_measures_of_the_pods_is_in_the_row(timed):
    """And why not, where it does not. The pods have no page of their own."""
    timed.double.usage = lambda pod: ("250m", "20Mi", 0.5)
    args = [*timed.host, "--duration", "1", "--fresh", "--target-metrics-port", "0"]
    driver = timed.drive(*args)
    assert driver.wait(60) == 0, driver.text()
    (row,) = timed.rows()
    assert (row["Server_CPU_Pct"], row["Server_Memory_MiB"]) == ("25.00", "20.00"), row
    assert row["Note"] == "" and row["Server_CPU_ms"] == ""
    # What was measured before the window began says nothing of it.
    timed.double.usage = lambda pod: ("250m", "20Mi", 80)
    driver = timed.drive(*args)
    assert driver.wait(60) == 0 and timed.rows()[0]["Server_CPU_Pct"] == "", timed.rows()
    for usage, rules, said in [
            (None, [], "the cluster has no metrics.k8s.io"),
            (timed.double.usage, rules_without("", "events", "list"),
             '{apiGroups: ["metrics.k8s.io"], resources: ["pods"], verbs: ["list"]}')]:
        timed.double.usage = usage
        timed.double.tokens["first"] = (USER, rules or timed.double.tokens["first"][1])
        driver = timed.drive(*args)
        assert driver.wait(60) == 0, driver.text()
        (row,) = timed.rows()
        assert row["Status"] == "ok" and row["Server_CPU_Pct"] == ""
        assert "CPU and memory of the pods are not known: " in row["Note"] and said in row["Note"]
    driver = timed.drive(*timed.host, "--dry-run")
    driver.wait(60)
    assert "  ok     no right to list pods of metrics.k8s.io: CPU and memory as the cluster " \
        "measures them are left out\n" in driver.text("stdout"), driver.text()
    assert "  ok     no right to list events: what they say of a row that went wrong is left " \
        "out\n" in driver.text("stdout"), driver.text()
    assert "The Role of the driver lacks" not in driver.text("stdout")


def test_replicas_that_have_counted_something_else_are_not_believed(timed):
    page = Target(address=("127.88.0.1", 0),
                  pages={"/metrics": (200, None, b"inference_requests_total 5\n")})
    try:
        driver = timed.drive(*timed.host, "--duration", "1", "--target-metrics-port",
                             page.url.rsplit(":", 1)[1])
        assert driver.wait(60) == 1, driver.text()
    finally:
        page.close()
    (row,) = timed.rows()
    assert (row["Status"], row["Server_Requests"]) == ("counts_differ", "0")
    assert int(row["Total_Requests"]) > 0


def test_a_rough_api_server_changes_nothing(timed):
    """429s, broken calls, ended watches and forgotten versions, before and in the window."""
    timed.double.fail(429, times=2, path="/scale")
    timed.double.fail(500, times=2, path="/pods")
    timed.double.fail(503, times=1, path="endpointslices")
    driver = timed.drive(*timed.host, "--duration", "4", ready=r"\[1/")
    timed.double.is_cutting_watches = True
    driver.wait_line(r"RPS: ", 60)
    timed.double.is_cutting_watches = False
    timed.cluster.forget_history()
    timed.double.fail(500, times=3)
    assert driver.wait(120) == 0, driver.text()
    (row,) = timed.rows()
    assert row["Status"] == "ok", row
    assert timed.replicas("inference") == 2


def test_slow_replicas_are_waited_for(timed):
    timed.cluster.set_kubelet("inference", lambda: VirtualPod(ready_s=3, stop_s=2))
    driver = timed.drive(*timed.host[:2], "--replicas", "4,1", "--workers", "1", "--users", "12",
                         "--duration", "1")
    driver.wait_line(r"inference: \d of 4 (replicas are available|pods are ready)", 60)
    driver.wait_line(r"inference: 1 of 1 pods are ready, [1-3] old ones are ending", 60)
    assert driver.wait(120) == 0, driver.text()
    assert [r["Status"] for r in timed.rows()] == ["ok", "ok"]


def test_images_of_pods_that_are_still_being_made_are_waited_for(timed):
    timed.cluster.set_kubelet("inference", lambda: VirtualPod(making_s=1.5))
    timed.cluster.scale("inference", 0)
    wait_until(lambda: not timed.cluster.pods_of("inference"))
    timed.cluster.scale("inference", 1)
    wait_until(lambda: timed.cluster.pods_of("inference"))
    driver = timed.drive(*timed.host, "--duration", "1")
    assert driver.wait(120) == 0, driver.text()
    report = (timed.folder / "results" / "auto_summary.md").read_text()
    assert re.search(r"- Images of inference: server:latest \(docker\S+@sha256:5{64}\)\n", report)


def test_pods_that_crash_are_never_measured_and_named(timed):
    timed.cluster.set_kubelet("inference", lambda: VirtualPod(crashes=True))
    message = timed.folder / "termination-log"
    driver = timed.drive(*timed.host[:2], "--replicas", "3", "--workers", "1", "--users", "12",
                         "--duration", "1", "--ready-timeout", "3", "--termination-log", message)
    assert driver.wait(60) == 1, driver.text()
    (row,) = timed.rows()
    assert message.read_text().startswith(
        "0 of 1 scenarios ok\nreplicas=3 workers=1 users=12: target_not_ready: inference: 2 of 3")
    assert row["Status"] == "target_not_ready" and row["RPS"] == ""
    assert re.search(r"inference: 2 of 3 replicas are available; pod inference-\S+: container "
                     r"server ended with code 1 \(Error\), \d+ restarts / Events: Pod inference-\S+: "
                     r"BackOff( \(\d+ times\))?: Back-off restarting failed container", row["Note"]), row
    assert timed.replicas("inference") == 2


def test_an_eviction_in_the_window_makes_the_row_invalid(timed):
    driver = timed.drive(*timed.host, "--duration", "30")
    driver.wait_line(r"RPS: ", 60)
    (pod,) = timed.cluster.pods_of("inference")
    timed.cluster.evict(pod)
    assert driver.wait(60) == 1, driver.text()
    (row,) = timed.rows()
    assert row["Status"] == "lost_replica"
    name = pod["metadata"]["name"]
    assert f"pod {name} has ended: Evicted: The node was low" in row["Note"]
    assert f" / Events: Pod {name}: Evicted: The node was low on resource" in row["Note"]
    assert "lost_replica" in (timed.folder / "results" / "auto_summary.md").read_text()
    assert timed.replicas("inference") == 2


def test_a_worker_that_restarts_in_the_window_makes_the_row_invalid(timed):
    driver = timed.drive(*timed.host, "--duration", "30")
    driver.wait_line(r"RPS: ", 60)
    (pod,) = timed.cluster.pods_of("locust-worker")
    timed.cluster.process_of(pod).program.kill()
    assert driver.wait(60) == 1, driver.text()
    (row,) = timed.rows()
    assert row["Status"] == "lost_worker", row


def test_a_scale_by_somebody_else_makes_the_row_invalid(timed):
    driver = timed.drive(*timed.host, "--duration", "30")
    driver.wait_line(r"RPS: ", 60)
    timed.cluster.scale("inference", 3)
    assert driver.wait(60) == 1, driver.text()
    (row,) = timed.rows()
    assert row["Status"] == "changed"
    assert "somebody else scaled Deployment inference from 1 to 3" in row["Note"]
    assert timed.replicas("inference") == 2


def test_a_service_that_leads_elsewhere_makes_the_row_invalid(timed):
    driver = timed.drive(*timed.host, "--duration", "30")
    driver.wait_line(r"RPS: ", 60)
    timed.cluster.lead("inference", None)
    assert driver.wait(60) == 1, driver.text()
    (row,) = timed.rows()
    assert row["Status"] == "lost_replica"
    assert "Service inference has 0 ready endpoints, 1 were measured: was its selector changed?" \
        in row["Note"]


def test_a_deployment_that_is_removed_is_said_to_be_gone(timed):
    driver = timed.drive(*timed.host, "--duration", "30")
    driver.wait_line(r"RPS: ", 60)
    with timed.cluster.changed:
        timed.cluster.remove("deployments", "inference")
    assert driver.wait(60) == 111, driver.text()
    (row,) = timed.rows()
    assert row["Status"] == "lost_replica"
    assert row["Note"] == "Deployment inference is gone from namespace llm"
    assert "\n  kubectl -n llm scale deployment inference --replicas=2\n" in driver.text("stderr")


def test_a_paused_deployment_is_not_measured_and_named(timed):
    with timed.cluster.changed:
        deployment = timed.cluster.get("deployments", "inference")
        deployment["spec"]["paused"] = True
        timed.cluster.put("deployments", deployment)
    driver = timed.drive(*timed.host, "--ready-timeout", "1")
    assert driver.wait(60) == 1, driver.text()
    (row,) = timed.rows()
    assert row["Status"] == "target_not_ready"
    assert row["Note"] == ("inference: 0 of 1 replicas are of its newest version; the Deployment is "
                           "paused: kubectl rollout resume deployment inference")


def test_a_change_the_watches_did_not_tell_is_found_at_the_end(timed):
    driver = timed.drive(*timed.host, "--duration", "8")
    driver.wait_line(r"RPS: ", 60)
    # The watches are silent from here on; lists are not.
    timed.double.is_mute = True
    (pod,) = timed.cluster.pods_of("inference")
    timed.cluster.evict(pod)
    assert driver.wait(60) == 1, driver.text()
    (row,) = timed.rows()
    assert row["Status"] == "lost_replica" and row["RPS"] != ""
    assert "Evicted" in row["Note"]


def test_beside_an_autoscaler_it_does_not_start(timed):
    timed.cluster.add_autoscaler("inference-hpa", "inference", 1, 6)
    driver = timed.drive(*timed.host, "--duration", "1")
    assert driver.wait(60) == 111
    assert re.search(r"HorizontalPodAutoscaler inference-hpa scales Deployment inference too "
                     r"\(1 to 6 replicas\).*--pause-autoscaler", driver.text("stderr"))
    assert timed.replicas("inference") == 2
    timed.cluster.remove("horizontalpodautoscalers", "inference-hpa")
    timed.cluster.add_autoscaler("keda-hpa-x", "inference", 1, 6, owner=("ScaledObject", "x"))
    driver = timed.drive(*timed.host, "--duration", "1", "--pause-autoscaler")
    assert driver.wait(60) == 111
    assert "annotate scaledobject x autoscaling.keda.sh/paused=true" in driver.text("stderr")


def test_an_autoscaler_that_comes_later_is_named(timed):
    driver = timed.drive(*timed.host[:2], "--replicas", "1,2", "--workers", "1", "--users", "12",
                         "--duration", "2")
    driver.wait_line(r"RPS: ", 60)
    timed.cluster.add_autoscaler("late", "inference", 1, 6)
    assert driver.wait(60) == 1, driver.text()
    assert [r["Status"] for r in timed.rows()] == ["ok", "target_not_ready"]
    assert "HorizontalPodAutoscaler late scales Deployment inference too" in timed.rows()[1]["Note"]


def test_an_autoscaler_is_held_and_gets_its_bounds_back(timed):
    timed.cluster.add_autoscaler("inference-hpa", "inference", 2, 3)
    driver = timed.drive(*timed.host[:2], "--replicas", "1,4", "--workers", "1", "--users", "12",
                         "--duration", "1", "--pause-autoscaler")
    assert driver.wait(120) == 0, driver.text()
    assert "Deployment inference: 2 replicas before; its autoscaler is held" in driver.text()
    assert [(r["Replicas"], r["Status"]) for r in timed.rows()] == [("1", "ok"), ("4", "ok")]
    spec = timed.cluster.get("horizontalpodautoscalers", "inference-hpa")["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 3)
    assert timed.replicas("inference") == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_when_stopped_it_gives_back_what_it_scaled(timed, number):
    message = timed.folder / "termination-log"
    driver = timed.drive(*timed.host, "--duration", "60", "--termination-log", message)
    driver.wait_line(r"RPS: ", 60)
    assert timed.replicas("inference") == 1
    driver.signal(number)
    assert driver.wait(60) == 105, driver.text()
    assert message.read_text().startswith("interrupted\n0 of 1 scenarios ok\nreplicas=1 ")
    assert timed.rows()[0]["Status"] == "interrupted"
    assert timed.replicas("inference") == 2


def kill_in_the_window(world, *args):
    driver = world.drive(*world.host, "--duration", "60", *args)
    driver.wait_line(r"RPS: ", 60)
    driver.signal(signal.SIGKILL)
    driver.wait()
    assert world.replicas("inference") == 1
    return world.folder / "results" / "restore.json"


@pytest.mark.parametrize("args", [["--duration", "1", "--fresh"], ["--duration", "1"],
                                  ["--duration", "60", "--budget", "1"]],
                         ids=["fresh", "another-plan", "same-plan"])
def test_after_kill_9_the_next_start_gives_back_what_was_there_before(timed, args):
    note = kill_in_the_window(timed)
    driver = timed.drive(*timed.host, *args)
    assert driver.wait(90) == (1 if "--budget" in args else 0), driver.text()
    assert "Deployment inference: 2 replicas before an earlier driver, which was killed" \
        in driver.text("stdout")
    assert (timed.replicas("inference"), timed.replicas("locust-worker")) == (2, 1)
    assert not note.exists()


def test_after_kill_9_an_autoscaler_gets_its_bounds_back(timed):
    timed.cluster.add_autoscaler("inference-hpa", "inference", 2, 3)
    kill_in_the_window(timed, "--pause-autoscaler")
    # Without the option it does not start beside one, but gives back what it owes.
    driver = timed.drive(*timed.host, "--duration", "60")
    assert driver.wait(60) == 111
    spec = timed.cluster.get("horizontalpodautoscalers", "inference-hpa")["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 3)
    assert timed.replicas("inference") == 2


def lease_of(world, deployment="inference"):
    return world.cluster.get("leases", f"cicada-driver-{deployment}")


def test_beside_another_driver_it_does_not_start(timed):
    """Whatever its folder; what is said names the other one, and the first is not disturbed."""
    first = timed.drive(*timed.host, "--duration", "60")
    first.wait_line(r"RPS: ", 60)
    holder = lease_of(timed)["spec"]["holderIdentity"]
    second = timed.drive(*timed.host, "--results", timed.folder / "second", "--dry-run")
    assert second.wait(60) == 111
    assert f"  FAULT  Deployment inference: another driver, {holder}, scales it" in second.text()
    second = timed.drive(*timed.host, "--results", timed.folder / "second")
    second.wait_line(r"Deployment inference is claimed by another driver, \S+, which may be gone", 60)
    with timed.cluster.changed:  # as the thread of the first does it after some seconds
        lease = lease_of(timed)
        lease["spec"]["renewTime"] = "2026-01-01T00:00:00.000000Z"
        timed.cluster.put("leases", lease)
    assert second.wait(60) == 111
    assert f"another driver, {holder}, scales Deployment inference: wait for its end" in \
        second.text("stderr")
    assert timed.replicas("inference") == 1 and first.process.poll() is None
    first.signal(signal.SIGTERM)
    assert first.wait(60) == 105, first.text()
    assert timed.rows()[0]["Note"] == "interrupted" and timed.replicas("inference") == 2
    # What is over leaves nothing behind that would stop the next one.
    for name in ("inference", "locust-worker"):
        lease = lease_of(timed, name)
        assert "holderIdentity" not in lease["spec"] and not lease["metadata"]["annotations"]


def test_a_driver_whose_place_was_taken_ends_and_touches_nothing(timed):
    driver = timed.drive(*timed.host, "--replicas", "1,3", "--duration", "60")
    driver.wait_line(r"RPS: ", 60)
    with timed.cluster.changed:
        lease = lease_of(timed)
        lease["spec"]["holderIdentity"] = "somebody_else"
        timed.cluster.put("leases", lease)
    assert driver.wait(60) == 111, driver.text()
    (row,) = timed.rows()
    assert row["Status"] == "changed" and "another driver has taken over" in row["Note"]
    assert "it gives back what was there before, or else:\n  kubectl -n llm scale deployment " \
        "inference --replicas=2\n" in driver.text("stderr")
    assert timed.replicas("inference") == 1
    assert lease_of(timed)["spec"]["holderIdentity"] == "somebody_else"
    assert "holderIdentity" not in lease_of(timed, "locust-worker")["spec"]


def test_who_takes_over_from_a_killed_driver_gives_back_what_that_one_owed(timed):
    """With a folder of its own: it knows from the Lease. And waits until the other one is dead."""
    kill_in_the_window(timed)
    with timed.cluster.changed:
        for name in ("inference", "locust-worker"):
            lease = lease_of(timed, name)
            lease["spec"]["leaseDurationSeconds"] = 1
            timed.cluster.put("leases", lease)
    # The test that the first one has left is not this one's to stop.
    urllib.request.urlopen(f"{timed.master_url}/stop", timeout=30).close()
    driver = timed.drive(*timed.host, "--duration", "1", "--results", timed.folder / "second")
    assert driver.wait(60) == 0, driver.text()
    assert "which may be gone: waiting up to 1 s for a sign of it" in driver.text("stdout")
    assert "Deployment inference: 2 replicas before an earlier driver, which was killed" in \
        driver.text("stdout")
    assert timed.replicas("inference") == 2


def test_when_all_is_measured_what_is_owed_is_given_back(timed):
    driver = timed.drive(*timed.host, "--duration", "1")
    note = timed.folder / "results" / "restore.json"
    wait_until(lambda: note.exists() and timed.replicas("inference") == 1)
    text = note.read_text()
    owed = lease_of(timed)["metadata"]["annotations"]
    assert driver.wait(60) == 0, driver.text()
    assert not note.exists()
    rows = timed.rows()

    def start_again(annotations):
        """As if it had been killed between the last row and the end."""
        note.write_text(text)
        timed.cluster.scale("inference", 1)
        with timed.cluster.changed:
            lease = lease_of(timed)
            lease["metadata"]["annotations"] = annotations
            timed.cluster.put("leases", lease)
        driver = timed.drive(*timed.host, "--duration", "1")
        assert driver.wait(60) == 0, driver.text()
        assert timed.rows() == rows and not note.exists()
        return timed.replicas("inference")

    assert start_again(owed) == 2
    # Another driver has given it back since then.
    assert start_again({}) == 1
    # The Deployment was deleted and made again.
    text = re.sub(r'"uid":"[^"]*"', '"uid":"another"', text)
    assert start_again({k: text.split("\n")[1].rstrip(",") for k in owed}) == 1


def obey(world, said):
    """What a person does who is given commands; with the real kubectl, where there is one."""
    commands = re.findall(r"^  (kubectl .*)$", said, re.M)
    for command in commands if shutil.which("kubectl") else []:
        subprocess.run(["sh", "-c", command], check=True, timeout=60, capture_output=True,
                       env={**os.environ, "KUBECONFIG": str(world.kubeconfig),
                            "HOME": str(world.folder)})
    return commands


def test_what_is_owed_is_said_when_the_api_server_is_gone(timed):
    timed.cluster.add_autoscaler("inference-hpa", "inference", 2, 3)
    note = kill_in_the_window(timed, "--pause-autoscaler")
    tokens = dict(timed.double.tokens)
    timed.double.tokens.clear()
    driver = timed.drive(*timed.host, "--duration", "60")
    assert driver.wait(60) == 111
    assert note.exists()
    timed.double.tokens.update(tokens)
    assert obey(timed, driver.text("stderr")) == [
        "kubectl -n llm patch hpa inference-hpa --type merge -p "
        "'{\"spec\":{\"minReplicas\":2,\"maxReplicas\":3}}'",
        "kubectl -n llm scale deployment inference --replicas=2",
        "kubectl -n llm scale deployment locust-worker --replicas=1",
        "kubectl -n llm annotate lease cicada-driver-inference cicada-driver-locust-worker "
        "cicada-driver/before-"]
    if shutil.which("kubectl"):
        spec = timed.cluster.get("horizontalpodautoscalers", "inference-hpa")["spec"]
        assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 3)
        assert (timed.replicas("inference"), timed.replicas("locust-worker")) == (2, 1)
        assert not lease_of(timed)["metadata"].get("annotations")


@pytest.mark.parametrize("change, said", [
    (lambda text: text.replace('"llm"', '"other"'),
     r"killed and has left other Deployments scaled(.*\n)+  kubectl -n other scale deployment "
     r"inference --replicas=2\n"),
    (lambda text: text.replace('"inference"', '"service"'),
     r"  kubectl -n llm scale deployment service --replicas=2\n"),
    (lambda text: text[:40], r"restore\.json: not what a driver has noted"),
    (lambda text: text.replace(":2", ":-2"), r"restore\.json: Deployment 1 cannot be read"),
    (lambda text: text.replace('"inference"', '"a; reboot"'), r"Deployment 1 cannot be read")])
def test_a_note_of_others_is_not_obeyed_and_not_lost(timed, change, said):
    note = kill_in_the_window(timed)
    note.write_text(change(note.read_text()))
    text = note.read_text()
    driver = timed.drive(*timed.host, "--duration", "1")
    assert driver.wait(60) == 111
    assert re.search(said, driver.text("stderr")), driver.text()
    assert timed.replicas("inference") == 1 and note.read_text() == text


def rules_without(group, resource, verb):
    """Everything but one verb of one resource."""
    every = [("apps", "deployments", ["list", "watch"]),
             ("apps", "deployments/scale", ["get", "patch"]),
             ("", "pods", ["list", "watch"]),
             ("discovery.k8s.io", "endpointslices", ["list", "watch"]),
             ("coordination.k8s.io", "leases", ["get", "create", "patch"]),
             ("", "events", ["list"]),
             ("autoscaling", "horizontalpodautoscalers", ["list"])]
    return [{"apiGroups": [g], "resources": [r],
             "verbs": [v for v in verbs if (g, r, v) != (group, resource, verb)]}
            for g, r, verbs in every]


def test_what_cannot_be_given_back_is_said_as_commands(timed):
    driver = timed.drive(*timed.host, "--duration", "60")
    driver.wait_line(r"RPS: ", 60)
    timed.double.tokens["first"] = (USER, rules_without("apps", "deployments/scale", "patch"))
    driver.signal(signal.SIGTERM)
    assert driver.wait(60) == 105, driver.text()
    said = driver.text("stderr")
    assert "\n  kubectl -n llm scale deployment inference --replicas=2\n" in said
    assert "\n  kubectl -n llm scale deployment locust-worker --replicas=1\n" in said
    assert 'resources: ["deployments/scale"], verbs: ["patch"]' in said
    assert "then remove" in said and (timed.folder / "results" / "restore.json").exists()


def test_a_note_that_cannot_be_removed_is_said(timed):
    """A later driver would give back once more what was there long ago."""
    driver = timed.drive(*timed.host, "--duration", "60")
    driver.wait_line(r"RPS: ", 60)
    timed.double.tokens["first"] = (USER, rules_without("coordination.k8s.io", "leases", "patch"))
    driver.signal(signal.SIGTERM)
    assert driver.wait(60) == 105, driver.text()
    assert timed.replicas("inference") == 2
    assert not (timed.folder / "results" / "restore.json").exists()
    assert "the replicas have been; remove the notes" in driver.text("stderr")
    timed.double.tokens["first"] = (USER, rules_without("", "", ""))
    obey(timed, driver.text("stderr"))
    if shutil.which("kubectl"):
        assert not lease_of(timed)["metadata"].get("annotations")


@pytest.mark.parametrize("group, resource, verb", [
    ("apps", "deployments/scale", "get"), ("apps", "deployments/scale", "patch"),
    ("apps", "deployments", "list"), ("apps", "deployments", "watch"), ("", "pods", "list"),
    ("", "pods", "watch"), ("discovery.k8s.io", "endpointslices", "list"),
    ("coordination.k8s.io", "leases", "get"), ("coordination.k8s.io", "leases", "create"),
    ("coordination.k8s.io", "leases", "patch"),
    ("discovery.k8s.io", "endpointslices", "watch"),
    ("autoscaling", "horizontalpodautoscalers", "list")])
def test_a_missing_right_is_named_before_anything_is_changed(timed, group, resource, verb):
    timed.double.tokens["first"] = (USER, rules_without(group, resource, verb))
    driver = timed.drive(*timed.host, "--duration", "1")
    assert driver.wait(60) == 111, driver.text()
    assert (f'  - apiGroups: ["{group}"]\n    resources: ["{resource}"]\n    verbs: ["{verb}"]\n'
            in driver.text("stderr"))
    assert not (timed.folder / "results" / "auto_summary.csv").exists()
    assert timed.replicas("inference") == 2


def test_a_right_that_is_taken_away_meanwhile_is_named(timed):
    timed.cluster.set_kubelet("inference", lambda: VirtualPod(ready_s=5))
    driver = timed.drive(*timed.host[:2], "--replicas", "3", "--workers", "1", "--users", "12",
                         "--duration", "1", "--ready-timeout", "30")
    driver.wait_line(r"inference: ", 60)
    timed.double.tokens["first"] = (USER, rules_without("apps", "deployments/scale", "patch"))
    assert driver.wait(60) in (1, 111), driver.text()
    assert ('{apiGroups: ["apps"], resources: ["deployments/scale"], verbs: ["patch"]}'
            in driver.text("stderr"))


def has_workers(world):
    with urllib.request.urlopen(f"{world.master_url}/stats/requests", timeout=10) as reply:
        return len(json.load(reply)["workers"]) == 1


def state_of(world):
    """Everything that somebody could have changed."""
    return {plural: {name: obj.get("spec") for name, obj in objects.items()}
            for plural, objects in world.cluster.objects.items() if plural != "pods"}


def test_a_dry_run_finds_all_well_and_touches_nothing(timed):
    wait_until(lambda: has_workers(timed))
    before = state_of(timed)
    driver = timed.drive(*timed.host, "--dry-run")
    assert driver.wait(60) == 0, driver.text()
    said = driver.text("stdout")
    assert re.search(r"^  ok +right to patch deployments/scale$", said, re.M), said
    assert "  ok     Deployment inference has 2 replicas, all ready" in said
    assert "  ok     the master has 1 workers" in said
    assert re.search(r"^All \d+ are as they should be; nothing was changed$", said, re.M)
    assert not [r for r in timed.double.requests
                if not r.startswith("GET ") and not r.endswith("/selfsubjectaccessreviews")]
    assert state_of(timed) == before
    assert not (timed.folder / "results").exists()


@pytest.mark.parametrize("group, resource, verbs", [
    ("apps", "deployments/scale", ["get", "patch"]), ("apps", "deployments", ["list", "watch"]),
    ("", "pods", ["list", "watch"]), ("discovery.k8s.io", "endpointslices", ["list", "watch"]),
    ("coordination.k8s.io", "leases", ["get", "create", "patch"]),
    ("autoscaling", "horizontalpodautoscalers", ["list"])])
def test_a_dry_run_prints_the_rule_that_the_role_lacks(timed, group, resource, verbs):
    every = rules_without("", "", "")
    rules = [r for r in every if r["resources"] != [resource]]
    timed.double.tokens["first"] = (USER, rules)
    driver = timed.drive(*timed.host, "--dry-run")
    assert driver.wait(60) == 111
    said = driver.text("stdout").split("The Role of the driver lacks:\n")[1]
    lacks = yaml.safe_load("".join(l for l in said.splitlines(True) if l.startswith("  ")))
    assert lacks == [r for r in every if r not in rules]
    assert lacks == [{"apiGroups": [group], "resources": [resource], "verbs": verbs}]


def test_a_dry_run_names_what_would_stand_in_the_way(timed):
    timed.cluster.add_autoscaler("inference-hpa", "inference", 1, 6)
    timed.cluster.add_deployment("sick", 1, lambda: VirtualPod(crashes=True), service="other")
    wait_until(lambda: has_workers(timed))
    wait_until(lambda: timed.cluster.get("deployments", "sick")["status"].get("replicas"))
    driver = timed.drive(*timed.host, "--dry-run")
    assert driver.wait(60) == 111
    assert re.search(r"^  FAULT +HorizontalPodAutoscaler inference-hpa scales Deployment inference"
                     r".*--pause-autoscaler", driver.text(), re.M), driver.text()
    driver = timed.drive(*timed.host, "--dry-run", "--pause-autoscaler")
    assert driver.wait(60) == 0, driver.text()
    assert "Deployment inference: will be held: autoscaler inference-hpa" in driver.text()
    for args, said in [
            (["--target-deployment", "nosuch"], r'deployments.apps "nosuch" not found'),
            (["--target-deployment", "sick"], r"sick: 0 of 1 replicas are available"),
            (["--target-service", "other"], r"Service other has 0 ready endpoints"),
            (["--worker-deployment", "inference"], r"the master has 1 workers of 2"),
            (["--master", "http://127.0.0.1:9"], r"the master: .*127\.0\.0\.1:9")]:
        driver = timed.drive(*timed.host, *args, "--dry-run", "--pause-autoscaler")
        assert driver.wait(60) == 111, driver.text()
        assert re.search(rf"^  FAULT +.*{said}", driver.text("stdout"), re.M), driver.text()


def test_a_dry_run_sees_a_test_that_runs_and_what_is_owed(timed):
    kill_in_the_window(timed)
    note = (timed.folder / "results" / "restore.json").read_text()
    journal = (timed.folder / "results" / "run.jsonl").read_bytes()
    # In its own folder a killed driver's test is no fault: the run stops it.
    for args in ([], ["--fresh"], ["--duration", "1"]):
        driver = timed.drive(*timed.host, *args, "--dry-run")
        assert driver.wait(60) == 0, driver.text()
        assert "  ok     a test runs at the master that an earlier driver has left; the next one " \
            "stops it\n" in driver.text("stdout")
        assert "an earlier driver was killed; the next one gives back" in driver.text("stdout")
    driver = timed.drive(*timed.host, "--dry-run", "--results", timed.folder / "elsewhere")
    assert driver.wait(60) == 111
    assert "  FAULT  a test runs at the master" in driver.text("stdout")
    assert timed.replicas("inference") == 1
    assert (timed.folder / "results" / "restore.json").read_text() == note
    assert (timed.folder / "results" / "run.jsonl").read_bytes() == journal


def test_a_dry_run_sees_a_folder_that_could_not_be_used(timed):
    wait_until(lambda: has_workers(timed))
    (timed.folder / "results").mkdir()
    (timed.folder / "results" / "run.jsonl").write_text("{}\n")
    driver = timed.drive(*timed.host, "--dry-run")
    assert driver.wait(60) == 111
    assert "run.jsonl:1: not a record of a journal" in driver.text("stdout")


def test_a_dry_run_of_platform_remote_looks_at_the_master(timed):
    wait_until(lambda: has_workers(timed))
    for workers, code, said in [("1,2", 0, "  ok     the master has 1 workers"),
                                ("2", 111, "  FAULT  the master has 1 workers, which no scenario")]:
        driver = timed.drive(*timed.host, "--workers", workers, "--platform", "remote", "--dry-run",
                             kubeconfig=False)
        assert driver.wait(60) == code and said in driver.text("stdout"), driver.text()
    assert not timed.double.requests and not (timed.folder / "results").exists()


def test_a_dry_run_of_platform_local_is_refused(programs):
    driver, code = programs.run("cicada-driver", "--platform", "local", "--dry-run")
    assert code == 2 and "cicada-driver plan" in driver.text("stderr")


def test_in_a_pod_it_is_chosen_by_itself_and_follows_a_new_token(timed):
    account = timed.folder / "account"
    account.mkdir()
    (account / "namespace").write_text("llm")
    (account / "ca.crt").write_bytes(timed.double.ca.read_bytes())
    (account / "token").write_text("first")
    host, port = timed.double.url.removeprefix("https://").split(":")
    driver = timed.programs.start(
        "cicada-driver", *timed.host, "--duration", "2", "--results", timed.folder / "results",
        "--poll", "0.5", "--ready-timeout", "5",
        env={"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port,
             "CICADA_SERVICE_ACCOUNT": str(account), "CICADA_PLATFORM": ""},
        ready=r"platform kubernetes")
    # The master's name is that of the order and does not exist here.
    assert driver.wait(60) == 1, driver.text()
    assert "http://locust-master:8089" in timed.rows()[0]["Note"]
    driver = timed.drive(
        *timed.host, "--duration", "3", "--platform", "kubernetes", kubeconfig=False,
        env={"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port,
             "CICADA_SERVICE_ACCOUNT": str(account)})
    driver.wait_line(r"RPS: ", 60)
    timed.double.tokens["second"] = timed.double.tokens.pop("first")
    (account / "token").write_text("second")
    assert driver.wait(60) == 0, driver.text()
    assert timed.replicas("inference") == 2


@pytest.mark.parametrize("args, said", [
    (["--target-deployment", "nosuch"], r'deployments.apps "nosuch" not found'),
    (["--namespace", "a/b"], r"--namespace: 'a/b' is no name of Kubernetes"),
    (["--context", "nosuch"], r"no 'nosuch' among the contexts"),
    (["--namespace", "other"], r"in namespace other the driver's Role lacks"),
    (["--kubeconfig", "/nonexistent/config"], r"/nonexistent/config"),
])
def test_what_is_wrong_with_the_options_is_said(timed, args, said):
    driver = timed.drive(*timed.host, *args)
    assert driver.wait(60) == 111
    assert re.search(said, driver.text("stderr")), driver.text()


def test_a_server_that_is_not_trusted_is_not_talked_to(timed, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    stranger = KubeDouble(other)
    stranger.close()
    make_kubeconfig(timed.kubeconfig, timed.double.url, stranger.ca, "token: first", "llm")
    driver = timed.drive(*timed.host)
    assert driver.wait(60) == 111
    assert "certificate" in driver.text("stderr")
    assert not timed.double.requests


def test_it_stays_until_the_results_are_copied(timed):
    message = timed.folder / "termination-log"
    driver = timed.drive(*timed.host, "--duration", "1", "--termination-log", message,
                         "--linger", "1h")
    driver.wait_line(r"Waiting 1h00m, so that the results can be copied", 60)
    assert re.fullmatch(r"1 of 1 scenarios ok\nBest throughput: [\d.]+ RPS with 1 replica, 1 worker, "
                        r"12 users[^\n]*\nBest latency: .*\nThe most that was measured is .*\n(.*\n){2}",
                        message.read_text())
    # What was scaled is given back before, not after.
    assert timed.replicas("inference") == 2
    assert driver.process.poll() is None
    driver.signal(signal.SIGTERM)
    assert driver.wait(30) == 0


def test_a_client_certificate_is_enough(timed):
    certificate, key = (base64.b64encode(p.read_bytes()).decode()
                        for p in timed.double.make_client("kubernetes-admin"))
    make_kubeconfig(timed.kubeconfig, timed.double.url, timed.double.ca,
                    f"client-certificate-data: {certificate}, client-key-data: {key}", "llm")
    timed.double.tokens.clear()
    driver = timed.drive(*timed.host, "--duration", "1")
    assert driver.wait(60) == 0, driver.text()
    assert timed.replicas("inference") == 2


def test_a_program_for_credentials_is_refused(timed):
    make_kubeconfig(timed.kubeconfig, timed.double.url, timed.double.ca,
                    "exec: {command: touch, args: [ran]}", "llm")
    driver = timed.drive(*timed.host)
    assert driver.wait(60) == 111
    assert "exec is not supported; give the user a token" in driver.text("stderr")
