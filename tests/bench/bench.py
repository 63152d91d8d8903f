#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Benchmark of the agent: ours, qemu-ga and the floor, side by side

    tests/bench/bench.py                       the agent of build/, qemu-ga as tests/lib fetches it
    tests/bench/bench.py --agent PATH --qemu-ga PATH
    tests/bench/bench.py --quick --row read    fewer rounds, only rows whose title contains "read"
    tests/bench/stall.py                       another one: what a freeze means for writers

Every row is one scenario, run against each contestant in turn (ours, qemu-ga, floor, ours, ...)
for a number of rounds. The first round is discarded, the table shows the median of the others and
their smallest and largest value. It prints ratios and whether a target is reached; it asserts
nothing, because a loaded machine is not a bug. A wrong answer, on the other hand, ends the run.

What makes the numbers honest:
- One client (load.c) for all. It compares every answer with the expected bytes; its clock stands
  still meanwhile. Files hold random data; what was written is compared afterwards.
- All agents run with the same options, in a fresh folder and with an empty configuration, and are
  started anew for every measurement.
- Logging is on: in a mount namespace of its own the benchmark has a /dev/log that is read, so that
  the accounting lines (`guest-ping called`) are sent. This needs root; without, it says so. The
  last table shows how many lines each agent sent.
- The floor (floor.c) answers the same bytes without understanding them: the echo server returns
  the request, the reply server sends the prepared reply, and for exec it is a bare loop of
  posix_spawn and waitpid. Nothing can be faster over this socket, with this client, in this run.

CPU time is that of all threads of the agent's process, from its CPU clock. A ratio is ours divided
by the other's, formed within each round, so that load which comes and goes cancels out; the table
shows its median. Use an optimised build of ours and, if you can, an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from contestants import Bench, BenchError, Contestant, Values
from lib import oracle
from scenarios import Scenarios

ROOT = Path(__file__).resolve().parents[2]
PRIVATE_MOUNTS = "QGA_BENCH_PRIVATE_MOUNTS"


# The table: what is measured, and what is to be reached

class Target(NamedTuple):
    """A bound for ours: against "qemu-ga" or the "floor" as a ratio, or for the value "itself"."""
    against: str
    comparison: str
    bound: float

    def is_reached(self, value: float) -> bool:
        return value <= self.bound if self.comparison == "<=" else value >= self.bound


class Row(NamedTuple):
    title: str
    unit: str
    scenario: str
    value: str
    targets: Tuple[Target, ...] = ()


ROWS = [
    Row("ping, CPU per request", "us", "ping", "cpu", (Target("qemu-ga", "<=", 0.5),)),
    Row("ping, latency", "us", "ping", "latency"),
    Row("ping on one processor, CPU", "us", "ping-one", "cpu", (Target("qemu-ga", "<=", 0.5),)),
    Row("ping on one processor, latency", "us", "ping-one", "latency"),
    Row("100 pings in flight", "1/s", "flight", "rate", (Target("qemu-ga", ">=", 10),)),
    Row("file-read 1 MiB", "MiB/s", "read-1m", "rate",
        (Target("qemu-ga", ">=", 8), Target("floor", ">=", 0.3))),
    Row("file-read 4 KiB", "1/s", "read-4k", "rate"),
    Row("file-write 64 KiB", "MiB/s", "write", "rate",
        (Target("qemu-ga", ">=", 12), Target("floor", ">=", 0.6))),
    Row("exec + status of true", "1/s", "exec", "rate",
        (Target("qemu-ga", ">=", 1.25), Target("floor", ">=", 0.7))),
    Row("start to first answer", "ms", "start", "latency", (Target("qemu-ga", "<=", 0.8),)),
    Row("connect, sync, ping, close", "1/s", "connect", "rate"),
    Row("get-fsinfo, CPU per request", "us", "get-fsinfo", "cpu"),
    Row("get-fsinfo, latency", "us", "get-fsinfo", "latency"),
    Row("get-disks, CPU per request", "us", "get-disks", "cpu"),
    Row("get-disks, latency", "us", "get-disks", "latency"),
    Row("idle RSS", "MiB", "memory", "idle", (Target("qemu-ga", "<=", 1.0),)),
    Row("idle RSS, thereof anonymous", "MiB", "memory", "anonymous"),
    Row("48 MiB read, peak above idle", "MiB", "memory", "peak", (Target("itself", "<=", 52),)),
    Row("ping p99 beside 48 MiB reads", "ms", "sessions", "p99", (Target("itself", "<=", 5),)),
]


# The run and its report

Results = Dict[Tuple[str, str], List[Values]]  # (scenario, contestant) → one per round


def run_rounds(scenarios: Scenarios, names: List[str], contestants: List[Contestant],
               rounds: int) -> Results:
    results: Results = {}
    for current in range(rounds + 1):
        is_warm_up = current == 0
        for name in names:
            for contestant in contestants:
                values = scenarios.measure(name, contestant)
                if values and not is_warm_up:
                    results.setdefault((name, contestant.name), []).append(values)
        print("warm-up done" if is_warm_up else f"round {current} of {rounds} done",
              file=sys.stderr)
    return results


def number(value: Optional[float]) -> str:
    """Three significant digits, without exponents."""
    if value is None:
        return "-"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def series_of(results: Results, row: Row, name: str) -> List[float]:
    return [values[row.value] for values in results.get((row.scenario, name), [])]


def median_of(series: List[float]) -> Optional[float]:
    return statistics.median(series) if series else None


def verdict(row: Row, against: str, value: Optional[float]) -> str:
    for target in row.targets:
        if target.against == against and value is not None:
            word = "yes" if target.is_reached(value) else "NO"
            return f"{target.comparison} {target.bound:g} {word}"
    return ""


def table_lines(row: Row, results: Results, contestants: List[Contestant]) -> List[List[str]]:
    """Two lines: the medians and ratios; then smallest and largest, and the targets."""
    ours = series_of(results, row, "ours")
    itself = verdict(row, "itself", median_of(ours))
    upper = [f"{row.title}, {row.unit}"]
    lower = [f"  ours {itself}" if itself else ""]

    for contestant in contestants:
        series = series_of(results, row, contestant.name)
        upper.append(number(median_of(series)))
        lower.append(f"{number(min(series))}..{number(max(series))}" if series else "")
    for other in ("qemu-ga", "floor"):
        ratio = median_of([a / b for a, b in zip(ours, series_of(results, row, other))])
        upper.append(number(ratio))
        lower.append(verdict(row, other, ratio))
    return [upper, lower]


def print_table(lines: List[List[str]]) -> None:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]
        print("  ".join(cells).rstrip())


def report(results: Results, rows: List[Row], contestants: List[Contestant],
           bench: Bench) -> None:
    lines = [["", *(contestant.name for contestant in contestants), "/ qemu-ga", "/ floor"]]
    for row in rows:
        lines += table_lines(row, results, contestants)
    print_table(lines)
    if bench.has_syslog:
        print("\naccounting lines received:", ", ".join(
            f"{contestant.name} {bench.log_lines.get(contestant.name, 0)}"
            for contestant in contestants if contestant.command))


# Getting ready

def enter_private_mounts() -> bool:
    """Restarts the program in a mount namespace with a /dev of its own, where that is possible.

    Returns whether this is that namespace. /dev/log is made there and nowhere else: the log of the
    machine sees nothing of the benchmark.
    """
    if os.environ.get(PRIVATE_MOUNTS):
        return True
    if os.geteuid() != 0:
        print("not root: no /dev/log of its own, accounting lines go where this machine sends "
              "them", file=sys.stderr)
        return False
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        print("no mount namespace: accounting lines go where this machine sends them",
              file=sys.stderr)
        return False
    os.environ[PRIVATE_MOUNTS] = "1"
    os.execvp("unshare", ["unshare", "-m", sys.executable, __file__, *sys.argv[1:]])


def replace_dev() -> None:
    """A /dev for this mount namespace alone; it goes with it."""
    nodes = {name: os.stat(f"/dev/{name}") for name in ("null", "zero", "full", "urandom")}
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "bench", "/dev"], check=True)
    umask = os.umask(0)
    for name, status in nodes.items():
        os.mknod(f"/dev/{name}", status.st_mode, status.st_rdev)
    os.umask(umask)


def describe_agent(command: List[str]) -> str:
    output = subprocess.run([*command, "--version"], stdout=subprocess.PIPE, check=True, text=True)
    return ", ".join(output.stdout.split("\n")).rstrip(", ")


def warn_about_build(agent: Path) -> None:
    """An unoptimised build of ours would be compared with optimised ones of others."""
    options = agent.parent.parent / "meson-info" / "intro-buildoptions.json"
    if not options.exists():
        return
    values = {option["name"]: option["value"] for option in json.loads(options.read_text())}
    if values.get("optimization") not in ("2", "3") or values.get("b_sanitize") != "none":
        print(f"note: {agent} is built with optimization={values.get('optimization')}, "
              f"b_sanitize={values.get('b_sanitize')}; its numbers mean little", file=sys.stderr)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--agent", default=str(ROOT / "build/qga-compat/qemu-ga"),
                        help="ours, a command line (default: %(default)s)")
    parser.add_argument("--qemu-ga", metavar="COMMAND",
                        help="qemu-ga 10.0, a command line (default: fetched; '' for none)")
    parser.add_argument("--qemu-ga-11", metavar="COMMAND",
                        help="qemu-ga 11.1, a third column (default: fetched; '' for none)")
    parser.add_argument("--rounds", type=int, default=7, help="beside the warm-up (default: 7)")
    parser.add_argument("--quick", action="store_true", help="3 rounds of a fifth of the requests")
    parser.add_argument("--row", default="", help="only rows whose title contains this")
    parser.add_argument("--dir", help="where the files lie that are read and written (default: "
                        "the system's folder for temporary files)")
    return parser.parse_args()


def qemu_ga_command(text: Optional[str], version: str) -> List[str]:
    """What the command line names, else the fetched program; nothing where neither is to be had."""
    if text is not None:
        return shlex.split(text)
    try:
        return oracle.program(version)
    except (oracle.Unavailable, OSError) as error:
        print(f"no qemu-ga {version}: {error}", file=sys.stderr)
        return []


def contestants_of(arguments: argparse.Namespace) -> List[Contestant]:
    commands = {
        "ours": shlex.split(arguments.agent),
        "qemu-ga": qemu_ga_command(arguments.qemu_ga, "10.0"),
        "qemu-ga 11.1": qemu_ga_command(arguments.qemu_ga_11, "11.1"),
    }
    contestants = [Contestant(name, command, is_ours=name == "ours")
                   for name, command in commands.items() if command]
    for contestant in contestants:
        print(f"{contestant.name}: {describe_agent(contestant.command)}")
    return [*contestants, Contestant("floor", None)]


def main() -> int:
    has_syslog = enter_private_mounts()
    arguments = parse_arguments()
    warn_about_build(Path(arguments.agent))

    rows = [row for row in ROWS if arguments.row in row.title]
    names = list(dict.fromkeys(row.scenario for row in rows))
    rounds = min(arguments.rounds, 3) if arguments.quick else arguments.rounds
    with tempfile.TemporaryDirectory(prefix="qga-bench-", dir=arguments.dir) as name:
        folder = Path(name)
        if has_syslog:
            replace_dev()
        contestants = contestants_of(arguments)
        bench = Bench(folder, 0.2 if arguments.quick else 1, has_syslog)
        results = run_rounds(Scenarios(bench), names, contestants, rounds)
        print()
        report(results, rows, contestants, bench)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BenchError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"bench: {error}")
