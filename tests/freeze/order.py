# SPDX-License-Identifier: GPL-2.0-or-later
"""Stacks of file systems, which in the wrong order freeze each other for good."""
import contextlib
import subprocess
import threading
from pathlib import Path
from typing import Iterator, List

from lib import stage
from lib.check import expect
from scene import PATIENCE, Actor, Scene

DEADLOCK = 1.5      # upstream's answer does not come within that


@contextlib.contextmanager
def busy(folders: List[Path]) -> Iterator[None]:
    """Writers that always have something to write."""
    stop = threading.Event()

    def work(folder: Path) -> None:
        while not stop.is_set():
            (folder / 'busy').write_bytes(b'x' * 300000)

    threads = [threading.Thread(target=work, args=(folder,)) for folder in folders]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)


@contextlib.contextmanager
def listed_last(scene: Scene, mount: Path) -> Iterator[Path]:
    """The same file system at a mount point that was made later."""
    late = scene.stage.root / 'mnt' / 'late'
    late.mkdir(exist_ok=True)
    subprocess.run(['mount', '--bind', str(mount), str(late)], check=True)
    subprocess.run(['umount', '--lazy', str(mount)], check=True)
    place = scene.mounts.index(mount)
    scene.mounts[place] = late
    try:
        yield late
    finally:
        stage.thaw(late)
        subprocess.run(['mount', '--bind', str(late), str(mount)], check=True)
        subprocess.run(['umount', '--lazy', str(late)], check=True)
        scene.mounts[place] = mount


def a_loop_is_frozen_before_what_holds_its_file(scene: Scene) -> None:
    """Whatever the order in which they were mounted, and while both are written to."""
    for host in scene.mounts[:]:
        with scene.nested(host) as nested:
            actor = scene.start(30)
            with busy([nested, host]):
                for _ in range(3):
                    expect(actor.freeze() == 4, 'count')
                    expect(actor.thaw() == 4, 'count')
            with listed_last(scene, host) as late, busy([nested, late]):
                for _ in range(3):
                    expect(actor.freeze() == 4, 'count, the other way round')
                    expect(actor.thaw() == 4, 'count, the other way round')


def so_is_a_loop_on_a_loop(scene: Scene) -> None:
    with scene.nested(scene.mounts[2]) as middle, scene.nested(middle) as top:
        actor = scene.start(30)
        with listed_last(scene, middle) as late, busy([top, late, scene.mounts[2]]):
            for _ in range(3):
                expect(actor.freeze() == 5, 'count')
                expect(actor.thaw() == 5, 'count')


def in_upstreams_order_it_would_be_a_deadlock(scene: Scene) -> None:
    """So the checks above would see one."""
    with scene.nested(scene.mounts[0]) as nested, listed_last(scene, scene.mounts[0]) as late:
        actor = Actor(scene.stage, scene.prepare(program=scene.upstream))
        (nested / 'dirty').write_bytes(b'x' * 300000)
        scene.stage.forbid_others(actor.agent.pid)
        actor.client.send(b'{"execute": "guest-fsfreeze-freeze"}\n')
        early = actor.client.read_line(DEADLOCK)
        expect(early == b'', f'upstream answers {early!r}')
        stage.thaw(late)
        frozen = actor.client.read_line(PATIENCE)
        expect(frozen == b'{"return": 4}\n', f'{frozen!r}')
        expect(actor.thaw() == 3, 'one was thawed by us')


def one_that_cannot_be_thawed_keeps_no_other(scene: Scene) -> None:
    """Its device does not write: the file is in a file system that somebody else has frozen."""
    with scene.nested(scene.stage.folder / 'images', is_seen=False) as host, \
            scene.nested(host) as nested:
        actor = scene.start()
        expect(actor.freeze() == 4, 'count')
        writes = scene.writes()
        expect(all(scene.held(writes)), 'a frozen file system was written to')
        stage.freeze(host)
        actor.client.send(b'{"execute": "guest-fsfreeze-thaw"}\n')
        for mount, write in zip(scene.mounts, writes):
            if mount != nested:
                write.wait()
        early = actor.client.read_line(0.2)
        expect(early == b'', f'the thaw answers {early!r}')
        stage.thaw(host)
        answer = actor.client.read_line(PATIENCE)
        expect(answer == b'{"return": 4}\n', f'the thaw answers {answer!r}')


CHECKS: List[object] = [a_loop_is_frozen_before_what_holds_its_file, so_is_a_loop_on_a_loop,
                        in_upstreams_order_it_would_be_a_deadlock,
                        one_that_cannot_be_thawed_keeps_no_other]
