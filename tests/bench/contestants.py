# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is measured, and the processes that takes

Knows agents, floor servers, the log and the client program; nothing of what is asked.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional

HERE = Path(__file__).resolve().parent
FILE_SIZE = 48 << 20

Values = Dict[str, float]


class BenchError(Exception):
    """The run cannot go on; the message says why."""


class Contestant(NamedTuple):
    name: str
    command: Optional[List[str]]  # None: the floor
    is_ours: bool = False


class Place(NamedTuple):
    """What it takes to start a contestant."""
    folder: Path
    socket: Path
    command: List[str]
    environment: Dict[str, str]


class Server(NamedTuple):
    folder: Path
    socket: Path
    pid: int


def encode(request: dict) -> bytes:
    return json.dumps(request).encode() + b"\n"


def call(path: Path, execute: str, /, **arguments) -> object:
    """One request over a connection of its own; its result."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(path))
        connection.sendall(encode({"execute": execute, "arguments": arguments}))
        answer = json.loads(connection.makefile("rb").readline())
    if "return" not in answer:
        raise BenchError(f"{execute}: {answer}")
    return answer["return"]


def wait_for_socket(path: Path, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket(socket.AF_UNIX) as connection:
            if connection.connect_ex(str(path)) == 0:
                return
        time.sleep(0.002)
    raise BenchError(f"{process.args[0]} does not listen on its socket")


def cpu_of(pid: int) -> float:
    """Seconds of processor time of all threads, from the process's CPU clock."""
    return time.clock_gettime(~pid << 3 | 2)


@contextlib.contextmanager
def on_one_processor() -> Iterator[None]:
    """What is started meanwhile stays on the last processor that this program may use."""
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(processors)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, processors)


def memory_of(pid: int, source: str, field: str) -> float:
    """A field of /proc/PID/status or smaps_rollup, in MiB."""
    for line in Path(f"/proc/{pid}/{source}").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise BenchError(f"no {field} in /proc/{pid}/{source}")


def compile_program(folder: Path, name: str) -> str:
    compiler = shlex.split(os.environ.get("CC", "cc"))
    program = str(folder / name)
    subprocess.run([*compiler, "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-o", program,
                    str(HERE / f"{name}.c")], check=True)
    return program


class Bench:
    """Where everything of one run lies, and how its programs are started."""

    def __init__(self, folder: Path, scale: float, has_syslog: bool):
        self.folder = folder
        self.scale = scale
        self.has_syslog = has_syslog
        self.log_lines: Dict[str, int] = {}
        self.floor = compile_program(folder, "floor")
        self.load_program = compile_program(folder, "load")
        self.data = folder / "data"
        self.data.write_bytes(os.urandom(FILE_SIZE))

    def count(self, full: int) -> int:
        return max(1, round(full * self.scale))

    def load(self, *arguments: object, environment: Optional[Dict[str, str]] = None) -> Values:
        # A session of its own: what a failing client has started ends with it.
        with subprocess.Popen([self.load_program, *map(str, arguments)], env=environment,
                              stdout=subprocess.PIPE, start_new_session=True) as client:
            output, _ = client.communicate()
        if client.returncode != 0:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(client.pid, signal.SIGKILL)
            raise BenchError(f"load {' '.join(map(str, arguments[:4]))}: see above")
        return json.loads(output)

    @contextlib.contextmanager
    def _syslog(self, contestant: Contestant) -> Iterator[None]:
        """A /dev/log with a reader behind it, which counts."""
        if not self.has_syslog:
            yield
            return

        path = Path("/dev/log")
        path.unlink(missing_ok=True)
        with subprocess.Popen([self.floor, "drain", str(path)], stdout=subprocess.PIPE) as drain:
            while not path.exists():
                time.sleep(0.001)
            try:
                yield
            finally:
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
                    end.sendto(b"", str(path))
                lines = int(drain.communicate()[0])
                self.log_lines[contestant.name] = self.log_lines.get(contestant.name, 0) + lines

    @contextlib.contextmanager
    def prepare(self, contestant: Contestant, floor: List[object],
                configuration: str = "") -> Iterator[Place]:
        """A fresh place for an agent, or for the floor server FLOOR (its mode and arguments).

        "{folder}" in the configuration becomes the folder of the place.
        """
        with tempfile.TemporaryDirectory(dir=self.folder) as name, self._syslog(contestant):
            folder = Path(name)
            path = folder / "socket"
            if contestant.command is None:
                mode, *arguments = map(str, floor)
                command = [self.floor, mode, str(path), *arguments]
            else:
                command = [*contestant.command, "-m", "unix-listen", "-p", str(path),
                           "-t", name, "-f", str(folder / "pid")]
            (folder / "conf").write_text(configuration.format(folder=folder))
            yield Place(folder, path, command, {**os.environ, "QGA_CONF": str(folder / "conf")})

    @contextlib.contextmanager
    def serve(self, contestant: Contestant, floor: List[object],
              configuration: str = "") -> Iterator[Server]:
        """The contestant, running until the block is left."""
        with self.prepare(contestant, floor, configuration) as place, \
             subprocess.Popen(place.command, env=place.environment) as process:
            try:
                wait_for_socket(place.socket, process)
                yield Server(place.folder, place.socket, process.pid)
            finally:
                # qemu-ga's SIGTERM handler takes a lock of its main loop and can hang on it.
                process.kill()
