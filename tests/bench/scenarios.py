# SPDX-License-Identifier: GPL-2.0-or-later
"""What is measured: scripts of requests with their replies, and one method for each scenario"""

from __future__ import annotations

import base64
import filecmp
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Dict, List, NamedTuple

from contestants import FILE_SIZE, Bench, BenchError, Contestant, Server, Values, call, cpu_of, \
    encode, memory_of, on_one_processor

MIB = 1 << 20
FIRST_HANDLE = 1000  # what every agent gives in a fresh state directory; checked at each open
PING = {"execute": "guest-ping"}
# What changes while it is looked at: how full file systems are, and other programs' loop devices.
VOLATILE = re.compile(rb'"[a-z]+-bytes[a-z-]*": \d+|, \{"name": "/dev/loop[^}]*\}'
                      rb'|(?<=\[)\{"name": "/dev/loop[^}]*\}, ')


class Script(NamedTuple):
    """Requests and the exact replies to them, one per line."""
    requests: Path
    replies: Path


def write_script(folder: Path, name: str, requests: List[bytes], replies: List[bytes]) -> Script:
    script = Script(folder / f"{name}.requests", folder / f"{name}.replies")
    script.requests.write_bytes(b"".join(requests))
    script.replies.write_bytes(b"".join(replies))
    return script


def open_file(server: Server, path: Path, mode: str) -> None:
    handle = call(server.socket, "guest-file-open", path=str(path), mode=mode)
    if handle != FIRST_HANDLE:
        raise BenchError(f"the first handle is {handle}")


class Scenarios:
    """Every public method measures one contestant once; what does not apply gives nothing."""

    def __init__(self, bench: Bench):
        self._bench = bench
        self._pong = encode({"return": {}})
        self._ping = self._script("ping", [encode(PING)], [self._pong])
        self._pings = self._script("pings", [encode(PING)] * 100, [self._pong] * 100)
        self._reads = self._read_script("reads", MIB, 32)
        self._small_reads = self._read_script("small-reads", 4096, 2048)
        self._large_read = self._read_script("large-read", FILE_SIZE, 1)
        self._written = bench.folder / "written"
        self._writes = self._write_script(65536, 256)
        self._syncs = self._sync_script(100)
        self._told: Dict[str, bytes] = {}

    def _script(self, name: str, requests: List[bytes], replies: List[bytes]) -> Script:
        return write_script(self._bench.folder, name, requests, replies)

    def _read_script(self, name: str, size: int, count: int) -> Script:
        """Rewinds, then reads COUNT blocks: a script that can be repeated."""
        requests = [encode({"execute": "guest-file-seek", "arguments": {
            "handle": FIRST_HANDLE, "offset": 0, "whence": "set"}})]
        replies = [encode({"return": {"eof": False, "position": 0}})]
        with self._bench.data.open("rb") as data:
            for _ in range(count):
                requests.append(encode({"execute": "guest-file-read", "arguments": {
                    "handle": FIRST_HANDLE, "count": size}}))
                payload = base64.b64encode(data.read(size)).decode()
                replies.append(encode(
                    {"return": {"count": size, "buf-b64": payload, "eof": False}}))
        return self._script(name, requests, replies)

    def _write_script(self, size: int, count: int) -> Script:
        requests = []
        with self._bench.data.open("rb") as data:
            for _ in range(count):
                payload = base64.b64encode(data.read(size)).decode()
                requests.append(encode({"execute": "guest-file-write", "arguments": {
                    "handle": FIRST_HANDLE, "buf-b64": payload}}))
        self._written.write_bytes(self._bench.data.read_bytes()[:size * count])
        return self._script("writes", requests,
                            [encode({"return": {"count": size, "eof": False}})] * count)

    def _sync_script(self, count: int) -> Script:
        requests, replies = [], []
        for number in range(count):
            requests += [encode({"execute": "guest-sync", "arguments": {"id": number}}),
                         encode(PING)]
            replies += [encode({"return": number}), self._pong]
        return self._script("syncs", requests, replies)

    def _exchange(self, server: Server, script: Script, **options: int) -> Values:
        return self._bench.load("exchange", server.socket, script.requests, script.replies,
                                *(f"{name}={value}" for name, value in options.items()))

    def ping(self, contestant: Contestant) -> Values:
        with self._bench.serve(contestant, ["reply", self._ping.replies]) as server:
            self._exchange(server, self._ping, repeat=100)
            result = self._exchange(server, self._ping, repeat=self._bench.count(5000),
                                    pid=server.pid)
        return {"cpu": result["cpu"] / result["requests"] * 1e6,
                "latency": result["median"] * 1e6}

    def ping_one(self, contestant: Contestant) -> Values:
        """As ping(), with client and server on one processor: a virtual machine's processors halt
        between requests, and waking one costs as much as the request, for the floor as well."""
        with on_one_processor():
            return self.ping(contestant)

    def flight(self, contestant: Contestant) -> Values:
        with self._bench.serve(contestant, ["reply", self._pings.replies]) as server:
            result = self._exchange(server, self._pings, depth=100,
                                    repeat=self._bench.count(60))
        return {"rate": result["requests"] / result["seconds"]}

    def _read(self, contestant: Contestant, script: Script, count: int, repeat: int) -> Values:
        with self._bench.serve(contestant, ["reply", script.replies]) as server:
            if contestant.command:
                open_file(server, self._bench.data, "r")
            result = self._exchange(server, script, repeat=repeat)
        return {"rate": count * repeat / result["seconds"]}

    def read_1m(self, contestant: Contestant) -> Values:
        return self._read(contestant, self._reads, 32, self._bench.count(3))

    def read_4k(self, contestant: Contestant) -> Values:
        return self._read(contestant, self._small_reads, 2048, self._bench.count(3))

    def write(self, contestant: Contestant) -> Values:
        if contestant.command is None:
            script = Script(self._writes.requests, self._writes.requests)
        else:
            script = self._writes
        with self._bench.serve(contestant, ["echo"]) as server:
            target = server.folder / "target"
            if contestant.command:
                open_file(server, target, "w")
            result = self._exchange(server, script)
            if contestant.command:
                call(server.socket, "guest-file-close", handle=FIRST_HANDLE)
                if not filecmp.cmp(target, self._written, shallow=False):
                    raise BenchError(f"{contestant.name} has written something else")
        return {"rate": self._written.stat().st_size / MIB / result["seconds"]}

    def exec(self, contestant: Contestant) -> Values:
        count = self._bench.count(200)
        program = shutil.which("true")
        if contestant.command is None:
            output = subprocess.run([self._bench.floor, "spawn", str(count), program],
                                    check=True, stdout=subprocess.PIPE)
            return {"rate": count / float(output.stdout)}
        with self._bench.serve(contestant, []) as server:
            result = self._bench.load("exec", server.socket, count, program)
        return {"rate": count / result["seconds"]}

    def start(self, contestant: Contestant) -> Values:
        floor = ["reply", self._ping.replies]
        with self._bench.prepare(contestant, floor) as place:
            result = self._bench.load("start", place.socket, self._bench.count(20),
                                      *place.command, environment=place.environment)
        return {"latency": result["median"] * 1e3}

    def connect(self, contestant: Contestant) -> Values:
        with self._bench.serve(contestant, ["reply", self._syncs.replies]) as server:
            result = self._exchange(server, self._syncs, connect=2,
                                    repeat=self._bench.count(5))
        return {"rate": result["requests"] / 2 / result["seconds"]}

    def _query(self, contestant: Contestant, command: str) -> Values:
        """A question about this machine: all contestants must tell the same."""
        if contestant.command is None:
            return {}
        request, count = encode({"execute": command}), self._bench.count(500)
        answers = []
        with self._bench.serve(contestant, []) as server, socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(server.socket))
            lines = peer.makefile("rb")
            for number in range(-count // 10, count):
                if number == 0:
                    cpu, start = cpu_of(server.pid), time.monotonic()
                peer.sendall(request)
                answers.append(lines.readline())
            seconds, cpu = time.monotonic() - start, cpu_of(server.pid) - cpu
        for answer in {VOLATILE.sub(b"", answer) for answer in answers}:
            if answer != self._told.setdefault(command, answer):
                raise BenchError(f"{contestant.name}: {command} tells {answer.decode()}"
                                 f"not {self._told[command].decode()}")
        return {"cpu": cpu / count * 1e6, "latency": seconds / count * 1e6}

    def get_fsinfo(self, contestant: Contestant) -> Values:
        return self._query(contestant, "guest-get-fsinfo")

    def get_disks(self, contestant: Contestant) -> Values:
        return self._query(contestant, "guest-get-disks")

    def memory(self, contestant: Contestant) -> Values:
        if contestant.command is None:
            return {}
        with self._bench.serve(contestant, []) as server:
            self._exchange(server, self._ping)
            time.sleep(1)
            idle = memory_of(server.pid, "status", "VmRSS")
            anonymous = memory_of(server.pid, "smaps_rollup", "Anonymous")
            open_file(server, self._bench.data, "r")
            self._exchange(server, self._large_read)
            peak = memory_of(server.pid, "status", "VmHWM")
        return {"idle": idle, "anonymous": anonymous, "peak": peak - idle}

    def sessions(self, contestant: Contestant) -> Values:
        """Pings on one session while another client reads 48 MiB at a time, again and again."""
        if not contestant.is_ours:
            return {}

        configuration = "[novacron]\nsessions=unix-listen:{folder}/second\n"
        with self._bench.serve(contestant, [], configuration) as server:
            second = server._replace(socket=server.folder / "second")
            if not second.socket.exists():  # an agent of one session
                return {}
            open_file(server, self._bench.data, "r")
            with subprocess.Popen([self._bench.load_program, "exchange", str(server.socket),
                                   *map(str, self._large_read), "seconds=2"],
                                  stdout=subprocess.PIPE) as reader:
                time.sleep(0.3)
                result = self._exchange(second, self._ping, seconds=1)
                if reader.poll() is not None:
                    raise BenchError("the reader ended before the pings did")
                reader.communicate()
                if reader.returncode != 0:
                    raise BenchError("the reader beside the pings failed")
        return {"p99": result["p99"] * 1e3}

    def measure(self, name: str, contestant: Contestant) -> Values:
        return getattr(self, name.replace("-", "_"))(contestant)
