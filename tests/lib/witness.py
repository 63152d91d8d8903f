# SPDX-License-Identifier: GPL-2.0-or-later
"""Witnesses of a freeze: processes beside the agent that write down when they were late.

A writer writes to a file system all the time; while that is frozen its write waits, and the
moment that it goes on is the moment of the thaw. A control does nothing but sleep, so that
how late it wakes is how late anything on this machine wakes. What both write lies in memory
that the test reads: when the act under way began, when the last one ended, and a list of
those that took more than a millisecond. All times are of CLOCK_MONOTONIC, in seconds.
"""
import contextlib
import itertools
import mmap
import os
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, List, NamedTuple, Optional

PERIOD = 0.002
NOTEWORTHY = 0.001
HEAD = struct.Struct('=ddq')        # began, ended, number of delays
ENTRY = struct.Struct('=dd')
ENTRIES = 1 << 16                   # a ring: the oldest are overwritten
SIZE = HEAD.size + ENTRIES * ENTRY.size


class Delay(NamedTuple):
    """For a writer a write; for a control from when it ought to have woken to when it did."""
    start: float
    end: float


class Witness:
    """A writer to the file system at `mount`, of `block` bytes each time, up to `size` bytes and
    then from the start again. Without a mount it is a control. `memory` is a file to be made. One
    that is urgent comes before other processes, as the guardian of a freeze does."""

    def __init__(self, memory: Path, mount: Optional[Path] = None, block: int = 1, size: int = 1,
                 is_urgent: bool = False):
        memory.unlink(missing_ok=True)
        with open(memory, 'x+b') as file:
            file.truncate(SIZE)
            self._memory = mmap.mmap(file.fileno(), SIZE)
        words = [str(memory), 'urgent' if is_urgent else 'plain',
                 *([str(mount), str(block), str(size)] if mount else [])]
        self._process = subprocess.Popen([sys.executable, '-S', '-E', __file__, *words],
                                         stdin=subprocess.DEVNULL)
        while not HEAD.unpack_from(self._memory)[1]:
            if self._process.poll() is not None:
                raise RuntimeError('a witness does not start')
            time.sleep(PERIOD)

    def is_able(self) -> bool:
        """A writer whose file system has become read-only is not."""
        return self._process.poll() is None

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def since(self, moment: float) -> List[Delay]:
        """What ended after `moment`; the last may be under way still, and has no end then."""
        began, ended, count = HEAD.unpack_from(self._memory)
        delays: List[Delay] = []
        for number in range(count - 1, max(-1, count - ENTRIES), -1):
            delay = Delay(*ENTRY.unpack_from(self._memory, _place(number)))
            if delay.end < moment:
                break
            delays.insert(0, delay)
        if began > ended and time.monotonic() - began > NOTEWORTHY:
            delays.append(Delay(began, float('inf')))
        return delays


def _place(number: int) -> int:
    return HEAD.size + number % ENTRIES * ENTRY.size


def _writer(mount: str, block: int, size: int) -> Callable[[], None]:
    target = os.open(f'{mount}/witness', os.O_CREAT | os.O_WRONLY, 0o600)
    data = os.urandom(block)
    offsets = itertools.cycle(range(0, size, block))
    return lambda: os.pwrite(target, data, next(offsets)) and None


def _testify(memory: str, write: Optional[Callable[[], None]]) -> None:
    with open(memory, 'r+b') as file:
        ledger = mmap.mmap(file.fileno(), SIZE)
    count = 0
    ended = time.monotonic()
    while True:
        due = time.monotonic() + PERIOD
        HEAD.pack_into(ledger, 0, ended if write else due, ended, count)
        time.sleep(PERIOD)
        if write:
            due = time.monotonic()
            HEAD.pack_into(ledger, 0, due, ended, count)
            write()
        ended = time.monotonic()
        if ended - due > NOTEWORTHY:
            ENTRY.pack_into(ledger, _place(count), due, ended)
            count += 1


def _hurry() -> None:
    os.nice(-20)
    with contextlib.suppress(OSError):      # where the system has no time for such processes
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def _main(memory: str, rank: str, mount: str = '', block: str = '', size: str = '') -> None:
    if rank == 'urgent':
        _hurry()
    _testify(memory, _writer(mount, int(block), int(size)) if mount else None)


if __name__ == '__main__':
    _main(*sys.argv[1:])
