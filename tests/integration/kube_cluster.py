# SPDX-License-Identifier: MIT
"""What lies behind the double of the Kubernetes API (kube_double.py): objects with versions, and
a thread that plays controllers and kubelet.

A Deployment's pods are made by its `Kubelet`: VirtualPod only keeps time, ProcessPod starts a
real program. The order in which a scale shows is that of a recorded one (tests/vectors/kubernetes,
s1 to s5): new generation with the old status, then observed with the old counts, then pods."""

import copy
import datetime
import random
import re
import string
import threading
import time
import uuid

GROUPS = {"deployments": ("apps", "v1", "Deployment"), "pods": ("", "v1", "Pod"),
          "endpointslices": ("discovery.k8s.io", "v1", "EndpointSlice"),
          "horizontalpodautoscalers": ("autoscaling", "v2", "HorizontalPodAutoscaler"),
          "events": ("", "v1", "Event"), "leases": ("coordination.k8s.io", "v1", "Lease")}
TICK_S = 0.02
IMAGE = "server:latest"


def now_text():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def suffix(length):
    return "".join(random.choices(string.ascii_lowercase + string.digits, k=length))


class VirtualPod:
    """Its container is made for making_s; ready after ready_s, gone stop_s after it was asked to end.
    crashes: never ready, restarts. unschedulable: waits forever."""

    address = "127.88.0.1"  # nobody listens there

    def __init__(self, ready_s=0.1, stop_s=0.1, crashes=False, unschedulable=False, making_s=0):
        self.ready_s, self.stop_s, self.making_s = ready_s, stop_s, making_s
        self.crashes, self.unschedulable = crashes, unschedulable
        self.started = self.stopped = None
        self.has_crashed = False

    def start(self):
        self.started = time.monotonic()
        self.has_crashed = False

    def is_made(self):
        return time.monotonic() >= self.started + self.making_s

    def crash(self):
        """Once."""
        self.has_crashed = True

    def is_running(self):
        return not (self.has_crashed or
                    (self.crashes and time.monotonic() > self.started + 0.05))

    def is_ready(self):
        return not self.crashes and time.monotonic() >= self.started + self.ready_s

    def stop(self):
        self.stopped = time.monotonic()

    def is_gone(self):
        return time.monotonic() >= self.stopped + self.stop_s


class ProcessPod:
    """One run of a real program of ours; ready when a line of it matches."""

    unschedulable = False

    def __init__(self, programs, args, ready, env=None, address="127.0.0.1"):
        self.programs, self.args, self.ready, self.env = programs, args, ready, env
        self.address = address
        self.program = None

    def start(self):
        self.program = self.programs.start(*self.args, env=self.env)

    def is_made(self):
        return True

    def is_running(self):
        return self.program.process.poll() is None

    def is_ready(self):
        return self.is_running() and re.search(self.ready, self.program.text()) is not None

    def stop(self):
        if self.is_running():
            self.program.process.terminate()

    def is_gone(self):
        return not self.is_running()


class Cluster:
    def __init__(self, namespace="llm"):
        self.namespace = namespace
        self.changed = threading.Condition(threading.RLock())
        self.version = random.randrange(500, 100000)
        self.digest = "5" * 64  # of the image that new pods get
        self.oldest = 0  # versions before this are forgotten
        self.objects = {plural: {} for plural in GROUPS}
        self.history = []  # (version, plural, event type, object)
        self._kubelets = {}  # deployment -> function that makes a pod's process
        self._running = {}  # pod -> process
        self._fresh = set()  # deployments whose status is about to be taken note of
        self._services = {}  # service -> deployment; None: its selector means no pod
        self._is_over = False
        self._thread = threading.Thread(target=self._reconcile_forever, daemon=True)
        self._thread.start()

    def close(self):
        with self.changed:
            self._is_over = True
            self.changed.notify_all()
        self._thread.join(10)

    # ---- objects ----

    def add(self, plural, obj):
        """What a POST does; None: there is one by this name."""
        with self.changed:
            if obj["metadata"]["name"] in self.objects[plural]:
                return None
            return self.put(plural, {**obj, "metadata": {
                **self._metadata(obj["metadata"]["name"]), **obj["metadata"]}})

    def put(self, plural, obj):
        """Adds or replaces an object; only a change gets a new version."""
        with self.changed:
            name = obj["metadata"]["name"]
            old = self.objects[plural].get(name)
            if old == obj:
                return obj
            self.version += 1
            obj = copy.deepcopy(obj)
            obj["metadata"]["resourceVersion"] = str(self.version)
            self.objects[plural][name] = obj
            self.history.append((self.version, plural, "MODIFIED" if old else "ADDED", obj))
            self.changed.notify_all()
            return obj

    def remove(self, plural, name):
        with self.changed:
            obj = copy.deepcopy(self.objects[plural].pop(name))
            self.version += 1
            obj["metadata"]["resourceVersion"] = str(self.version)
            self.history.append((self.version, plural, "DELETED", obj))
            self.changed.notify_all()

    def get(self, plural, name):
        with self.changed:
            return copy.deepcopy(self.objects[plural].get(name))

    def forget_history(self):
        """What etcd's compaction does: older versions are expired from now on."""
        with self.changed:
            self.version += 1
            self.oldest = self.version
            self.history.clear()
            self.changed.notify_all()

    def _metadata(self, name):
        return {"name": name, "namespace": self.namespace, "uid": str(uuid.uuid4()),
                "resourceVersion": "0", "generation": 1, "creationTimestamp": now_text()}

    # ---- what tests ask for ----

    def add_deployment(self, name, replicas, kubelet=VirtualPod, service=None):
        metadata = self._metadata(name)
        metadata["labels"] = {"app": name}
        metadata["annotations"] = {"deployment.kubernetes.io/revision": "1"}
        with self.changed:
            self._kubelets[name] = kubelet
            if service:
                self._services[service] = name
            self.put("deployments", {
                "metadata": metadata,
                "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
                         "template": {"metadata": {"labels": {"app": name}}, "spec": {}},
                         "strategy": {"type": "RollingUpdate"}},
                "status": {}})

    def add_autoscaler(self, name, target, low, high, owner=None):
        metadata = self._metadata(name)
        if owner:
            metadata["ownerReferences"] = [{"apiVersion": "keda.sh/v1alpha1", "kind": owner[0],
                                            "name": owner[1], "uid": str(uuid.uuid4())}]
        self.put("horizontalpodautoscalers", {
            "metadata": metadata,
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment",
                                        "name": target},
                     "minReplicas": low, "maxReplicas": high}})

    def scale(self, name, replicas):
        with self.changed:
            deployment = self.get("deployments", name)
            if deployment["spec"]["replicas"] != replicas:
                deployment["spec"]["replicas"] = replicas
                deployment["metadata"]["generation"] += 1
                self._fresh.add(name)
            return self.put("deployments", deployment)

    def lead(self, service, deployment):
        """The Service's selector is changed."""
        with self.changed:
            self._services[service] = deployment
            self._publish(service, deployment)

    def set_kubelet(self, deployment, kubelet):
        with self.changed:
            self._kubelets[deployment] = kubelet

    def pods_of(self, deployment):
        with self.changed:
            return [copy.deepcopy(p) for p in self.objects["pods"].values()
                    if p["metadata"]["labels"].get("app") == deployment]

    def process_of(self, pod):
        return self._running[pod["metadata"]["name"]]

    def evict(self, pod):
        """What a node under pressure does: the pod fails and stays; a new one takes its place."""
        with self.changed:
            pod = self.get("pods", pod["metadata"]["name"])
            self._running[pod["metadata"]["name"]].stop()
            self._set_condition(pod, False)
            pod["status"].update(phase="Failed", reason="Evicted",
                                 message="The node was low on resource: memory.")
            self.put("pods", pod)
            self._warn(pod, "Evicted", pod["status"]["message"])

    def crash(self, pod):
        """Its program ends, and is started again at once."""
        with self.changed:
            self.process_of(pod).crash()
            self._move(self.get("pods", pod["metadata"]["name"]))

    # ---- controllers and kubelet ----

    def _reconcile_forever(self):
        while True:
            with self.changed:
                if self._is_over:
                    return
                for name in list(self.objects["deployments"]):
                    self._obey_autoscalers(name)
                    self._reconcile(name)
                for service, name in self._services.items():
                    self._publish(service, name)
            time.sleep(TICK_S)

    def _obey_autoscalers(self, name):
        for scaler in self.objects["horizontalpodautoscalers"].values():
            spec = scaler["spec"]
            if spec["scaleTargetRef"]["name"] == name:
                wanted = self.objects["deployments"][name]["spec"]["replicas"]
                within = max(spec["minReplicas"], min(spec["maxReplicas"], wanted))
                if wanted and within != wanted:
                    self.scale(name, within)

    def _reconcile(self, name):
        deployment = self.get("deployments", name)
        if name in self._fresh:
            # Seen in every recorded scale: the generation is observed before anything happens.
            self._fresh.discard(name)
            deployment["status"]["observedGeneration"] = deployment["metadata"]["generation"]
            self.put("deployments", deployment)
            return
        for pod in self.pods_of(name):
            self._move(pod)
        alive = [p for p in self.pods_of(name) if "deletionTimestamp" not in p["metadata"]
                 and p["status"]["phase"] not in ("Failed", "Succeeded")]
        wanted = deployment["spec"]["replicas"]
        for _ in range(wanted - len(alive)):
            self._make_pod(name)
        # Those that are not ready go first.
        alive.sort(key=lambda p: self.is_ready(p), reverse=True)
        for pod in alive[wanted:]:
            pod["metadata"]["deletionTimestamp"] = now_text()
            self.put("pods", pod)
            self._running[pod["metadata"]["name"]].stop()
        self._report(deployment, name)

    def _report(self, deployment, name):
        pods = self.pods_of(name)
        alive = [p for p in pods if "deletionTimestamp" not in p["metadata"]
                 and p["status"]["phase"] not in ("Failed", "Succeeded")]
        ready = sum(map(self.is_ready, alive))
        counts = {"observedGeneration": deployment["metadata"]["generation"],
                  "replicas": len(alive), "readyReplicas": ready,
                  # A paused one has a new version and none of it.
                  "updatedReplicas": 0 if deployment["spec"].get("paused") else len(alive),
                  "availableReplicas": ready, "unavailableReplicas": len(alive) - ready}
        status = {k: v for k, v in counts.items() if v}
        status["terminatingReplicas"] = sum("deletionTimestamp" in p["metadata"] for p in pods)
        is_enough = ready * 4 >= deployment["spec"]["replicas"] * 3
        status["conditions"] = [
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
            {"type": "Available", "status": "True" if is_enough else "False"}]
        deployment["status"] = status
        self.put("deployments", deployment)

    def _make_pod(self, name):
        process = self._kubelets[name]()
        metadata = self._metadata(f"{name}-5bd97dbdfc-{suffix(5)}")
        metadata["generateName"] = f"{name}-5bd97dbdfc-"
        metadata["labels"] = {"app": name, "pod-template-hash": "5bd97dbdfc"}
        metadata["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": "ReplicaSet",
                                        "name": f"{name}-5bd97dbdfc", "controller": True,
                                        "uid": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
                                        "blockOwnerDeletion": True}]
        pod = {"metadata": metadata, "spec": {"containers": [{"name": "server"}]},
               "status": {"phase": "Pending"}}
        if process.unschedulable:
            pod["status"]["conditions"] = [
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                 "message": "0/1 nodes are available: 1 Insufficient cpu."}]
        else:
            pod["status"]["containerStatuses"] = [
                {"name": "server", "restartCount": 0, "ready": False, "image": IMAGE, "imageID": "",
                 "state": {"waiting": {"reason": "ContainerCreating"}}, "lastState": {}}]
            process.start()
        self._running[metadata["name"]] = process
        self.put("pods", pod)

    def _move(self, pod):
        name = pod["metadata"]["name"]
        process = self._running[name]
        if pod["status"]["phase"] == "Failed":
            return
        if "deletionTimestamp" in pod["metadata"]:
            if process.unschedulable or process.is_gone():
                del self._running[name]
                self.remove("pods", name)
            return
        if process.unschedulable or not process.is_made():
            return
        pod["status"]["phase"] = "Running"
        (container,) = pod["status"]["containerStatuses"]
        if not container["imageID"]:
            container["imageID"] = f"docker.io/library/{IMAGE}@sha256:{self.digest}"
        if process.is_running():
            container.update(state={"running": {}}, ready=process.is_ready())
        else:
            ended = {"terminated": {"exitCode": 1, "reason": "Error"}}
            container.update(state=ended, lastState=ended, ready=False,
                             restartCount=container["restartCount"] + 1)
            process.start()
            self._warn(pod, "BackOff", "Back-off restarting failed container server in pod "
                                       f"{name}_{self.namespace}({pod['metadata']['uid']})")
        self._set_condition(pod, container["ready"])
        self.put("pods", pod)

    def _warn(self, pod, reason, message):
        name = f"{pod['metadata']['name']}.{reason.lower()}"
        event = self.get("events", name) or {
            "metadata": self._metadata(name), "type": "Warning", "reason": reason, "count": 0,
            "involvedObject": {"kind": "Pod", "name": pod["metadata"]["name"],
                               "namespace": self.namespace, "uid": pod["metadata"]["uid"]}}
        self.put("events", {**event, "message": message, "count": event["count"] + 1,
                            "lastTimestamp": now_text()})

    @staticmethod
    def _set_condition(pod, is_ready):
        pod["status"]["conditions"] = [
            {"type": "PodScheduled", "status": "True"},
            {"type": "Ready", "status": "True" if is_ready else "False"}]

    @staticmethod
    def is_ready(pod):
        return any(c["type"] == "Ready" and c["status"] == "True"
                   for c in pod["status"].get("conditions", []))

    def _publish(self, service, name):
        endpoints = []
        for pod in self.pods_of(name) if name else []:
            is_ending = "deletionTimestamp" in pod["metadata"]
            if pod["status"]["phase"] == "Running":
                endpoints.append({
                    "addresses": [self.process_of(pod).address],
                    "conditions": {"ready": self.is_ready(pod) and not is_ending,
                                   "serving": self.is_ready(pod), "terminating": is_ending},
                    "targetRef": {"kind": "Pod", "namespace": self.namespace,
                                  "name": pod["metadata"]["name"],
                                  "uid": pod["metadata"]["uid"]}})
        old = self.get("endpointslices", f"{service}-x7k2p")
        metadata = old["metadata"] if old else self._metadata(f"{service}-x7k2p")
        metadata["labels"] = {"kubernetes.io/service-name": service}
        self.put("endpointslices", {"metadata": metadata, "addressType": "IPv4",
                                    "endpoints": endpoints})
