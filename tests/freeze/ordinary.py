# SPDX-License-Identifier: GPL-2.0-or-later
"""What every client may rely on, with or without a deadline."""
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import List

from lib import stage
from lib.check import PING, PONG, expect
from lib.process import wait_until
from scene import DOOR, MARK, PATIENCE, Actor, Scene, calls, name_of, processes

REFUSED = 'Command guest-fsfreeze-freeze has been disabled: the command is not allowed'


def all_file_systems_are_frozen_and_thawed(scene: Scene) -> None:
    for deadline in (0, 30):
        actor = scene.start(deadline)
        expect(actor.freeze() == 3, 'not three were frozen')
        expect(actor.status == 'frozen', 'the status is not frozen')
        writes = scene.writes()
        expect(all(scene.held(writes)), 'a frozen file system was written to')
        expect(actor.has(MARK), 'no mark')
        expect(actor.error('freeze') == REFUSED, 'a second freeze is not refused')
        expect(actor.has(DOOR) == bool(scene.guardians()) == bool(deadline), 'a guardian or none')
        expect(actor.thaw() == 3, 'not three were thawed')
        for write in writes:
            write.wait()
        expect(actor.status == 'thawed', 'the status is not thawed')
        expect(not actor.has(MARK) and not actor.has(DOOR), 'something is left in the state folder')
        expect(wait_until(lambda: not scene.guardians(), 5), 'a guardian is left')
        expect(actor.thaw() == 0, 'a second thaw counts')


def writers_wait_only_for_what_is_written_meanwhile(scene: Scene) -> None:
    """Each file system is synced before the first is frozen."""
    actor = scene.start()
    trace = actor.agent.folder / 'trace'
    with subprocess.Popen(['strace', '-f', '-qq', '-e', 'trace=syncfs,ioctl', '-o', str(trace),
                           '-p', str(actor.agent.pid)]) as strace:
        tracer = f'TracerPid:\t{strace.pid}\n'
        status = Path(f'/proc/{actor.agent.pid}/status')
        expect(wait_until(lambda: tracer in status.read_text(), 5), 'not traced')
        expect(actor.freeze() == 3 and actor.thaw() == 3, 'counts')
        strace.send_signal(signal.SIGINT)
    before = trace.read_text().partition('FIFREEZE')[0]
    expect(len(re.findall(r'syncfs\(\d', before)) == 3, before)


def a_list_means_mount_points_to_the_letter(scene: Scene) -> None:
    actor = scene.start(30)
    ext4, xfs, _ = (scene.stage.inside(mount) for mount in scene.mounts)
    bind = scene.stage.root / 'mnt' / 'bind'
    bind.mkdir(exist_ok=True)
    subprocess.run(['mount', '--bind', str(scene.mounts[0]), str(bind)], check=True)
    scene.mounts.append(bind)
    try:
        for points, count, frozen in (([xfs], 1, [False, True, False]),
                                      ([ext4, xfs, ext4], 2, [True, True, False]),
                                      ([ext4, '/none'], 1, [True, False, False])):
            expect(actor.ask('freeze-list', mountpoints=points) == count, f'{points}')
            expect(scene.frozen()[:3] == frozen, f'{points}: not what was named')
            expect(actor.thaw() == count, f'{points} thawed')
        for points in ([], ['/none'], [ext4 + '/'], [ext4[1:]], [scene.stage.inside(bind)], ['']):
            expect(actor.ask('freeze-list', mountpoints=points) == 0, f'{points} are frozen')
            expect(actor.status == 'thawed' and not actor.has(MARK), f'{points}: a mark for it')
    finally:
        scene.mounts.remove(bind)
        subprocess.run(['umount', str(bind)], check=True)


def what_others_have_frozen_counts_when_it_is_thawed(scene: Scene) -> None:
    actor = scene.start(30)
    stage.freeze(scene.mounts[1])
    expect(actor.freeze() == 2, 'one was frozen already')
    expect(actor.thaw() == 3, 'a thaw thaws all')
    stage.freeze(scene.mounts[2])
    expect(actor.thaw() == 1, 'a thaw without a freeze thaws, too')
    for mount in scene.mounts:
        stage.freeze(mount)
    expect(actor.freeze() == 0, 'all were frozen already')
    expect(actor.status == 'thawed', 'frozen for nothing')
    expect(actor.thaw() == 3, 'all were frozen')


def a_file_system_that_cannot_be_opened_undoes_the_freeze(scene: Scene) -> None:
    """Its mount point lies behind another mount: the path is not there."""
    actor = scene.start(30, hook=':')
    hidden = scene.mounts[0].parent
    subprocess.run(['mount', '-t', 'tmpfs', 'hides', str(hidden)], check=True)
    try:
        text = actor.error('freeze')
    finally:
        subprocess.run(['umount', str(hidden)], check=True)
    expect(text == f'failed to open {scene.stage.inside(scene.mounts[2])}: '
           'No such file or directory', text)
    expect(actor.status == 'thawed' and not actor.has(MARK), 'it counts as frozen')
    expect(calls(actor) == ['freeze-', 'thaw-'], f'the hook was called {calls(actor)}')
    expect(not any(scene.frozen()), 'something is frozen')


def hooks_come_before_the_freeze_and_after_the_thaw(scene: Scene) -> None:
    actor = scene.start(30, hook='echo output; exit 0')
    expect(actor.freeze() == 3 and actor.thaw() == 3, 'counts')
    expect(actor.ask('freeze-list', mountpoints=[]) == 0, 'an empty list')
    expect(calls(actor) == 2 * ['freeze-', 'thaw-'], f'{calls(actor)}')


def a_hook_that_fails_prevents_the_freeze(scene: Scene) -> None:
    action = 'child process has failed to execute fsfreeze hook: '
    for script, text in (('echo why; exit 3', action + 'why\n'),
                         ('exit 3', action + 'exit status 3'),
                         ('kill -9 $$', 'child process has terminated abnormally')):
        actor = scene.start(30, hook=script)
        expect(actor.error('freeze') == text, f'not {text!r}')
        expect(actor.status == 'thawed' and not any(scene.frozen()), 'something is frozen')
        expect(calls(actor) == ['freeze-', 'thaw-'], f'{calls(actor)}')
        expect(actor.error('thaw') == text, 'the failure of the thaw hook is not told')
    actor = scene.start(30, arguments=['-F/none'])
    text = actor.error('freeze')
    expect(text == action + "failed to exec '/none': No such file or directory\n", text)


def a_hook_that_does_not_end_is_killed_at_its_limit(scene: Scene) -> None:
    """Also one that has ended, but left its output to others."""
    for script in ('sleep 60', 'sleep 60 & exit 0'):
        actor = scene.start(30, hook=script, hook_limit=0.3)
        began = time.monotonic()
        text = actor.error('freeze')
        expect(time.monotonic() - began < 3, 'the limit is not kept')
        expect('no end within 300 ms' in text, text)
        expect(wait_until(lambda: all(name_of(pid) != 'sleep' for pid in processes()), 5),
               'it was left alone')
        expect(actor.status == 'thawed' and not any(scene.frozen()), 'something is frozen')


def without_a_limit_a_hook_is_waited_for(scene: Scene) -> None:
    actor = scene.start(30, hook='sleep 0.5 & exit 0')
    began = time.monotonic()
    expect(actor.freeze() == 3, 'count')
    expect(time.monotonic() - began >= 0.5, 'its output was still open')
    expect(actor.thaw() == 3, 'count')


def request(command: str) -> bytes:
    return b'{"execute": "guest-fsfreeze-%s"}\n' % command.encode()


def sessions_wait_for_each_other_and_only_there(scene: Scene) -> None:
    agent = scene.prepare(30, hook='sleep 0.4')
    path = agent.folder / 'session'
    with open(agent.folder / 'agent.conf', 'a', encoding='ascii') as file:
        file.write(f'sessions=unix-listen:{path};unix-listen:{path}-2\n')
    actor = Actor(scene.stage, agent)
    scene.stage.forbid_others(agent.pid)
    with agent.connect(path) as second, agent.connect(Path(f'{path}-2')) as third:
        actor.client.send(request('freeze'))
        time.sleep(0.05)
        second.send(request('thaw'))
        third.send(request('freeze'))
        for client, name in ((actor.client, 'freeze'), (second, 'thaw'), (third, 'second freeze')):
            answer = client.read_line(PATIENCE)
            expect(answer == b'{"return": 3}\n', f'the {name} answers {answer!r}')
    expect(actor.thaw() == 3, 'what the second freeze has frozen')


def while_one_freezes_others_are_answered(scene: Scene) -> None:
    agent = scene.prepare(30, hook='sleep 0.5')
    path = agent.folder / 'session'
    with open(agent.folder / 'agent.conf', 'a', encoding='ascii') as file:
        file.write(f'sessions=unix-listen:{path}\n')
    actor = Actor(scene.stage, agent)
    scene.stage.forbid_others(agent.pid)
    with agent.connect(path) as other:
        actor.client.send(request('freeze'))
        latest, began = 0.0, time.monotonic()
        while time.monotonic() - began < 0.4:
            asked = time.monotonic()
            expect(other.ask(PING, 5) == PONG, 'no answer')
            latest = max(latest, time.monotonic() - asked)
        expect(latest < 0.2, f'a ping took {latest:.3f} s')
        expect(actor.client.read_line(PATIENCE) == b'{"return": 3}\n', 'the freeze')
        expect(other.ask(request('freeze'), 5) ==
               b'{"error": {"class": "CommandNotFound", "desc": "%s"}}\n' % REFUSED.encode(),
               'a freeze of another session')
        expect(other.call('guest-fsfreeze-thaw') == 3, 'the thaw of another session')


def signals_are_ignored_while_nobody_else_would_thaw(scene: Scene) -> None:
    actor = scene.start()
    expect(actor.freeze() == 3, 'count')
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(actor.agent.pid, number)
    time.sleep(0.2)
    expect(actor.thaw() == 3, 'it has left')
    expect(actor.end() == 0, 'its status')


def a_signal_during_a_freeze_waits_for_its_end(scene: Scene) -> None:
    actor = scene.start(hook='sleep 0.3')
    actor.client.send(request('freeze'))
    time.sleep(0.1)
    os.kill(actor.agent.pid, signal.SIGTERM)
    expect(actor.client.read_line(PATIENCE) == b'{"return": 3}\n', 'no answer')
    time.sleep(0.1)
    os.kill(actor.agent.pid, signal.SIGTERM)        # frozen: ignored, as the first one
    actor.client.send(request('thaw'))
    time.sleep(0.1)
    os.kill(actor.agent.pid, signal.SIGTERM)        # kept until the hook has ended
    expect(actor.client.read_line(PATIENCE) == b'{"return": 3}\n', 'no answer to the thaw')
    assert actor.agent.process is not None
    expect(actor.agent.process.wait(PATIENCE) == 0, 'its status')
    expect(calls(actor) == ['freeze-', 'thaw-'], f'{calls(actor)}')


def a_start_with_a_mark_is_frozen_until_the_thaw(scene: Scene) -> None:
    agent = scene.prepare()
    log = agent.folder / 'agent.log'
    agent.arguments += ['-v', '-l', str(log)]
    (agent.state / MARK).touch()
    actor = Actor(scene.stage, agent)
    expect(actor.status == 'frozen', 'the status')
    expect(not log.exists(), 'the log was opened')
    expect(actor.error('freeze') == REFUSED, 'a freeze is not refused')
    expect(actor.thaw() == 0, 'nothing was frozen')
    expect(actor.status == 'thawed' and not actor.has(MARK), 'it is still frozen')
    expect(log.read_text().split(': ', 1)[1].startswith(
        'warning: logging re-enabled due to filesystem unfreeze'), f'the log: {log.read_text()}')
    expect(actor.freeze() == 3 and actor.thaw() == 3, 'a freeze after it')


def a_state_folder_in_a_frozen_file_system_is_no_trap(scene: Scene) -> None:
    for deadline in (0, 30):
        folder = scene.mounts[0] / f'state-{deadline}'
        actor = scene.start(deadline, state=folder)
        expect(actor.freeze() == 3 and all(scene.frozen()), 'counts')
        actor.end(signal.SIGKILL)
        actor.restart()
        expect(actor.status == 'frozen', 'the next one does not know')
        expect(actor.thaw() == 3, 'counts')
        if deadline:
            expect(actor.freeze() == 3 and actor.end() == 0, 'a guarded one does not leave')
            actor.restart()
            expect(actor.status == 'frozen' and actor.thaw() == 3, 'the one after that')
        expect(actor.left() == ['qga.state'], f'{actor.left()} is left')


def frozen_by_one_and_thawed_by_the_other(scene: Scene) -> None:
    """The packages may be swapped meanwhile, both ways."""
    for first, second in ((scene.upstream, scene.program), (scene.program, scene.upstream)):
        actor = scene.start(program=first)
        expect(actor.freeze() == 3, 'frozen')
        actor.end(signal.SIGKILL)
        actor.agent.program = list(second)
        actor.restart()
        expect(actor.status == 'frozen', 'the mark is not understood')
        expect(actor.thaw() == 3 and not any(scene.frozen()), 'thawed')
        expect(not actor.has(MARK), 'the mark is left')


CHECKS: List[object] = [
    all_file_systems_are_frozen_and_thawed, writers_wait_only_for_what_is_written_meanwhile,
    a_list_means_mount_points_to_the_letter,
    what_others_have_frozen_counts_when_it_is_thawed,
    a_file_system_that_cannot_be_opened_undoes_the_freeze,
    hooks_come_before_the_freeze_and_after_the_thaw, a_hook_that_fails_prevents_the_freeze,
    a_hook_that_does_not_end_is_killed_at_its_limit, without_a_limit_a_hook_is_waited_for,
    sessions_wait_for_each_other_and_only_there, while_one_freezes_others_are_answered,
    signals_are_ignored_while_nobody_else_would_thaw, a_signal_during_a_freeze_waits_for_its_end,
    a_start_with_a_mark_is_frozen_until_the_thaw,
    a_state_folder_in_a_frozen_file_system_is_no_trap, frozen_by_one_and_thawed_by_the_other,
]
