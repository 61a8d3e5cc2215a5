# SPDX-License-Identifier: MIT
"""A double of the Kubernetes API server: the part of it that a driver of load tests meets.

HTTPS with an authority made for the test; tokens with the rules of a Role; get, list with pages and
selectors, watch with bookmarks and 410, merge-patch; errors with the words of a real server.
tests/integration/test_kube_double.py holds it against recorded exchanges. `used` has every
(group, resource, verb) that was asked for and granted, `reviewed` what was asked about in a
SelfSubjectAccessReview.

    double = KubeDouble(tmp_path)
    double.tokens["secret"] = ("system:serviceaccount:llm:loadgen", rules_of_a_Role)
    double.fail(429, times=3, path="/scale")
"""

import base64
import http.server
import json
import ssl
import subprocess
import threading
import time
import urllib.parse

from kube_cluster import GROUPS, Cluster, now_text

EVERYTHING = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
REVIEWS = "selfsubjectaccessreviews.authorization.k8s.io"
REVIEW_PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
STALL_S = 1
PATCH_TYPES = ("application/merge-patch+json",)
FAILURES = {429: "Too many requests, please try again later.\n"}
LISTS = {"deployments": "DeploymentList", "pods": "PodList", "endpointslices": "EndpointSliceList",
         "horizontalpodautoscalers": "HorizontalPodAutoscalerList", "events": "EventList",
         "leases": "LeaseList"}
# What kubectl has to know of the kinds that it is given: group, version, plural, kind.
KINDS = [*((group, version, plural, kind) for plural, (group, version, kind) in GROUPS.items()),
         *(("", "v1", f"{kind.lower()}s", kind) for kind in (
             "ConfigMap", "PersistentVolumeClaim", "Service", "ServiceAccount")),
         ("batch", "v1", "jobs", "Job"),
         ("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"),
         *(("rbac.authorization.k8s.io", "v1", f"{kind.lower()}s", kind)
           for kind in ("Role", "RoleBinding"))]
SHORT = {"horizontalpodautoscalers": ["hpa"], "deployments": ["deploy"]}
EXPIRED_PAGE = ("The provided continue parameter is too old to display a consistent list result. "
                "You can start a new list without the continue parameter, or use the continue "
                "token in this response to retrieve the remainder of the results. Continuing with "
                "the provided token results in an inconsistent list - objects that were created, "
                "modified, or deleted between the time the first chunk was returned and now may "
                "show up in the list.")


def discovery():
    """{path: answer} of what kubectl asks before anything else."""
    groups = sorted({(group, version) for group, version, _, _ in KINDS})
    answers = {"/api": {"kind": "APIVersions", "versions": ["v1"]},
               "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [
                   {"name": group, "versions": [which], "preferredVersion": which}
                   for group, version in groups if group
                   for which in [{"groupVersion": f"{group}/{version}", "version": version}]]}}
    for group, version in groups:
        resources = [
            {"name": plural, "singularName": kind.lower(), "namespaced": True, "kind": kind,
             "shortNames": SHORT.get(plural, []), "verbs": ["create", "get", "list", "patch"]}
            for g, v, plural, kind in KINDS if (g, v) == (group, version)]
        if group == "apps":
            resources.append({"name": "deployments/scale", "singularName": "", "namespaced": True,
                              "group": "autoscaling", "version": "v1", "kind": "Scale",
                              "verbs": ["get", "patch", "update"]})
        name = f"{group}/{version}" if group else version
        answers[f"/apis/{name}" if group else f"/api/{name}"] = {
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name,
            "resources": resources}
    return answers


class Refusal(Exception):
    """An answer that is a Status object."""

    def __init__(self, code, reason, message, details=None, metadata=None):
        super().__init__(message)
        self.code = code
        self.body = {"kind": "Status", "apiVersion": "v1", "metadata": metadata or {},
                     "status": "Failure", "message": message, "reason": reason}
        if details is not None:
            self.body["details"] = details
        self.body["code"] = code


class Plain(Exception):
    """An answer in plain text."""

    def __init__(self, code, text, headers=()):
        super().__init__(text)
        self.code, self.text, self.headers = code, text, headers


def resource_name(group, plural):
    return f"{plural}.{group}" if group else plural


def matches(obj, query):
    labels = obj["metadata"].get("labels", {})
    for term in filter(None, query.get("labelSelector", "").split(",")):
        name, _, value = term.partition("=")
        if labels.get(name) != value:
            return False
    for term in filter(None, query.get("fieldSelector", "").split(",")):
        name, _, value = term.partition("=")
        if name == "metadata.name" and obj["metadata"]["name"] != value:
            return False
        if name == "type" and obj.get("type") != value:
            return False
    return True


def is_granted(rules, group, resource, verb, name):
    def has(words, word):
        return word in words or "*" in words

    return any(has(r["apiGroups"], group) and has(r["resources"], resource)
               and has(r["verbs"], verb)
               and (not r.get("resourceNames") or name in r["resourceNames"]) for r in rules)


def merged(target, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def scale_of(deployment):
    metadata = {k: deployment["metadata"][k] for k in
                ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")}
    replicas = deployment["spec"]["replicas"]
    selector = ",".join(f"{k}={v}" for k, v in
                        deployment["spec"]["selector"]["matchLabels"].items())
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
            "spec": {"replicas": replicas} if replicas else {},
            "status": {"replicas": deployment["status"].get("replicas", 0), "selector": selector}}


class Call:
    """One request: who asks, and for what."""

    def __init__(self, double, handler, body):
        self.double, self.handler, self.body = double, handler, body
        self.cluster = double.cluster
        url = urllib.parse.urlsplit(handler.path)
        self.path = url.path
        self.query = dict(urllib.parse.parse_qsl(url.query))
        self.user, self.rules = double.identify(handler.headers.get("Authorization"),
                                                handler.connection.getpeercert())
        parts = self.path.strip("/").split("/")
        self.group = ""
        if parts[0] == "apis" and len(parts) > 1:
            self.group = parts[1]
            parts = parts[1:]
        # version, "namespaces", namespace, plural, name, part
        if len(parts) < 5 or parts[2] != "namespaces" or len(parts) > 7:
            raise Plain(404, "404 page not found\n")
        self.version, self.namespace, self.plural = parts[1], parts[3], parts[4]
        self.name = parts[5] if len(parts) > 5 else None
        self.part = parts[6] if len(parts) > 6 else None
        if GROUPS.get(self.plural, (None,))[:2] != (self.group, self.version):
            raise Plain(404, "404 page not found\n")

    @property
    def verb(self):
        if self.handler.command != "GET":
            return {"PATCH": "patch", "POST": "create"}[self.handler.command]
        if self.name:
            return "get"
        return "watch" if self.query.get("watch") in ("true", "1") else "list"

    def details(self, name):
        details = {"name": name} if name else {}
        if self.group:
            details["group"] = self.group
        return {**details, "kind": self.plural}

    def authorize(self):
        resource = f"{self.plural}/{self.part}" if self.part else self.plural
        # Of lists and watches the field selector counts as the name.
        name = self.name
        selector = self.query.get("fieldSelector", "")
        if not name and selector.startswith("metadata.name="):
            name = selector.removeprefix("metadata.name=")
        if (self.namespace != self.cluster.namespace or
                not is_granted(self.rules, self.group, resource, self.verb, name)):
            what = resource_name(self.group, self.plural) + (f' "{name}"' if name else "")
            raise Refusal(403, "Forbidden",
                          f'{what} is forbidden: User "{self.user}" cannot {self.verb} resource '
                          f'"{resource}" in API group "{self.group}" in the namespace '
                          f'"{self.namespace}"', self.details(name))
        self.double.used.add((self.group, resource, self.verb))

    def find(self):
        obj = self.cluster.get(self.plural, self.name)
        if obj is None:
            raise Refusal(404, "NotFound",
                          f'{resource_name(self.group, self.plural)} "{self.name}" not found',
                          self.details(self.name))
        return obj

    def whole(self, obj):
        group, version, kind = GROUPS[self.plural]
        return {"kind": kind, "apiVersion": f"{group}/{version}" if group else version, **obj}

    # ---- get, create, patch ----

    def get(self):
        return scale_of(self.find()) if self.part == "scale" else self.whole(self.find())

    def create(self):
        """Leases only: nothing else is made by a driver."""
        if self.plural != "leases":
            raise Plain(405, "method not allowed\n")
        obj = json.loads(self.body)
        stored = self.cluster.add(self.plural, {k: obj[k] for k in ("metadata", "spec")})
        if stored is None:
            name = obj["metadata"]["name"]
            raise Refusal(409, "AlreadyExists",
                          f'{resource_name(self.group, self.plural)} "{name}" already exists',
                          self.details(name))
        return self.whole(stored)

    def patch(self):
        if (self.handler.headers.get("Content-Type") or "").split(";")[0] not in PATCH_TYPES:
            raise Refusal(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})
        try:
            patch = json.loads(self.body)
        except ValueError:
            raise Refusal(400, "BadRequest",
                          "error decoding patch: unexpected end of JSON input") from None
        with self.cluster.changed:
            obj = self.find()
            expected = patch.get("metadata", {}).get("resourceVersion")
            if expected and expected != obj["metadata"]["resourceVersion"]:
                raise Refusal(409, "Conflict",
                              "Operation cannot be fulfilled on "
                              f'{resource_name(self.group, self.plural)} "{self.name}": the object '
                              "has been modified; please apply your changes to the latest "
                              "version and try again", self.details(self.name))
            if self.part == "scale":
                return scale_of(self.scale(patch))
            obj = merged(obj, patch)
            return self.whole(self.cluster.put(self.plural, obj))

    def scale(self, patch):
        replicas = patch.get("spec", {}).get("replicas", 0)
        if not isinstance(replicas, int) or isinstance(replicas, bool):
            raise Refusal(422, "Invalid", ' "" is invalid: patch: Invalid value', {})
        if replicas < 0:
            why = f"Invalid value: {replicas}: must be greater than or equal to 0"
            raise Refusal(422, "Invalid",
                          f'Scale.autoscaling "{self.name}" is invalid: spec.replicas: {why}',
                          {"name": self.name, "group": "autoscaling", "kind": "Scale",
                           "causes": [{"reason": "FieldValueInvalid", "message": why,
                                       "field": "spec.replicas"}]})
        return self.cluster.scale(self.name, replicas)

    # ---- list, watch ----

    def list(self):
        with self.cluster.changed:
            version = self.cluster.version
            objects = [o for _, o in sorted(self.cluster.objects[self.plural].items())
                       if matches(o, self.query)]
        if (self.query.get("resourceVersionMatch") == "Exact"
                and int(self.query["resourceVersion"]) < self.cluster.oldest):
            raise Refusal(410, "Expired",
                          "The resourceVersion for the provided list is too old.")
        start = ""
        if "continue" in self.query:
            version, start = self.read_page(self.query["continue"])
        metadata = {"resourceVersion": str(version)}
        objects = [o for o in objects if o["metadata"]["name"] > start]
        limit = int(self.query.get("limit", 0)) or len(objects)
        if len(objects) > limit:
            metadata["continue"] = self.page(version, objects[limit - 1]["metadata"]["name"])
            metadata["remainingItemCount"] = len(objects) - limit
            if self.query.get("labelSelector"):
                del metadata["remainingItemCount"]  # not known with a selector
        group, version_name, _ = GROUPS[self.plural]
        return {"kind": LISTS[self.plural],
                "apiVersion": f"{group}/{version_name}" if group else version_name,
                "metadata": metadata, "items": objects[:limit]}

    @staticmethod
    def page(version, name):
        token = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": f"/{name}\0"},
                           separators=(",", ":"))
        return base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")

    def read_page(self, text):
        token = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        start = token["start"].strip("/\0")
        if token["rv"] < self.cluster.oldest:
            raise Refusal(410, "Expired", EXPIRED_PAGE, metadata={"continue": self.page(-1, start)})
        return token["rv"], start

    def bookmark(self):
        obj = {"metadata": {"resourceVersion": str(self.cluster.version)}}
        if self.plural == "deployments":
            obj.update(spec={"replicas": 0, "selector": None, "strategy": {},
                             "template": {"metadata": {}, "spec": {"containers": None}}},
                       status={})
        return {"type": "BOOKMARK", "object": self.whole(obj)}

    def events_from(self, at):
        """Events after version `at`; None when those are forgotten."""
        if at < self.cluster.oldest:
            return None
        return [(version, {"type": kind, "object": self.whole(obj)})
                for version, plural, kind, obj in self.cluster.history
                if version > at and plural == self.plural and matches(obj, self.query)]

    def watch(self, send):
        """Sends event after event until the time is over or the history is forgotten."""
        at = int(self.query.get("resourceVersion", 0))
        deadline = time.monotonic() + float(self.query.get("timeoutSeconds", 1800))
        while True:
            with self.cluster.changed:
                events = self.events_from(at)
                left = deadline - time.monotonic()
                if events == [] and left > 0:
                    self.cluster.changed.wait(min(left, 0.5))
                    events = self.events_from(at)
                current = self.cluster.version
            if events is None:
                status = Refusal(410, "Expired", f"too old resource version: {at} ({current})")
                send({"type": "ERROR", "object": status.body})
                return
            for version, event in events:
                if not self.double.is_mute:
                    send(event)
                at = version
            if left <= 0 or self.double.is_cutting_watches:
                if self.query.get("allowWatchBookmarks") == "true" and left <= 0:
                    send(self.bookmark())
                return


def review_access(double, user, rules, body):
    review = json.loads(body)
    asked = {k: v for k, v in review["spec"]["resourceAttributes"].items() if v}
    resource = asked["resource"] + ("/" + asked["subresource"] if "subresource" in asked else "")
    if user == "system:anonymous":
        raise Refusal(403, "Forbidden", f'{REVIEWS} is forbidden: User "{user}" cannot create '
                      f'resource "selfsubjectaccessreviews" in API group "authorization.k8s.io" at '
                      "the cluster scope", {"group": "authorization.k8s.io",
                                            "kind": "selfsubjectaccessreviews"})
    double.reviewed.add((asked.get("group", ""), resource, asked["verb"]))
    is_allowed = (asked["namespace"] == double.cluster.namespace and is_granted(
        rules, asked.get("group", ""), resource, asked["verb"], asked.get("name")))
    return {**review, "metadata": {}, "spec": {"resourceAttributes": asked},
            "status": {"allowed": is_allowed}}


def go_duration(seconds):
    return f"{seconds:g}s" if seconds < 60 else f"{seconds // 60:g}m{seconds % 60:g}s"


def list_usages(double, user, rules, query):
    """PodMetrics, as metrics-server has them: of pods that run, as `usage` says."""
    if double.usage is None:
        raise Plain(404, "404 page not found\n")
    if not is_granted(rules, "metrics.k8s.io", "pods", "list", None):
        raise Refusal(403, "Forbidden",
                      f'pods.metrics.k8s.io is forbidden: User "{user}" cannot list resource "pods" '
                      f'in API group "metrics.k8s.io" in the namespace "{double.cluster.namespace}"',
                      {"group": "metrics.k8s.io", "kind": "pods"})
    double.used.add(("metrics.k8s.io", "pods", "list"))
    with double.cluster.changed:
        pods = [p for _, p in sorted(double.cluster.objects["pods"].items())
                if matches(p, query) and p["status"]["phase"] == "Running"]
    items = []
    for pod in pods:
        cpu, memory, window_s = double.usage(pod["metadata"]["name"])
        items.append({"metadata": {k: pod["metadata"][k] for k in ("name", "namespace", "labels")},
                      "timestamp": now_text(), "window": go_duration(window_s),
                      "containers": [{"name": "server", "usage": {"cpu": cpu, "memory": memory}}]})
    return {"kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {},
            "items": items}


class KubeDouble:
    def __init__(self, folder, namespace="llm"):
        self.cluster = Cluster(namespace)
        self.usages_path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods"
        self.discovery = discovery()
        self.tokens = {}  # token -> (user, rules)
        self.used = set()
        self.reviewed = set()
        self.requests = []  # "METHOD path" in order
        # Of a pod's name: its CPU and memory as quantities, and of how many seconds. None: the
        # cluster does not measure.
        self.usage = None
        self.is_cutting_watches = False  # watches end as soon as they have said something
        self.is_mute = False  # watches say nothing
        self._failures = []  # [status, times left, word in the path]
        self._lock = threading.Lock()
        self.ca = folder / "ca.crt"
        self._server = self._start(folder)
        self.url = f"https://127.0.0.1:{self._server.server_port}"

    def close(self):
        self.is_cutting_watches = True
        self.cluster.close()
        self._server.shutdown()
        self._server.server_close()

    def make_client(self, name):
        """(certificate, key) of an administrator, signed by the double's authority."""
        paths = {end: self.ca.with_name(f"{name}.{end}") for end in ("key", "csr", "crt")}
        subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}", "-keyout",
                        paths["key"], "-out", paths["csr"]],
                       check=True, capture_output=True, timeout=60)
        subprocess.run(["openssl", "x509", "-req", "-in", paths["csr"], "-CA", self.ca, "-CAkey",
                        self.ca.with_name("ca.key"), "-CAcreateserial", "-days", "2", "-out",
                        paths["crt"]], check=True, capture_output=True, timeout=60)
        return paths["crt"], paths["key"]

    def fail(self, status, times, path=""):
        """The next `times` requests with `path` in their path are answered with this status;
        "stall": not at all, after a while; "cut": in the middle of the answer the connection ends;
        "drip": it comes slowly; "page", "status": 200, and it is a page of HTML, a Status."""
        with self._lock:
            self._failures.append([status, times, path])

    def clear_failures(self):
        with self._lock:
            self._failures.clear()

    def next_failure(self, path):
        with self._lock:
            for failure in self._failures:
                if failure[1] and failure[2] in path:
                    failure[1] -= 1
                    return failure[0]
        return None

    def identify(self, authorization, certificate):
        """As a real server: a certificate of its authority is somebody whatever the token says."""
        if certificate:
            (name,) = [v for ((k, v),) in certificate["subject"] if k == "commonName"]
            return name, EVERYTHING
        if not authorization:
            return "system:anonymous", []
        token = authorization.removeprefix("Bearer ")
        if token not in self.tokens:
            raise Refusal(401, "Unauthorized", "Unauthorized")
        return self.tokens[token]

    def answer(self, handler, body, send_events):
        """(status, headers, bytes), or None after a watch."""
        failure = self.next_failure(handler.path)
        try:
            if failure == "stall":
                time.sleep(STALL_S)
                handler.close_connection = True
                return None
            if failure == "page":
                return 200, [("Content-Type", "text/html")], b"<html>sign in</html>"
            if failure == "status":
                return 200, [("Content-Type", "application/json")], json.dumps(
                    Refusal(500, "InternalError", "an error of the test").body).encode()
            if failure == 429:
                raise Plain(429, FAILURES[429], [("Retry-After", "1")])
            if isinstance(failure, int):
                raise Refusal(failure, "InternalError", "an error of the test")
            path = urllib.parse.urlsplit(handler.path).path
            if path in self.discovery:
                status, value = 200, self.discovery[path]
            elif (handler.command, handler.path) == ("POST", REVIEW_PATH):
                who = self.identify(handler.headers.get("Authorization"),
                                    handler.connection.getpeercert())
                status, value = 201, review_access(self, *who, body)
            elif path == self.usages_path:
                who = self.identify(handler.headers.get("Authorization"),
                                    handler.connection.getpeercert())
                query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(handler.path).query))
                status, value = 200, list_usages(self, *who, query)
            else:
                call = Call(self, handler, body)
                call.authorize()
                if call.verb == "watch":
                    send_events(call)
                    return None
                status, value = 201 if call.verb == "create" else 200, getattr(call, call.verb)()
        except Refusal as refusal:
            status, value = refusal.code, refusal.body
        except Plain as plain:
            return (plain.code, [("Content-Type", "text/plain; charset=utf-8"), *plain.headers],
                    plain.text.encode())
        handler.failure = failure
        return (status, [("Content-Type", "application/json")],
                json.dumps(value, separators=(",", ":")).encode())

    def _start(self, folder):
        key = folder / "ca.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=kube-double", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                        key, "-out", self.ca], check=True, capture_output=True, timeout=60)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.ca, key)
        tls.load_verify_locations(self.ca)
        tls.verify_mode = ssl.CERT_OPTIONAL
        double = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 90
            disable_nagle_algorithm = True
            failure = None  # how the answer is sent

            def send_events(self, call):
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()

                def send(event):
                    line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
                    # Events and chunks have nothing to do with one another.
                    for part in (line[:len(line) // 2], line[len(line) // 2:]):
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))

                call.watch(send)
                self.wfile.write(b"0\r\n\r\n")

            def handle_request(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                double.requests.append(f"{self.command} {self.path}")
                self.failure = None
                answer = double.answer(self, body, self.send_events)
                if answer is None:
                    return
                status, headers, text = answer
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                if self.failure == "cut":
                    text = text[:len(text) // 2]
                    self.close_connection = True
                if self.failure == "drip":
                    for part in (text[:20], text[20:40], text[40:60]):
                        self.wfile.write(part)
                        time.sleep(STALL_S / 3)
                    text = text[60:]
                self.wfile.write(text)

            do_GET = do_PATCH = do_POST = handle_request

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # a client that goes away in the middle of a watch

        server = Server(("127.0.0.1", 0), Handler)
        server.socket = tls.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server
