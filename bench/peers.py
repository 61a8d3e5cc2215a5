#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""cicada beside wrk, hey, ab, h2load and Locust: requests per generator CPU-second on the same target.

One nginx worker on CPU 1 answers with tiny replies; each generator has CPU 0 and 64 connections.
Of the mix nginx is the limit, so that it is done once more with bench/target.c in its place. Locustfiles
are run by both programs: GET, and scenarios/locustfile.py without its waits.
The generators run in turn, round after round, so that a machine whose speed drifts drifts for all
of them. Requests are those each generator itself reports; CPU is user + system of its whole process
as the kernel accounts it, start-up included. The ratio is taken within a round.

Then instructions per request (user space, under callgrind, the difference of a long and a short run,
so that start-up cancels out), and what cicada --calibrate says of memory and spawning.

    bench/peers.py --rounds 7 --seconds 6 --write docs/benchmarks.md
    bench/peers.py --only "https GET"

`tools/setup.sh bench` installs the generators; those that are missing are left out and named."""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent / "build" / "release"
CICADA = BUILD / "cicada"
LOCUST = "/usr/bin/locust"
CONNECTIONS = 64

NGINX = """
daemon off; worker_processes 1; worker_cpu_affinity 10; pid {dir}/pid; error_log {dir}/error;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 1h; client_body_temp_path {dir}/b;
  proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  client_body_buffer_size 16k; default_type application/json;
  ssl_certificate {dir}/cert; ssl_certificate_key {dir}/key; ssl_session_cache off;
  server {{
    listen 127.0.0.1:{port} backlog=1024; listen 127.0.0.1:{tls_port} ssl backlog=1024;
    location / {{ return 200 '{{"predictions": [0]}}'; }}
  }}
}}
"""


def cicada(user, *more):
    def command(url, seconds):
        return [CICADA, "-f", HERE / "mix.c", "-H", url, "--headless", "--only-summary", "-u",
                str(CONNECTIONS), "-r", "1000", "-t", f"{seconds}s", "-s", "5", "--threads", "1",
                *more, user]
    return command, r"^\s+Aggregated\s+(\d+)"


def locustfile(program, file, user):
    """Of either program, whose command lines are one."""
    def command(url, seconds):
        return [program, "-f", HERE / file, "-H", url, "--headless", "--only-summary", "-u",
                str(CONNECTIONS), "-r", "1000", "-t", f"{seconds}s", user]
    return command, r"^\s+Aggregated\s+(\d+)"


def both(file, plain, fast):
    """A locustfile under Locust and under cicada."""
    return {f"{name} {kind}": locustfile(program, file, user)
            for kind, user in (("HttpUser", plain), ("FastHttpUser", fast))
            for name, program in (("Locust", LOCUST), ("cicada", CICADA))}


def wrk(*more):
    def command(url, seconds):
        return ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *more, url + "/healthz"]
    return command, r"(\d+) requests in"


def hey():
    def command(url, seconds):
        return ["hey", "-z", f"{seconds}s", "-c", str(CONNECTIONS), "-cpus", "1", url + "/healthz"]
    return command, r"\[200\]\s+(\d+) responses"


def ab():
    def command(url, seconds):
        return ["ab", "-k", "-q", "-t", str(seconds), "-n", "100000000", "-c", str(CONNECTIONS),
                url + "/healthz"]
    return command, r"Complete requests:\s+(\d+)"


def h2load():
    def command(url, seconds):
        return ["h2load", "--h1", "-t1", f"-c{CONNECTIONS}", f"-D{seconds}", url + "/healthz"]
    return command, r"(\d+) succeeded"


GENERATORS = {
    "GET": {"wrk": wrk(), "cicada": cicada("GetOnly"), "h2load --h1": h2load(), "ab": ab(),
            "hey": hey()},
    "https GET": {"wrk": wrk(), "cicada": cicada("GetOnly", "--tls-insecure")},
    "mix": {"wrk + Lua": wrk("-s", str(HERE / "mix.lua")), "cicada": cicada("Mix"),
            "Locust FastHttpUser": locustfile(LOCUST, "mix_locust.py", "Fast"),
            "Locust HttpUser": locustfile(LOCUST, "mix_locust.py", "Plain")},
    "mix, bare target": {"wrk + Lua": wrk("-s", str(HERE / "mix.lua")), "cicada": cicada("Mix")},
    "locustfile, GET": both("mix_locust.py", "PlainGet", "FastGet"),
    "locustfile, mix": both("inference_locust.py", "Plain", "Fast"),
}
# Under callgrind; names of GENERATORS.
COUNTED = (("GET", "wrk"), ("GET", "cicada"), ("mix", "wrk + Lua"), ("mix", "cicada"))


def run(command, pattern, cpu):
    """(requests, CPU seconds, wall seconds) of one run."""
    with tempfile.TemporaryFile("w+") as out:
        started = time.monotonic()
        process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=out, cwd="/",
                                   preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        out.seek(0)
        text = out.read()
    found = re.findall(pattern, text, re.M)
    if not found:
        sys.exit(f"{command[0]} ended with {status} and said no count:\n{text}")
    if re.search(r"Non-2xx|Socket errors|Error report", text):
        print(f"note: errors in the run of {command[0]}:\n{text[-2000:]}", file=sys.stderr)
    return int(found[0]), usage.ru_utime + usage.ru_stime, wall


def spread(values, digits):
    return (f"{statistics.median(values):.{digits}f} "
            f"({min(values):.{digits}f}-{max(values):.{digits}f})")


def compare(work, generators, url, options):
    names = [n for n, (command, _) in generators.items()
             if shutil.which(str(command("", 1)[0])) or print(f"left out, not installed: {n}")]
    figures = {n: [] for n in names}
    for number in range(-1, options.rounds):
        for name in names:
            command, pattern = generators[name]
            result = run(command(url, options.seconds if number >= 0 else 1), pattern, 0)
            if number >= 0:
                figures[name].append(result)
    base = [r / c for r, c, _ in figures[names[0]]]
    lines = [f"| {work} | requests/s | per CPU-s | ratio to {names[0]} in the same round |",
             "|---|---|---|---|"]
    for name in names:
        per_cpu = [r / c for r, c, _ in figures[name]]
        lines.append(f"| {name} | {spread([r / options.seconds for r, _, _ in figures[name]], 0)} | "
                     f"{spread(per_cpu, 0)} | "
                     f"{spread([p / b for p, b in zip(per_cpu, base)], 3)} |")
    print(json.dumps({"work": work, "figures": figures}), file=sys.stderr)
    return "\n".join(lines)


def instructions(command, pattern, url, folder):
    """User-space instructions per request."""
    counts = []
    for seconds in (3, 9):
        valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/callgrind"]
        with tempfile.TemporaryFile("w+") as out:
            subprocess.run([str(c) for c in valgrind + command(url, seconds)], stdout=out,
                           stderr=out, stdin=subprocess.DEVNULL, cwd="/", timeout=120)
            out.seek(0)
            text = out.read()
        requests, collected = re.findall(pattern, text, re.M), re.findall(r"Collected : (\d+)", text)
        if not requests or not collected:
            sys.exit(f"no count of {command(url, seconds)[0]} under callgrind:\n{text}")
        counts.append((int(collected[-1]), int(requests[0])))
    (short, few), (long, many) = counts
    return (long - short) / (many - few)


def count_instructions(url, folder):
    if not shutil.which("valgrind"):
        print("left out, not installed: valgrind")
        return ""
    lines = ["| work | generator | instructions per request, user space |", "|---|---|---|"]
    for work, name in COUNTED:
        command, pattern = GENERATORS[work][name]
        if shutil.which(str(command("", 1)[0])):
            lines.append(f"| {work} | {name} | {instructions(command, pattern, url, folder):.0f} |")
    return "\n".join(lines)


def calibrate():
    done = subprocess.run([CICADA, "--calibrate"], check=True, capture_output=True, text=True,
                          timeout=120)
    return f"```\n{done.stdout}```"


def machine():
    """The date and the machine."""
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return (f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} CPUs"
            f"{' (' + cpu.group(1).strip() + ')' if cpu else ''}, "
            f"Linux {'.'.join(os.uname().release.split('.')[:2])}")


def versions():
    packages = ("nginx-light", "wrk", "hey", "apache2-utils", "nghttp2-client", "python3-locust")
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}, ", *packages],
                          capture_output=True, text=True)
    return f"{machine()}: {done.stdout.rstrip(', ')}."


def write(path, parts):
    """Replaces what stands between <!-- name --> and <!-- end --> in the document."""
    text = path.read_text()
    for name, part in parts.items():
        pattern = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(\n<!-- end -->)", re.S)
        if not pattern.search(text):
            sys.exit(f"{path}: no lines <!-- {name} --> and <!-- end -->")
        text = pattern.sub(lambda m, part=part: m.group(1) + part + m.group(2), text)
    path.write_text(text)


def make_certificate(folder):
    """What wrk does not verify, and cicada is told not to."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
                    "-keyout", folder / "key", "-out", folder / "cert"],
                   check=True, capture_output=True)


def await_server(port):
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"no server at port {port} after 5 s")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--only", choices=GENERATORS, help="one kind of work, and nothing else")
    parser.add_argument("--write", type=pathlib.Path, metavar="FILE",
                        help="put the tables between the markers of this document")
    options = parser.parse_args()
    parts = {"machine": f"{versions()} Median (minimum-maximum) of {options.rounds} rounds of "
                        f"{options.seconds} s."}
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        port, tls_port, bare_port = free_port(), free_port(), free_port()
        make_certificate(pathlib.Path(folder))
        config = pathlib.Path(folder) / "nginx.conf"
        config.write_text(NGINX.format(dir=folder, port=port, tls_port=tls_port))
        nginx = subprocess.Popen(["nginx", "-c", str(config), "-p", folder])
        bare = subprocess.Popen([str(BUILD / "bench" / "target"), str(bare_port)],
                                preexec_fn=lambda: os.sched_setaffinity(0, {1}))
        try:
            await_server(port)
            await_server(bare_port)
            for work, generators in GENERATORS.items():
                url = (f"https://127.0.0.1:{tls_port}" if work.startswith("https") else
                       f"http://127.0.0.1:{bare_port if work.endswith('bare target') else port}")
                if options.only in (None, work):
                    parts[work] = compare(work, generators, url, options)
            if not options.only:
                parts["instructions"] = count_instructions(f"http://127.0.0.1:{port}", folder)
                parts["calibrate"] = calibrate()
        finally:
            bare.kill()
            bare.wait(10)
            nginx.send_signal(signal.SIGQUIT)
            nginx.wait(10)
    print("\n\n".join(parts.values()))
    if options.write:
        write(options.write, parts)


if __name__ == "__main__":
    main()
