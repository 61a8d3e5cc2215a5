# SPDX-License-Identifier: MIT
"""A cluster for cicada-driver: the double of the API server, a master, and real workers in its
"pods". The target is added by the test."""

import csv
import itertools
import pathlib
import socket
import socketserver
import threading

from kube_cluster import ProcessPod
from kube_double import EVERYTHING, KubeDouble
from programs import ROOT
from proxy import pump

SCENARIO = ROOT / "scenarios" / "inference.c"
USER = "system:serviceaccount:llm:locust-driver"


def start_master(programs):
    """Cicada's: (URL, what a worker of it is started with)."""
    master = programs.start(
        "cicada", "--master", "-f", SCENARIO, "--web-host", "127.0.0.1", "--web-port", "0",
        "--master-bind-host", "127.0.0.1", "--master-bind-port", "0", "-s", "5",
        ready=r"Starting web interface at (\S+)")
    port = master.wait_line(r"Listening for workers on tcp://127\.0\.0\.1:(\d+)").group(1)
    return master.ready.group(1), ["cicada", "--worker", "-f", SCENARIO, "--master-host",
                                   "127.0.0.1", "--master-port", port, "--threads", "1"]


def make_kubeconfig(path, url, ca, user, namespace):
    """A kubeconfig file for the double. user: what it says of the user, as one line of YAML."""
    pathlib.Path(path).write_text(f"""apiVersion: v1
kind: Config
current-context: double
contexts:
- name: double
  context:
    cluster: double
    user: driver
    namespace: {namespace}
clusters:
- name: double
  cluster:
    server: {url}
    certificate-authority: {ca}
users:
- name: driver
  user: {{{user}}}
""")
    return path


class ClusterIP:
    """The Service of a Deployment: connections go to the ready endpoints in turn, at `port`."""

    def __init__(self, cluster, service, port):
        turns = itertools.count()

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                (piece,) = [o for name, o in cluster.objects["endpointslices"].items()
                            if name.startswith(f"{service}-")]
                ready = [e["addresses"][0] for e in piece["endpoints"] if e["conditions"]["ready"]]
                if not ready:
                    return
                address = ready[next(turns) % len(ready)]
                with socket.create_connection((address, port), 30) as pod:
                    for end in (pod, self.request):
                        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    back = threading.Thread(target=pump, args=(pod, self.request), daemon=True)
                    back.start()
                    pump(self.request, pod)
                    back.join(30)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 256

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class World:
    """master_url: of a master that runs. worker: what its workers are started with."""

    def __init__(self, programs, folder, master_url, worker):
        self.programs, self.folder = programs, folder
        self.double = KubeDouble(folder)
        self.cluster = self.double.cluster
        self.double.tokens["first"] = (USER, EVERYTHING)
        self.kubeconfig = make_kubeconfig(folder / "kubeconfig", self.double.url, self.double.ca,
                                          "token: first", "llm")
        self.master_url = master_url
        self.cluster.add_deployment("locust-worker", 1,
                                    lambda: ProcessPod(programs, worker, r"."))

    def close(self):
        self.double.close()

    def drive(self, *args, env=None, ready=None, kubeconfig=True):
        args = ["--master", self.master_url, "--poll", "0.5", "--cooldown", "0",
                "--results", self.folder / "results", *args]
        if kubeconfig:
            args = ["--platform", "kubernetes", "--kubeconfig", self.kubeconfig, *args]
        return self.programs.start("cicada-driver", *args, env=env, ready=ready)

    def rows(self):
        with open(self.folder / "results" / "auto_summary.csv", newline="",
                  encoding="utf-8") as f:
            return list(csv.DictReader(f))

    def replicas(self, name):
        return self.cluster.get("deployments", name)["spec"]["replicas"]
