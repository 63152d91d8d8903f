# SPDX-License-Identifier: GPL-2.0-or-later
"""What is around the agent is not as it ought to be."""
import contextlib
import os
import subprocess
import time
from pathlib import Path
from typing import Iterator

from lib import stage
from lib.check import expect
from lib.process import wait_until
from scene import EXPIRED, Actor, Scene, calls

DEADLINE = 1.0
FAR = 30.0
MANY = 40       # more than there are threads for


@contextlib.contextmanager
def in_memory(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=8k,nr_inodes=4', 'small', str(folder)],
                   check=True)
    try:
        yield folder
    finally:
        subprocess.run(['umount', '-l', str(folder)], check=True)


def fill(folder: Path) -> None:
    with contextlib.suppress(OSError):
        for number in range(8):
            (folder / f'file-{number}').write_bytes(bytes(4096))


def protect(folder: Path) -> None:
    subprocess.run(['mount', '-o', 'remount,ro', str(folder)], check=True)


def expect_refused(scene: Scene, actor: Actor, reason: str) -> None:
    """Without a guardian there is no promise to thaw, so nothing is frozen."""
    text = actor.error('freeze')
    expect(text == f'failed to start the guardian of the freeze: {reason}', text)
    expect(actor.status == 'thawed' and not any(scene.frozen()), 'something is frozen')
    expect(calls(actor) == ['freeze-', 'thaw-'], f'{calls(actor)}')


def a_state_folder_that_takes_nothing_only_costs_the_deadline(scene: Scene) -> None:
    for spoil, reason in ((fill, 'No space left on device'), (protect, 'Read-only file system')):
        for deadline in (0.0, FAR):
            with in_memory(scene.stage.root / 'tmp' / f'{spoil.__name__}-{deadline}') as folder:
                actor = scene.start(deadline, hook=':', state=folder)
                spoil(folder)
                if deadline:
                    expect_refused(scene, actor, reason)
                else:
                    expect(actor.freeze() == 3 and actor.status == 'frozen', 'not frozen')
                    expect(actor.thaw() == 3 and not any(scene.frozen()), 'not thawed')
                expect(actor.end() == 0, 'its status')


def of_two_agents_each_knows_its_own_freeze(scene: Scene) -> None:
    for deadline in (0, DEADLINE):
        one, other = scene.start(deadline), scene.start(deadline)
        expect(one.freeze() == 3 and other.freeze() == 0, 'counts')
        expect(one.status == 'frozen' and other.status == 'thawed', 'states')
        expect(all(scene.frozen()), 'the freeze of nothing has thawed')
        expect(other.thaw() == 3 and not any(scene.frozen()), 'the thaw of the other')
        if deadline:
            expect(wait_until(lambda one=one: one.status == 'thawed', 5), 'it does not expire')
            text = one.error('thaw')
            expect(text.startswith(EXPIRED), text)
        else:
            expect(one.thaw() == 0, 'there was nothing to thaw')
    expect(wait_until(lambda: not scene.guardians(), 5), 'a guardian is left')


def what_a_hook_leaves_behind_is_not_waited_for(scene: Scene) -> None:
    actor = scene.start(FAR, hook='sleep 9 > /dev/null 2>&1 < /dev/null & exit 0', hook_limit=5)
    began = time.monotonic()
    expect(actor.freeze() == 3 and actor.thaw() == 3, 'counts')
    expect(time.monotonic() - began < 5, 'it was')


def mount_image(image: Path, mount: Path) -> None:
    mount.mkdir(parents=True)
    with open(image, 'wb') as file:
        file.truncate(stage.MIB)
    subprocess.run(['mkfs.ext4', '-q', '-F', '-O', '^has_journal', str(image)], check=True)
    subprocess.run(['mount', '-o', 'loop', str(image), str(mount)], check=True)
    image.unlink()


@contextlib.contextmanager
def many(scene: Scene) -> Iterator[None]:
    own = list(scene.mounts)
    try:
        for number in range(MANY):
            mount = scene.stage.root / 'mnt' / f'many-{number}'
            mount_image(scene.stage.folder / 'images' / mount.name, mount)
            scene.mounts.append(mount)
        yield
    finally:
        added = scene.mounts[len(own):]
        scene.stage.thaw()
        scene.mounts[:] = own
        for mount in added:
            subprocess.run(['umount', '-l', str(mount)], check=True)


def descriptors(actor: Actor) -> int:
    return len(os.listdir(f'/proc/{actor.agent.pid}/fd'))


def many_file_systems_leave_nothing_open(scene: Scene) -> None:
    with many(scene):
        actor = scene.start(FAR)
        expect(actor.thaw() == 0, 'something was frozen')
        before = descriptors(actor)
        for _ in range(3):
            expect(actor.freeze() == MANY + 3 and actor.thaw() == MANY + 3, 'counts')
        expect(not any(scene.frozen()), 'something is frozen')
        expect(wait_until(lambda: descriptors(actor) <= before, 5), 'descriptors are left open')


CHECKS = [
    a_state_folder_that_takes_nothing_only_costs_the_deadline,
    of_two_agents_each_knows_its_own_freeze, what_a_hook_leaves_behind_is_not_waited_for,
    many_file_systems_leave_nothing_open,
]
