# SPDX-License-Identifier: GPL-2.0-or-later
"""novacronctl freeze with the area quiesce: what is held while its command runs, and how long."""
import contextlib
import signal
import subprocess
import time
from pathlib import Path
from typing import Iterator, List

from lib.check import Skip, expect
from lib.process import wait_until
from quiesce import LATE, begin, nothing_is_left
from scene import PATIENCE, Actor, Scene, Write

MARGIN = 2.0            # so much longer than asked for the guest's own deadline is
Popen = 'subprocess.Popen[bytes]'


def client_of(scene: Scene) -> str:
    """That of the agent's build."""
    path = Path(scene.program[2]).parents[1] / 'contrib' / 'novacronctl' / 'novacronctl'
    if not path.exists():
        raise Skip(f'there is no {path}')
    return str(path)


def start(scene: Scene, actor: Actor, *words: str) -> Popen:
    """Its agent is spoken to by one client at a time."""
    actor.stage.forbid_others(actor.agent.pid)
    actor.client.close()
    return subprocess.Popen([client_of(scene), '-c', str(actor.agent.socket), *words],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@contextlib.contextmanager
def frozen(scene: Scene, actor: Actor, seconds: float) -> Iterator[Popen]:
    """While novacronctl's command runs, which ends with 6; what it freezes is held."""
    held, go = actor.agent.folder / 'held', actor.agent.folder / 'go'
    script = f'touch {held}; while [ ! -e {go} ]; do sleep 0.02; done; exit 6'
    process = start(scene, actor, 'freeze', '-f', str(seconds), '--', 'sh', '-c', script)
    try:
        expect(wait_until(held.exists, PATIENCE), 'its command does not run')
        yield process
    finally:
        go.touch()


def expect_end(process: Popen, status: int, text: str) -> None:
    _, err = process.communicate(timeout=PATIENCE)
    expect(process.returncode == status and text in err.decode(),
           f'{process.returncode}: {err.decode()}')


def all_is_held_while_the_command_runs(scene: Scene) -> None:
    actor = begin(scene)
    with frozen(scene, actor, 30) as process:
        writes = scene.writes()
        expect(all(scene.held(writes)), 'a frozen file system was written to')
    expect_end(process, 6, '3 file systems are thawed')
    for write in writes:
        write.wait()
    nothing_is_left(scene, actor)


def without_a_command_it_is_held_for_the_time(scene: Scene) -> None:
    actor = begin(scene)
    process = start(scene, actor, 'freeze', '-f', '1')
    writes: List[Write] = []

    def is_held() -> bool:
        writes[:] = scene.writes()
        return all(scene.held(writes))
    expect(wait_until(is_held, PATIENCE), 'nothing is held')
    expect_end(process, 0, '3 file systems are thawed')
    nothing_is_left(scene, actor)


def the_guest_thaws_whatever_becomes_of_its_client(scene: Scene) -> None:
    """Killed, or stopped: then it has nothing good to tell afterwards."""
    for number in (signal.SIGKILL, signal.SIGSTOP):
        actor = begin(scene)
        began = time.monotonic()
        with frozen(scene, actor, 0.5) as process:
            process.send_signal(number)
            writes = scene.writes()
            expect(all(scene.held(writes)), 'nothing is held')
            for write in writes:
                late = write.wait() - began - 0.5 - MARGIN
                expect(late < 2 * LATE, f'thawed {late:.3f} s after the deadline')
        process.send_signal(signal.SIGCONT)
        if number == signal.SIGSTOP:
            expect_end(process, 1, 'at its deadline')
        process.wait(PATIENCE)
        actor.end()


CHECKS: List[object] = [
    all_is_held_while_the_command_runs, without_a_command_it_is_held_for_the_time,
    the_guest_thaws_whatever_becomes_of_its_client,
]
