#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""cicada-inference beside the same model in FastAPI, uvicorn and PyTorch, and its response times by load.

The service has CPU 1 and one thread, the load CPU 0: cicada with bench/predict.c, 7,000 bytes a
request. Both services run in turn, round after round, so that a machine whose speed drifts drifts
for both. CPU is user + system of the whole process as the kernel accounts it.

    bench/inference.py --rounds 5 --seconds 5 --write docs/benchmarks.md
    bench/inference.py --only times
    bench/inference.py --soak 3600 --cpu-quota 0.25 --write docs/benchmarks.md

The last is a test of endurance alone: 80 % of what the service can do, its memory every tenth of
the time, and whether both sides counted the same requests. The quota leaves the machine to others
meanwhile.

`tools/setup.sh bench` installs the peer; without it it is left out and named."""

import argparse
import collections
import contextlib
import importlib.util
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time
import urllib.request

import peers
from peers import BUILD, CICADA, HERE, free_port, spread

CONNECTIONS = 64
WARMUP_S = 3
PEER = "FastAPI + uvicorn + PyTorch"
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
CPU_GROUPS = pathlib.Path("/sys/fs/cgroup/cpu")
QUOTA_PERIOD_US = 10000
# Of the capacity, which is what a closed loop gets.
# Share of the capacity, and the --queue of the service.
LOADS = ((0.5, 1024), (0.9, 1024), (0.9, 64), (1.5, 1024), (1.5, 64))


def on_cpu(number):
    return lambda: os.sched_setaffinity(0, {number})


@contextlib.contextmanager
def cpu_group(share):
    """Moves the calling process into a cgroup (version 1) that may use that share of a CPU, and gets
    it before all others. None: nowhere."""
    if not share:
        yield lambda: None
        return
    group = CPU_GROUPS / f"cicada-bench-{os.getpid()}"
    group.mkdir()
    try:
        for name, value in (("cfs_period_us", QUOTA_PERIOD_US), ("shares", 262144),
                            ("cfs_quota_us", round(share * QUOTA_PERIOD_US))):
            (group / f"cpu.{name}").write_text(str(value))
        yield lambda: (group / "cgroup.procs").write_text("0")
    finally:
        group.rmdir()


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as reply:
        return reply.read().decode()


def await_answer(process, port, path):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if process.poll() is not None:
            sys.exit(f"{process.args[0]} ended with {process.returncode}")
        with contextlib.suppress(OSError):
            return get(port, path)
        time.sleep(0.002)
    sys.exit(f"no answer from port {port} after 60 s")


def end(process):
    process.terminate()
    process.wait(30)


def cpu_s(process):
    stat = pathlib.Path(f"/proc/{process.pid}/stat").read_text()
    return sum(map(int, stat.rsplit(")", 1)[1].split()[11:13])) / CLOCK_TICKS


class Server:
    def __init__(self, *command, enter=lambda: None):
        self.port = free_port()
        started = time.monotonic()
        self.process = subprocess.Popen([str(c).format(port=self.port) for c in command],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, cwd=HERE.parent,
                                        env={**os.environ, "OMP_NUM_THREADS": "1"},
                                        preexec_fn=lambda: (enter(), on_cpu(1)()))
        await_answer(self.process, self.port, "/healthz")
        self.ready_ms = (time.monotonic() - started) * 1000

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)

    def cpu_s(self):
        return cpu_s(self.process)

    def resident_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def predictions(self):
        return int(re.search(r"^inference_predictions_total (\d+)", get(self.port, "/metrics"),
                             re.M)[1])


def ours(*more, **how):
    return Server(BUILD / "cicada-inference", "--host", "127.0.0.1", "--port", "{port}",
                  "--threads", "1", *more, **how)


def peer():
    return Server(sys.executable, "-m", "uvicorn", "--app-dir", HERE, "--no-access-log", "--port",
                  "{port}", "inference_peer:app")


def busy_s():
    """CPU seconds of the whole machine: all but idle and waiting for a disk."""
    words = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return sum(int(w) for at, w in enumerate(words[1:9]) if at not in (3, 4)) / CLOCK_TICKS


def total_row(page):
    return next(row for row in page["stats"] if row["name"] == "Aggregated")


def load(server, users, seconds, *more, watch=None):
    """What cicada says of a run: /stats/window, with the row of all names as "all"; its row in
    /stats/requests, which has what came outside of the window, too, as "whole"; and as "others" the
    share of the machine that went to neither of the two."""
    port = free_port()
    command = [CICADA, "-f", HERE / "predict.c", "-H", f"http://127.0.0.1:{server.port}",
               "--autostart", "--web-host", "127.0.0.1", "--web-port", port, "-u", users, "-r",
               users, "-t", f"{seconds}s", "-s", "5", "--threads", "1", *more]
    before, begun = busy_s() - server.cpu_s(), time.monotonic()
    process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               preexec_fn=on_cpu(0))
    try:
        await_answer(process, port, "/stats/window")
        # Nobody is asked before the end: one percent of the time is what p99 consists of.
        due = time.monotonic() + seconds
        while (left_s := due - time.monotonic()) > 0:
            if watch:
                watch()
            time.sleep(min(left_s, 1 if watch else left_s))
        while (window := json.loads(get(port, "/stats/window")))["state"] != "stopped":
            if time.monotonic() > due + 60:
                sys.exit("the load did not end")
            time.sleep(0.2)
        window["whole"] = total_row(json.loads(get(port, "/stats/requests")))
        others_s = busy_s() - server.cpu_s() - cpu_s(process) - before
        window["others"] = max(0, others_s / (time.monotonic() - begun) / os.cpu_count())
    finally:
        end(process)
    if window["generator"]["connections_failed"]:
        print(f"note: connections failed: {window['generator']}", file=sys.stderr)
    window["all"] = total_row(window)
    return window


def open_loop(server, per_s, seconds, warmup_s=WARMUP_S, **more):
    """The connections of the start are not what is measured; counts leave out the warm-up, too."""
    return load(server, max(1, round(per_s)), seconds + warmup_s, "--arrivals", "poisson",
                "--max-in-flight", "3000", "--warmup", warmup_s, **more)


def per_s(window, outcome="ok"):
    return window["all"]["outcomes"][outcome]["count"] / window["window"]["duration_s"]


def cost(server, seconds):
    """(predictions per CPU-second, predictions/s) of a closed loop."""
    before = server.cpu_s()
    window = load(server, CONNECTIONS, seconds)
    whole = window["whole"]
    if whole["num_failures"]:
        sys.exit(f"{server.process.args[0]}: {whole['num_failures']} requests failed")
    return whole["num_requests"] / (server.cpu_s() - before), per_s(window)


def bare(program):
    """The best of all sizes of a batch, per CPU-second."""
    path = BUILD / "bench" / program
    if not path.exists():
        return None
    done = subprocess.run([path], cwd=HERE.parent, check=True, capture_output=True, text=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1"}, preexec_fn=on_cpu(1),
                          timeout=300)
    return max(json.loads(line)["predictions_per_cpu_s"] for line in done.stdout.splitlines())


def has_peer():
    return all(importlib.util.find_spec(name) for name in ("fastapi", "uvicorn", "torch"))


def throughput_round(options, figures):
    for program in ("bench_lstm", "bench_onednn"):
        figures[program].append(bare(program))
    with ours() as server:
        figures["ready_ms"].append(server.ready_ms)
        figures["per_cpu"].append(cost(server, options.seconds)[0])
        figures["resident_mb"].append(server.resident_mb())
    if has_peer():
        with peer() as server:
            cost(server, 1)
            figures["peer"].append(cost(server, options.seconds)[0])
            figures["peer_mb"].append(server.resident_mb())


def times_round(options, figures):
    with ours() as server:
        capacity = cost(server, options.seconds)[1]
        figures["capacity"].append(capacity)
        figures["alone"].append(load(server, 1, options.seconds))
    for share, queue in LOADS:
        with ours("--queue", queue) as server:
            cost(server, 1)
            before = server.resident_mb()
            window = open_loop(server, share * capacity, options.seconds)
            window["growth_mb"] = server.resident_mb() - before
            figures[share, queue].append(window)


def ratios(figures, name):
    return [a / b for a, b in zip(figures["per_cpu"], figures[name])]


def throughput_table(figures):
    lines = ["| POST /predict | predictions per CPU-second | the service's, in the same round |",
             "|---|---|---|",
             f"| cicada-inference | {spread(figures['per_cpu'], 0)} | |"]
    for name, label in (("bench_lstm", "its layers alone, best batch"),
                        ("bench_onednn", "oneDNN alone, best batch"), ("peer", PEER)):
        if name not in figures or None in figures[name]:
            lines.append(f"| {label} | not installed | |")
            continue
        lines.append(f"| {label} | {spread(figures[name], 0)} | "
                     f"{spread(ratios(figures, name), 2)} times |")
    return "\n".join(lines)


def times_table(figures):
    def row(label, windows):
        ok = [w["all"]["outcomes"]["ok"] for w in windows]
        return (f"| {label} | {spread([100 * w['others'] for w in windows], 0)} | "
                f"{spread([per_s(w) for w in windows], 0)} | "
                f"{spread([o['p50'] for o in ok], 2)} | {spread([o['p99'] for o in ok], 2)} | ")

    lines = ["| load | CPU of others, % | answered per s | median ms | p99 ms | refused |",
             "|---|---|---|---|---|---|",
             row("one request at a time", figures["alone"]) + "|"]
    for share, queue in LOADS:
        windows = figures[share, queue]
        refused = [w["all"]["outcomes"]["http_error"] for w in windows]
        said = "none"
        if any(r["count"] for r in refused):
            goodput = [per_s(w) / c for w, c in zip(windows, figures["capacity"])]
            times = [r["p99"] for r in refused if r["count"]]
            said = (f"{sum(r['count'] for r in refused)}, p99 {spread(times, 2)} ms; answered "
                    f"{spread([100 * g for g in goodput], 0)} % of the capacity; memory "
                    f"{spread([w['growth_mb'] for w in windows], 1)} MB more")
        lines.append(row(f"{share * 100:.0f} %, `--queue {queue}`", windows) + f"{said} |")
    return "\n".join(lines)


def size_table(figures):
    lines = ["| | resident MB after a round | start to first answer, ms |", "|---|---|---|",
             f"| cicada-inference | {spread(figures['resident_mb'], 1)} | "
             f"{spread(figures['ready_ms'], 0)} |"]
    if "peer_mb" in figures:
        lines.append(f"| {PEER} | {spread(figures['peer_mb'], 0)} | |")
    return "\n".join(lines)


def machine(options):
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return (f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} CPUs"
            f"{' (' + cpu.group(1).strip() + ')' if cpu else ''}, load average "
            f"{os.getloadavg()[2]:.1f}. Median (minimum-maximum) of {options.rounds} rounds of "
            f"{options.seconds} s.")


def compare(options):
    figures = collections.defaultdict(list)
    parts = {"inference machine": machine(options)}
    for _ in range(options.rounds):
        if options.only != "times":
            throughput_round(options, figures)
        if options.only != "throughput":
            times_round(options, figures)
    if options.only != "times":
        parts["inference"] = throughput_table(figures)
        parts["inference size"] = size_table(figures)
    if options.only != "throughput":
        parts["inference times"] = times_table(figures)
    return parts


def soak(options):
    with cpu_group(options.cpu_quota) as enter, ours(enter=enter) as server:
        capacity = cost(server, options.seconds)[1]
        before, seen, due = server.predictions(), [], [time.monotonic()]

        def watch():
            if time.monotonic() >= due[0]:
                seen.append(server.resident_mb())
                due[0] += options.soak / 10

        window = open_loop(server, 0.8 * capacity, options.soak, warmup_s=0, watch=watch)
        predicted = server.predictions() - before
        seen.append(server.resident_mb())
    whole, outcomes = window["whole"], window["all"]["outcomes"]
    ok = outcomes["ok"]
    return {"inference soak": (
        f"{time.strftime('%Y-%m-%d')}, {options.soak} s at 80 % of {capacity:.0f} predictions/s"
        f"{f', which is what {options.cpu_quota} CPU can do' if options.cpu_quota else ''}, Poisson: "
        f"{whole['num_requests'] - whole['num_failures']} requests got a prediction, the service counted {predicted}; "
        f"{outcomes['http_error']['count']} were refused (503), {outcomes['network_error']['count']} lost, "
        f"{window['generator']['dropped']} found no room at the generator. Median {ok['p50']:.2f} ms, p99 {ok['p99']:.2f} ms. Resident MB, ten times over that "
        f"time: {', '.join(f'{mb:.1f}' for mb in seen)}.")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--only", choices=("throughput", "times"), help="half of it")
    parser.add_argument("--soak", type=int, metavar="SECONDS", help="endurance, and nothing else")
    parser.add_argument("--cpu-quota", type=float, metavar="SHARE",
                        help="of a CPU, for the service of --soak; for root, cgroup version 1")
    parser.add_argument("--write", type=pathlib.Path, metavar="FILE",
                        help="put the tables between the markers of this document")
    options = parser.parse_args()
    if not has_peer():
        print("left out, not installed: python3-fastapi, python3-uvicorn or python3-torch")
    parts = soak(options) if options.soak else compare(options)
    print("\n\n".join(parts.values()))
    if options.write:
        peers.write(options.write, parts)


if __name__ == "__main__":
    main()
