#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How fast a file goes through a virtio port: the port itself, ours and qemu-ga, side by side

    tests/bench/port.py                  the programs of build/, qemu-ga as tests/lib fetches it
    tests/bench/port.py --rounds 3 --size 16

In a guest under emulation, as of tests/vm, a file of random data is moved out of the guest and into
it: by a loop of read and write (floor.c), by `novacronctl cp`, and by loops of guest-file-read and
guest-file-write, 1 MiB and 64 KiB at a time, as clients of qemu-ga do it. The host's end is the
same for all, a socket of QEMU's, and what arrived is compared each time. For a byte of the file the
agents' ways send the port 1.33 bytes of base64.

Every round has all ways in turn; the table shows medians, and ratios formed within each round.
Nothing is asserted.
"""
import argparse
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Dict, Iterator, List, NamedTuple

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / 'vm'), str(HERE.parent), str(HERE)]

import image
from bench import ROOT, describe_agent, number, print_table, qemu_ga_command
from channel import Channel
from contestants import BenchError, compile_program
from guest import AGENT_PORT, Guest
from lib import suite

DEVICE = '/dev/virtio-ports/' + AGENT_PORT
OURS, FLOOR = 'novacron-ga', 'floor'
CONFIG = '[novacron]\\nareas=file\\n'
SOURCE, TARGET = '/tmp/source', '/tmp/target'
READ_SIZE, WRITE_SIZE = 1 << 20, 64 << 10


class Course:
    """The guest, the file on both sides, and the ways between them: each gives seconds."""

    def __init__(self, guest: Guest, folder: Path, novacronctl: str, size: int):
        self.guest = guest
        self.data = os.urandom(size)
        self._novacronctl = novacronctl
        self._source, self._target = folder / 'source', folder / 'target'
        self._source.write_bytes(self.data)
        guest.shell(f'printf "{CONFIG}" > /etc/qemu/qemu-ga.conf')
        with self._agent(OURS):
            self._copy(str(self._source), f'guest:{SOURCE}')
        self._expect_in_guest(SOURCE)

    def _connect(self) -> Channel:
        """Of a client there is one at a time."""
        channel = Channel(self.guest.socket('agent'))
        channel.sync()
        return channel

    @contextmanager
    def _agent(self, name: str) -> Iterator[None]:
        agent = self.guest.start(name, f'-t /run -m virtio-serial -p {DEVICE}')
        try:
            self._connect().close()
            yield
        finally:
            # qemu-ga's SIGTERM handler can hang
            self.guest.shell(f'kill -9 {agent.pid}')
            self.guest.exit_status(agent, 5)

    def _expect_in_guest(self, path: str) -> None:
        if self.guest.shell(f'sha256sum {path}; rm {TARGET} 2> /dev/null; true').split()[0] != \
                hashlib.sha256(self.data).hexdigest():
            raise BenchError(f'{path} in the guest is another file')

    def _expect_same(self, data: bytes) -> None:
        if data != self.data:
            raise BenchError('what came out of the guest is another file')

    def _copy(self, source: str, target: str) -> float:
        command = [self._novacronctl, '-c', self.guest.socket('agent'), 'cp', source, target]
        began = time.monotonic()
        subprocess.run(command, check=True)
        return time.monotonic() - began

    def floor_out(self) -> float:
        with Channel(self.guest.socket('agent')) as channel:
            floor = self.guest.start(FLOOR, f'send {DEVICE} {SOURCE}')
            first = channel.read_exactly(1)
            began = time.monotonic()
            data = first + channel.read_exactly(len(self.data) - 1)
            seconds = time.monotonic() - began
            self.guest.exit_status(floor, 5)
        self._expect_same(data)
        return seconds

    def floor_in(self) -> float:
        with Channel(self.guest.socket('agent')) as channel:
            floor = self.guest.start(FLOOR, f'take {DEVICE} {len(self.data)}')
            if channel.read_exactly(1) != b'r':
                raise BenchError('the floor does not start')
            began = time.monotonic()
            channel.send(self.data)
            if channel.read_exactly(1) != b'd':
                raise BenchError('the floor did not get everything')
            seconds = time.monotonic() - began
            self.guest.exit_status(floor, 5)
        return seconds

    def copy_out(self) -> float:
        self._target.unlink(missing_ok=True)
        with self._agent(OURS):
            seconds = self._copy(f'guest:{SOURCE}', str(self._target))
        self._expect_same(self._target.read_bytes())
        return seconds

    def copy_in(self) -> float:
        with self._agent(OURS):
            seconds = self._copy(str(self._source), f'guest:{TARGET}')
        self._expect_in_guest(TARGET)
        return seconds

    def read_out(self, agent: str) -> float:
        with self._agent(agent), self._connect() as channel:
            began = time.monotonic()
            data = channel.read_file(SOURCE, READ_SIZE)
            seconds = time.monotonic() - began
        self._expect_same(data)
        return seconds

    def write_in(self, agent: str) -> float:
        with self._agent(agent), self._connect() as channel:
            began = time.monotonic()
            channel.write_file(TARGET, self.data, WRITE_SIZE)
            seconds = time.monotonic() - began
        self._expect_in_guest(TARGET)
        return seconds


class Way(NamedTuple):
    title: str
    out: Callable[[Course], float]
    into: Callable[[Course], float]


def ways_of(others: List[str]) -> List[Way]:
    """The floor first, ours, then the others, each an agent's name in the guest."""
    def loops(title: str, agent: str) -> Way:
        return Way(title, lambda course: course.read_out(agent),
                   lambda course: course.write_in(agent))
    return [Way('the port itself', Course.floor_out, Course.floor_in),
            Way('novacronctl cp', Course.copy_out, Course.copy_in),
            loops('ours, guest-file-*', OURS), *(loops(other, other) for other in others)]


def report(title: str, rates: Dict[str, List[float]]) -> None:
    """MB/s, then the ratios to the first of them, the port itself, and to the first qemu-ga."""
    floor, *_ = rates
    theirs = next((name for name in rates if name.startswith('qemu-ga')), None)
    lines = [[title, 'MB/s', 'from', 'to', '/ the port', f'/ {theirs}' if theirs else '']]
    for name, series in rates.items():
        ratios = [statistics.median(a / b for a, b in zip(series, rates[against]))
                  for against in (floor, theirs) if against]
        lines.append([name, *map(number, (statistics.median(series), min(series), max(series),
                                          *ratios)), *([] if theirs else [''])])
    print_table(lines)
    print()


def run(course: Course, ways: List[Way], rounds: int) -> None:
    rates: Dict[str, Dict[str, List[float]]] = {'out': {}, 'into': {}}
    for current in range(rounds + 1):
        for way in ways:
            for direction, series in rates.items():
                seconds = getattr(way, direction)(course)
                if current:             # the first one is to warm up
                    series.setdefault(way.title, []).append(len(course.data) / seconds / 1e6)
        print(f'round {current} of {rounds} done', file=sys.stderr)
    report('out of the guest', rates['out'])
    report('into the guest', rates['into'])


def arguments() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=(__doc__ or '').partition('\n')[0])
    options.add_argument('--agent', default=str(ROOT / 'build/qga-compat/qemu-ga'),
                         help='ours, a command line (default: %(default)s)')
    options.add_argument('--novacronctl', metavar='PROGRAM',
                         default=str(ROOT / 'build/contrib/novacronctl/novacronctl'))
    options.add_argument('--rounds', type=int, default=7, help='beside the warm-up (default: 7)')
    options.add_argument('--size', type=int, default=32, metavar='MIB', help='of the file')
    return options.parse_args()


def main() -> int:
    chosen = arguments()
    programs = {OURS: suite.program(chosen.agent),
                **{f'qemu-ga-{version}': program for version in ('10.0', '11.1')
                   if (program := qemu_ga_command(None, version))}}
    for name, program in programs.items():
        print(f'{name}: {describe_agent(program)}')
    with tempfile.TemporaryDirectory(prefix='novacron-port.') as name:
        folder = Path(name)
        kernel = image.find_kernel()
        image.basis(kernel, {**programs, FLOOR: [compile_program(folder, 'floor')]}).write(
            folder / 'initramfs')
        with Guest(kernel, folder / 'initramfs', folder) as guest:
            guest.boot()
            course = Course(guest, folder, chosen.novacronctl, chosen.size << 20)
            run(course, ways_of([name for name in programs if name != OURS]), chosen.rounds)
    return 0


if __name__ == '__main__':
    sys.exit(main())
