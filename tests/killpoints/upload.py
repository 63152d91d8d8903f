#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Kills the agent at every system call of an upload that replaces a file.

What must be true, wherever the kill strikes: the target is the old file or the new one, and the
new one if the client was told so; the next agent goes on with the upload, or with a new one where
it was committed; in the end the target is the new file, and nothing lies beside it.
"""
import base64
import contextlib
import hashlib
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Iterator, List, Optional, Sequence

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from campaign import Depth, Flaw, campaign
from lib import suite
from lib.agent import Agent
from lib.connection import Connection, rows_of
from strace import Point

PIECE = 20000
HOLE = 100000
OLD = b'old' * 30000
NEW = random.Random(3).randbytes(PIECE) + bytes(HOLE) + random.Random(4).randbytes(PIECE)
ANSWER = 10.0
REST = 0.01         # for the one thread to be idle again: points name threads


def expect(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


class UploadRun:
    def __init__(self, program: Sequence[str]):
        self.agent = Agent(program)
        self.target = self.agent.files / 'target'
        self.target.write_bytes(OLD)
        configuration = self.agent.folder / 'agent.conf'
        configuration.write_text(f'[novacron]\nareas=file\ndata-directory={self.data}\n')
        self.agent.arguments = ['-c', str(configuration)]
        self.client: Optional[Connection] = None
        self.is_told = False
        self.interruption: Optional[Exception] = None

    @property
    def data(self) -> Path:
        return self.agent.folder / 'data'

    def start(self) -> None:
        self.agent.start()
        self.client = self.agent.connect()
        self.call('guest-ping')

    @property
    def pid(self) -> int:
        return self.agent.pid

    def call(self, command: str, **arguments: Any) -> Any:
        assert self.client is not None
        time.sleep(REST)
        return self.client.call(command, ANSWER, **arguments)

    def upload(self) -> None:
        at = self.call('novacron-file-upload-begin', id='up', path=str(self.target))['size-bytes']
        while at < len(NEW):
            end = min(at + PIECE, len(NEW))
            hole = PIECE <= at < PIECE + HOLE
            if hole:
                end = PIECE + HOLE
            what = {'hole-bytes': end - at} if hole else \
                {'buf-b64': base64.b64encode(NEW[at:end]).decode()}
            at = self.call('novacron-file-upload-write', id='up', offset=at,
                           **what)['size-bytes']
        self.commit()

    def commit(self) -> None:
        job = self.call('novacron-file-upload-commit', id='up', size_bytes=len(NEW),
                        sha256=hashlib.sha256(NEW).hexdigest())
        deadline = time.monotonic() + ANSWER
        while job['status'] != 'concluded':
            expect(time.monotonic() < deadline, f'{job}')
            job = self.call('novacron-job-wait', id=job['id'], wait_ms=200)
        expect(job['outcome'] == 'success', f'{job}')
        self.is_told = True

    def drive(self) -> None:
        try:
            self.upload()
        except (OSError, ValueError, AssertionError) as problem:
            self.interruption = problem

    def victims(self) -> List[int]:
        return [self.agent.pid] if self.agent.is_running() else []

    def judge(self, killed: Optional[float]) -> Optional[Flaw]:
        try:
            if killed is None:
                expect(self.interruption is None, f'{self.interruption}')
            else:
                self.agent.process.wait(ANSWER)
            self._expect_old_or_new()
            self._go_on()
            self._expect_clean()
        except AssertionError as problem:
            return Flaw(str(problem))
        return None

    def _expect_old_or_new(self) -> None:
        expect(self.target.exists(), 'there is no target')
        data = self.target.read_bytes()
        expect(data in (OLD, NEW), f'the target is something else, {len(data)} bytes')
        expect(data == NEW or not self.is_told, 'the client was told that it is the new file')

    def _go_on(self) -> None:
        """As a client does it that knows nothing of the one before."""
        if not self.agent.is_running():
            self.start()
        if self.target.read_bytes() == NEW:
            self.call('novacron-file-upload-abort', id='up')
        else:
            self.upload()
            expect(self.target.read_bytes() == NEW, 'not the new file after another upload')
        jobs = rows_of(self.call('novacron-job-query'))
        expect(all(job['status'] == 'concluded' for job in jobs), f'{jobs}')

    def _expect_clean(self) -> None:
        beside = os.listdir(self.agent.files)
        expect(beside == ['target'], f'there are {beside}')
        records = list((self.data / 'uploads').glob('*.json'))
        expect(not records, f'there are {records}')

    def close(self) -> None:
        if self.client:
            self.client.close()
        self.agent.__exit__()


class UploadScenario:
    name = 'upload'

    def __init__(self, program: Sequence[str]):
        self._program = program

    @contextlib.contextmanager
    def begin(self) -> Iterator[UploadRun]:
        run = UploadRun(self._program)
        try:
            run.start()
            yield run
        finally:
            run.close()

    def choose(self, points: Sequence[Point]) -> List[Point]:
        return list(points)


def main() -> int:
    options = suite.parser(__doc__)
    options.add_argument('--seed', type=int, default=1, help='of the sample')
    options.add_argument('--seconds', type=float, default=25, help='how long to sample')
    options.add_argument('--full', action='store_true', help='all points')
    options.add_argument('--point', default='', help='only points whose name is this')
    chosen = options.parse_args()
    report = suite.Suite()
    folder = Path(tempfile.mkdtemp(prefix='novacron-kill-'))
    try:
        depth = Depth(chosen.seed, None if chosen.full else chosen.seconds, chosen.point)
        campaign(UploadScenario(suite.program(chosen.agent)), depth, folder, report)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return report.finish()


if __name__ == '__main__':
    sys.exit(main())
