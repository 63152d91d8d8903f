# SPDX-License-Identifier: GPL-2.0-or-later
"""Witnesses of a freeze: processes beside the agent that write down when they were late.

A prober writes to a file system all the time; while that is frozen its write waits, and the
moment that it goes on is the moment of the thaw. A control does nothing but sleep, so that
how late it wakes is how late anything on this machine wakes. What both write lies in memory
that the test reads: when the act under way began, when the last one ended, and a list of
those that took more than a millisecond. All times are of CLOCK_MONOTONIC, in seconds.
"""
import mmap
import os
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import List, NamedTuple, Optional

PERIOD = 0.002
NOTEWORTHY = 0.001
HEAD = struct.Struct('=ddq')        # began, ended, number of delays
ENTRY = struct.Struct('=dd')
ENTRIES = 1 << 16                   # a ring: the oldest are overwritten
SIZE = HEAD.size + ENTRIES * ENTRY.size


class Delay(NamedTuple):
    """For a prober a write; for a control from when it ought to have woken to when it did."""
    start: float
    end: float


class Witness:
    """A prober of the file system at `mount`; without one a control."""

    def __init__(self, memory: Path, mount: Optional[Path] = None):
        with open(memory, 'w+b') as file:
            file.truncate(SIZE)
            self._memory = mmap.mmap(file.fileno(), SIZE)
        self._process = subprocess.Popen([sys.executable, '-S', '-E', __file__, str(memory),
                                          *([str(mount)] if mount else [])],
                                         stdin=subprocess.DEVNULL)
        while not HEAD.unpack_from(self._memory)[1]:
            if self._process.poll() is not None:
                raise RuntimeError('a witness does not start')
            time.sleep(PERIOD)

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


def _testify(memory: Path, mount: Optional[str]) -> None:
    with open(memory, 'r+b') as file:
        ledger = mmap.mmap(file.fileno(), SIZE)
    target = os.open(f'{mount}/probe', os.O_CREAT | os.O_WRONLY, 0o600) if mount else -1
    os.nice(-20)        # as a guardian is: it has no better excuse
    count = 0
    ended = time.monotonic()
    while True:
        HEAD.pack_into(ledger, 0, ended, ended, count)
        due = time.monotonic() + PERIOD
        if target < 0:
            HEAD.pack_into(ledger, 0, due, ended, count)
            time.sleep(PERIOD)
        else:
            time.sleep(PERIOD)
            due = time.monotonic()
            HEAD.pack_into(ledger, 0, due, ended, count)
            os.pwrite(target, b'written', 0)
        ended = time.monotonic()
        if ended - due > NOTEWORTHY:
            ENTRY.pack_into(ledger, _place(count), due, ended)
            count += 1


if __name__ == '__main__':
    _testify(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
