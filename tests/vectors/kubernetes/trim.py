#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes these vectors from a folder of captured exchanges with a real API server:

    trim.py CAPTURES

Kept is what a client of the API depends on. Left out are managedFields, the annotation with
the last applied configuration, pod templates' details and headers that only servers read."""
import json
import pathlib
import sys

EXCHANGES = """05 06 08 10 11 17 23 25 26 27 28 29 30 31 38 41 42 44 45 46 52 53 54 57 58 59 63 74 75 76 80 84 88
90 93 96""".split()
SEQUENCES = ["s1", "s2", "s3", "s4", "s5", "s6", "s11"]
HERE = pathlib.Path(__file__).resolve().parent


def trim_object(value):
    if isinstance(value, list):
        return [trim_object(v) for v in value]
    if not isinstance(value, dict):
        return value
    value = {k: trim_object(v) for k, v in value.items() if k != "managedFields"}
    if "annotations" in value:
        value["annotations"] = {k: v for k, v in value["annotations"].items()
                                if k.startswith("deployment.kubernetes.io/")}
    for name in ("volumes", "tolerations", "volumeMounts"):
        value.pop(name, None)
    return value


def trim_exchange(source):
    request, response = source["request"], source["response"]
    headers = {name.lower(): text for name, text in request["headers"]}
    kept = {"server": source["server"],
            "request": {"method": request["method"], "path": request["path"],
                        "token": headers.get("authorization", "").removeprefix("Bearer "),
                        "content_type": headers.get("content-type"),
                        "body": request.get("body", request.get("body_text"))},
            "response": {"status": response["status"]}}
    answered = {name.lower(): text for name, text in response["headers"]}
    for name in ("content-type", "retry-after"):
        if name in answered:
            kept["response"][name] = answered[name]
    for name in ("body", "body_text", "events"):
        if name in response:
            kept["response"][name] = trim_object(response[name])
    return kept


def main():
    captures = pathlib.Path(sys.argv[1])
    for number in EXCHANGES:
        (path,) = captures.glob(f"{number}-*.json")
        text = json.dumps(trim_exchange(json.loads(path.read_text())), separators=(",", ":"))
        (HERE / path.name).write_text(text + "\n")
    for number in SEQUENCES:
        (path,) = captures.glob(f"{number}-*.json")
        source = json.loads(path.read_text())
        kept = {name: source[name] for name in ("action", "deployment_seen", "pods_seen")}
        (HERE / path.name).write_text(json.dumps(kept, separators=(",", ":")) + "\n")


main()
