# SPDX-License-Identifier: GPL-2.0-or-later
"""As a snapshot tool does it: freeze, copy the image, thaw, and look into the copy.

A writer appends numbered records and syncs each before it acknowledges it. What it had acknowledged
when the freeze was asked for is in the copy; nothing is that it began to write afterwards.
"""
import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Iterator, List

from lib import stage
from lib.check import expect
from lib.process import wait_until
from quiesce import ask, begin
from scene import Scene

CYCLES, CYCLES_FULL = 20, 200
RECORD = 32         # bytes: a number and the time when the writing of it began


class Writer:
    """A process that appends to a file, each record by a write that is synced."""

    def __init__(self, path: Path):
        self._reading, writing = os.pipe()
        os.set_blocking(self._reading, False)
        self.acknowledged = -1
        self._pid = os.fork()
        if self._pid == 0:
            with contextlib.suppress(BaseException):
                self._work(path, writing)
            os._exit(0)
        os.close(writing)

    def _work(self, path: Path, writing: int) -> None:
        number = 0
        os.close(self._reading)
        with open(path, 'wb', buffering=0) as file:
            while True:
                file.write(b'%012d %018.6f\n' % (number, time.monotonic()))
                os.fsync(file.fileno())
                os.write(writing, b'.')
                number += 1

    def look(self) -> int:
        """The last number that it has acknowledged."""
        with contextlib.suppress(BlockingIOError):
            while True:
                size = len(os.read(self._reading, 1 << 16))
                expect(size > 0, 'the writer has ended')
                self.acknowledged += size
        return self.acknowledged

    def stop(self) -> None:
        os.kill(self._pid, 9)
        os.waitpid(self._pid, 0)
        os.close(self._reading)


@contextlib.contextmanager
def volume(scene: Scene) -> Iterator[Path]:
    """A file system of its own whose image has a name; agents see the one, not the other."""
    image, mount = scene.stage.folder / 'images' / 'volume', scene.stage.root / 'mnt' / 'volume'
    with open(image, 'wb') as file:
        file.truncate(stage.MAKERS['ext4'].mebibytes * stage.MIB)
    subprocess.run([*stage.MAKERS['ext4'].command, str(image)], check=True)
    mount.mkdir()
    subprocess.run(['mount', '-o', 'loop', str(image), str(mount)], check=True)
    scene.mounts.append(mount)
    try:
        yield image
    finally:
        stage.thaw(mount)
        scene.mounts.remove(mount)
        subprocess.run(['umount', str(mount)], check=True)
        mount.rmdir()
        image.unlink()


def records(image: Path) -> List[bytes]:
    """What the writer's file has in a copy, which is clean: nothing has to be recovered."""
    check = subprocess.run(['e2fsck', '-fn', str(image)], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, check=False)
    expect(check.returncode == 0, f'the copy is not clean: {check.stdout!r}')
    text = subprocess.run(['debugfs', '-R', 'cat /log', str(image)], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=True).stdout
    return [text[i:i + RECORD] for i in range(0, len(text), RECORD)]


def expect_whole(found: List[bytes], acknowledged: int, frozen: float) -> None:
    for number, record in enumerate(found):
        expect(len(record) == RECORD and record.endswith(b'\n') and int(record[:12]) == number,
               f'record {number} is {record!r}')
    expect(len(found) > acknowledged, f'{acknowledged} was acknowledged; there are {len(found)}')
    late = [record for record in found if float(record[13:]) > frozen]
    expect(not late, f'written after the freeze: {late}')


def every_snapshot_has_what_was_acknowledged_and_nothing_later(scene: Scene) -> None:
    copy = scene.stage.folder / 'images' / 'copy'
    with volume(scene) as image:
        mount = scene.mounts[-1]
        actor = begin(scene)
        writer = Writer(mount / 'log')
        try:
            for cycle in range(CYCLES_FULL if scene.full else CYCLES):
                before = writer.look()
                expect(wait_until(lambda b=before: writer.look() > b, 10), 'nothing is written')
                acknowledged = writer.look()
                token = ask(actor, 'freeze', deadline_ms=20000)['token']
                frozen = time.monotonic()
                shutil.copyfile(image, copy)
                held = writer.look()
                answer = ask(actor, 'thaw', token=token)
                expect(answer['verdict'] == 'consistent', f'{answer}')
                found = records(copy)
                expect_whole(found, acknowledged, frozen)
                expect(held < len(found), f'cycle {cycle}: acknowledged while frozen')
        finally:
            stage.thaw(mount)
            writer.stop()
            copy.unlink(missing_ok=True)


def one_that_expired_is_told_from_them(scene: Scene) -> None:
    """And the writer goes on: the copy that is finished afterwards would have later records."""
    copy = scene.stage.folder / 'images' / 'copy'
    with volume(scene) as image:
        mount = scene.mounts[-1]
        actor = begin(scene)
        writer = Writer(mount / 'log')
        try:
            expect(wait_until(lambda: writer.look() > 10, 10), 'nothing is written')
            token = ask(actor, 'freeze', deadline_ms=200)['token']
            frozen = time.monotonic()
            time.sleep(0.2)
            held = writer.look()
            expect(wait_until(lambda: writer.look() > held + 10, 10), 'it does not go on')
            stage.freeze(mount)
            shutil.copyfile(image, copy)
            stage.thaw(mount)
            answer = ask(actor, 'thaw', token=token)
            expect(answer['verdict'] == 'expired', f'{answer}')
            late = [each for each in records(copy) if float(each[13:]) > frozen]
            expect(len(late) >= 10, 'the check above would not see later records')
        finally:
            stage.thaw(mount)
            writer.stop()
            copy.unlink(missing_ok=True)


CHECKS: List[object] = [every_snapshot_has_what_was_acknowledged_and_nothing_later,
                        one_that_expired_is_told_from_them]
