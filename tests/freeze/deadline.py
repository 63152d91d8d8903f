# SPDX-License-Identifier: GPL-2.0-or-later
"""With a deadline nothing stays frozen, and nobody takes a bad snapshot for a good one."""
import os
import signal
import time
from pathlib import Path
from typing import Callable, List

from lib import stage
from lib.check import Skip, expect
from lib.process import wait_until
from scene import DOOR, EXPIRED, MARK, NOTE, PATIENCE, Actor, Scene, Write, calls

DEADLINE = 1.0
LATE = 0.5          # on a busy machine; tests/killpoints measures it against a timer
FAR = 60.0
GIVEN_UP = 'a freeze that was given up at its deadline still hangs in a file system'


def freeze(scene: Scene, actor: Actor) -> List[Write]:
    """Writes that are held by it."""
    expect(actor.freeze() == 3, 'not three were frozen')
    writes = scene.writes()
    expect(all(scene.held(writes)), 'a frozen file system was written to')
    return writes


def expect_expiry(writes: List[Write], began: float, deadline: float) -> None:
    for write in writes:
        late = write.wait() - began - deadline
        expect(-0.01 <= late < LATE, f'thawed {late:.3f} s after the deadline')


def expect_told(scene: Scene, actor: Actor) -> None:
    """By the next thaw, and only by that."""
    expect(wait_until(lambda: actor.status == 'thawed', 5), 'the status is still frozen')
    expect(not actor.has(MARK) and actor.has(NOTE), 'the mark is there or the note is not')
    text = actor.error('thaw')
    expect(text.startswith(EXPIRED), text)
    expect(not actor.has(NOTE), 'the note is left')
    expect(actor.thaw() == 0, 'the thaw after that')
    expect(wait_until(lambda: not scene.guardians(), 5), 'a guardian is left')


def at_the_deadline_all_is_thawed(scene: Scene) -> None:
    actor = scene.start(DEADLINE, hook=':')
    began = time.monotonic()
    writes = freeze(scene, actor)
    expect_expiry(writes, began, DEADLINE)
    expect(wait_until(lambda: len(calls(actor)) == 2, 5), 'the applications are held')
    expect_told(scene, actor)
    expect(calls(actor) == ['freeze-'] + 3 * ['thaw-'], f'{calls(actor)}')


def also_when_the_agent_was_killed(scene: Scene) -> None:
    actor = scene.start(DEADLINE, hook=':')
    began = time.monotonic()
    writes = freeze(scene, actor)
    actor.end(signal.SIGKILL)
    expect_expiry(writes, began, DEADLINE)
    expect(wait_until(lambda: actor.has(NOTE), 5), 'no note')
    actor.restart()
    expect(wait_until(lambda: len(calls(actor)) == 2, 5), 'the thaw hook is not made up for')
    expect_told(scene, actor)


def also_when_it_was_restarted(scene: Scene) -> None:
    actor = scene.start(DEADLINE)
    began = time.monotonic()
    writes = freeze(scene, actor)
    actor.end(signal.SIGKILL)
    actor.restart()
    expect(actor.status == 'frozen', 'the next agent does not know')
    expect_expiry(writes, began, DEADLINE)
    expect_told(scene, actor)


def a_new_freeze_forgets_the_last_one(scene: Scene) -> None:
    actor = scene.start(DEADLINE)
    for write in freeze(scene, actor):
        write.wait()
    expect(wait_until(lambda: actor.status == 'thawed', 5), 'the status is still frozen')
    freeze(scene, actor)
    expect(actor.thaw() == 3, 'a thaw in time')


def restarts_leave_the_freeze_to_the_guardian(scene: Scene) -> None:
    """As a service manager and a package upgrade do it: SIGTERM, then another process."""
    actor = scene.start(FAR)
    writes = freeze(scene, actor)
    for _ in range(6):
        asked = time.monotonic()
        expect(actor.end() == 0, 'its status')
        expect(time.monotonic() - asked < 2, 'it did not leave at once')
        expect(actor.has(MARK) and actor.has(DOOR), 'the mark or the guardian has gone')
        actor.restart()
        expect(actor.status == 'frozen', 'the next agent does not know')
    expect(all(scene.held(writes)), 'something was thawed')
    expect(actor.thaw() == 3, 'the thaw of another agent')
    expect(wait_until(lambda: not scene.guardians(), 5), 'a guardian is left')
    expect(not actor.has(MARK) and not actor.has(DOOR) and not actor.has(NOTE), 'what is left')


def a_guarded_daemon_leaves_its_pidfile(scene: Scene) -> None:
    """It may be in a frozen file system, where nothing can be removed."""
    agent = scene.prepare(FAR, state=scene.mounts[0] / 'state')
    pidfile = agent.state / 'pid'
    agent.arguments.append('-d')
    actor = Actor(scene.stage, agent)
    expect(wait_until(lambda: pidfile.exists() and bool(pidfile.read_text()), 5), 'no pidfile')
    pid = int(pidfile.read_text())
    scene.stage.forbid_others(pid)
    expect(actor.client.call('guest-fsfreeze-freeze') == 3, 'count')
    actor.client.close()
    os.kill(pid, signal.SIGTERM)
    expect(wait_until(lambda: not os.path.exists(f'/proc/{pid}/exe'), 5), 'it hangs')
    agent.arguments.remove('-d')
    actor.restart()
    expect(actor.status == 'frozen' and actor.thaw() == 3, 'the next agent')


def end_guardian(number: int) -> Callable[[Scene, Actor], None]:
    def end(scene: Scene, _: Actor) -> None:
        guardian, = scene.guardians()
        os.kill(guardian, number)
    return end


def end_both(scene: Scene, actor: Actor) -> None:
    guardian, = scene.guardians()
    actor.end(signal.SIGKILL)
    os.kill(guardian, signal.SIGKILL)
    expect(wait_until(lambda: not scene.guardians(), 5), 'it lives')
    actor.restart()


def without_a_guardian_nothing_stays_frozen(scene: Scene) -> None:
    """Killed, or told to end as when the system goes down: then there is no waiting."""
    for end in (end_guardian(signal.SIGKILL), end_guardian(signal.SIGTERM),
                end_guardian(signal.SIGINT), end_guardian(signal.SIGHUP), end_both):
        actor = scene.start(FAR, hook=':')
        writes = freeze(scene, actor)
        ended = time.monotonic()
        end(scene, actor)
        for write in writes:
            expect(write.wait() - ended < 1, 'it took its time')
        expect(wait_until(lambda a=actor: len(calls(a)) == 2, 5), 'the applications are held')
        expect_told(scene, actor)
        expect(actor.freeze() == 3 and actor.thaw() == 3, 'a freeze after that')
        expect(not actor.has(DOOR), 'what a killed guardian has left')


def other_signals_do_not_end_it(scene: Scene) -> None:
    actor = scene.start(FAR)
    freeze(scene, actor)
    guardian, = scene.guardians()
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGPIPE, signal.SIGQUIT):
        os.kill(guardian, number)
    time.sleep(0.1)
    expect(scene.guardians() == [guardian], 'it has ended')
    expect(actor.thaw() == 3, 'count')


def a_freeze_that_comes_too_late_fails(scene: Scene) -> None:
    actor = scene.start(0.001)
    for _ in range(10):
        try:
            actor.freeze()
        except ValueError as error:
            expect('deadline' in str(error), str(error))
        expect(wait_until(lambda: not any(write.ended() is None for write in scene.writes()), 5)
               or not any(scene.frozen()), 'something stays frozen')
        expect(wait_until(lambda: not scene.guardians(), 5), 'a guardian is left')
        expect(wait_until(lambda: actor.status == 'thawed', 5), 'the status is still frozen')


def a_freeze_that_hangs_is_given_up(scene: Scene) -> None:
    """On a loop device whose file's file system is frozen already: its FIFREEZE cannot sync."""
    with scene.nested(scene.mounts[0]) as nested:
        actor = scene.start(DEADLINE, hook=':')
        (nested / 'dirty').write_bytes(bytes(1 << 20))
        stage.freeze(scene.mounts[0])
        began = time.monotonic()
        text = actor.error('freeze-list', mountpoints=[scene.stage.inside(nested)])
        took = time.monotonic() - began
        expect('deadline' in text, text)
        expect(took < DEADLINE + 3, f'it took {took:.1f} s')
        expect(actor.status == 'thawed', 'the status is frozen')
        expect(calls(actor) == ['freeze-', 'thaw-'], f'{calls(actor)}')
        expect(actor.error('freeze') == GIVEN_UP, 'another freeze begins')
        expect(actor.error('thaw').startswith(EXPIRED), 'not told')
        expect(actor.has(DOOR), 'its guardian has gone')

        stage.thaw(scene.mounts[0])
        expect(wait_until(lambda: not scene.guardians(), 5), 'a guardian is left')
        expect(not scene.held([scene.write(nested)])[0], 'it was frozen afterwards')
        expect(actor.freeze() == 4 and actor.thaw() == 4, 'a freeze after that')


def nothing_of_the_agents_is_kept_by_the_guardian(scene: Scene) -> None:
    actor = scene.start(FAR)
    freeze(scene, actor)
    guardian, = scene.guardians()
    kept = sorted(os.readlink(f'/proc/{guardian}/fd/{fd}') for fd in os.listdir(
        f'/proc/{guardian}/fd'))
    places = {str(mount) for mount in scene.mounts} | {str(actor.agent.state)}
    others = [link for link in kept if link not in places]
    expect(len(kept) - len(others) == 4, f'{kept}')
    expect(len(others) == 3 and all(link.startswith(('socket:', 'anon_inode:[signalfd]'))
                                    for link in others), f'{others}')
    expect(actor.thaw() == 3, 'count')


def it_is_locked_in_memory_and_comes_first(scene: Scene) -> None:
    """Where memory is short, and what would give some back is frozen."""
    if scene.is_sanitized:
        raise Skip('sanitizers lock nothing')
    actor = scene.start(FAR)
    freeze(scene, actor)
    guardian, = scene.guardians()
    status = Path(f'/proc/{guardian}/status').read_text()
    locked = int(status.partition('VmLck:')[2].split()[0])
    code = Path(f'/proc/{guardian}/smaps').read_text().partition(' r-xp ')[2]
    expect(locked > 1000, f'{locked} KiB are locked')
    expect(int(code.partition('\nLocked:')[2].split()[0]) > 0, 'its code is not locked')
    expect(os.sched_getscheduler(guardian) == os.SCHED_FIFO, 'it waits for others')
    expect(actor.thaw() == 3, 'count')


CHECKS: List[object] = [
    at_the_deadline_all_is_thawed, also_when_the_agent_was_killed, also_when_it_was_restarted,
    a_new_freeze_forgets_the_last_one, restarts_leave_the_freeze_to_the_guardian,
    a_guarded_daemon_leaves_its_pidfile, without_a_guardian_nothing_stays_frozen,
    other_signals_do_not_end_it, a_freeze_that_comes_too_late_fails,
    a_freeze_that_hangs_is_given_up, nothing_of_the_agents_is_kept_by_the_guardian,
    it_is_locked_in_memory_and_comes_first,
]
