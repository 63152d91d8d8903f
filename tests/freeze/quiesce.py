# SPDX-License-Identifier: GPL-2.0-or-later
"""novacron-quiesce-*: a freeze with a deadline of the client's, a token, and a verdict."""
import os
import shutil
import signal
import subprocess
import time
from typing import Any, Dict, List

from lib import stage
from lib.check import expect
from lib.process import wait_until
from scene import DOOR, MARK, NOTE, PATIENCE, Actor, Scene, Write, calls

Answer = Dict[str, Any]
LATE = 0.5          # on a busy machine


def begin(scene: Scene, hook: str = '', maximum: int = 60000, lines: str = '') -> Actor:
    return Actor(scene.stage, scene.prepare(
        hook=hook, more=f'areas=quiesce\nquiesce-maximum-ms={maximum}\n{lines}'))


def ask(actor: Actor, command: str, **arguments: Any) -> Answer:
    actor.stage.forbid_others(actor.agent.pid)
    answer = actor.client.call('novacron-quiesce-' + command, PATIENCE, **arguments)
    assert isinstance(answer, dict)
    return answer


def refusal(actor: Actor, command: str, **arguments: Any) -> str:
    try:
        answer = ask(actor, command, **arguments)
    except ValueError as error:
        return str(error)
    raise AssertionError(f'{command} answers {answer}')


def freeze(actor: Actor, seconds: float = 30) -> str:
    answer = ask(actor, 'freeze', deadline_ms=round(seconds * 1000))
    expect(answer['file-systems'] == 3, f'{answer}')
    expect(answer['left-ms'] <= seconds * 1000, f'{answer}')
    return str(answer['token'])


def thaw(actor: Actor, token: str) -> Answer:
    return ask(actor, 'thaw', token=token)


def verdict(actor: Actor, token: str) -> str:
    return str(thaw(actor, token)['verdict'])


def state(actor: Actor) -> str:
    return str(ask(actor, 'status')['state'])


def expect_thawed_at(writes: List[Write], moment: float) -> None:
    for write in writes:
        late = write.wait() - moment
        expect(-0.02 <= late < LATE, f'thawed {late:.3f} s after the deadline')


def nothing_is_left(scene: Scene, actor: Actor) -> None:
    expect(wait_until(lambda: not scene.guardians(), 5), 'a guardian is left')
    left = [name for name in (MARK, NOTE, DOOR) if actor.has(name)]
    expect(not left, f'{left} left')


def what_was_held_is_consistent(scene: Scene) -> None:
    actor = begin(scene)
    token = freeze(actor)
    writes = scene.writes()
    expect(all(scene.held(writes)), 'a frozen file system was written to')
    status = ask(actor, 'status')
    expect(status['state'] == 'frozen' and status['token'] == token and status['guarded'] and
           0 < status['left-ms'] <= 30000 and status['held-ms'] >= 100, f'{status}')
    answer = thaw(actor, token)
    expect(answer['verdict'] == 'consistent' and answer['file-systems'] == 3 and
           answer['thawed'] == 3 and 100 <= answer['held-ms'] < 10000, f'{answer}')
    for write in writes:
        write.wait()
    expect(thaw(actor, token) == answer, 'asked again it says something else')
    expect(ask(actor, 'status') == {'state': 'idle', 'guarded': False}, 'the status')
    nothing_is_left(scene, actor)


def the_deadline_is_the_callers(scene: Scene) -> None:
    actor = begin(scene, hook=':')
    began = time.monotonic()
    token = freeze(actor, 1)
    expect_thawed_at(scene.writes(), began + 1)
    expect(wait_until(lambda: state(actor) == 'idle', 5), 'the state')
    answer = thaw(actor, token)
    expect(answer['verdict'] == 'expired' and 990 <= answer['held-ms'] < 1600, f'{answer}')
    expect(verdict(actor, token) == 'expired', 'asked again it says something else')
    expect(actor.thaw() == 0, 'an ordinary thaw is told of what another client knows')
    expect(calls(actor) == ['freeze-', 'thaw-', 'thaw-'], f'{calls(actor)}')
    nothing_is_left(scene, actor)


def a_keepalive_puts_it_off(scene: Scene) -> None:
    actor = begin(scene)
    token = freeze(actor, 0.8)
    writes = scene.writes()
    time.sleep(0.3)
    asked = time.monotonic()
    answer = ask(actor, 'keepalive', token=token, extend_ms=1500)
    expect(1300 < answer['left-ms'] <= 1500, f'{answer}')
    sooner = ask(actor, 'keepalive', token=token, extend_ms=1)
    expect(1000 < sooner['left-ms'] <= answer['left-ms'], f'{sooner}')
    expect_thawed_at(writes, asked + 1.5)
    expect(wait_until(lambda: state(actor) == 'idle', 5), 'the state')
    expect(refusal(actor, 'keepalive', token=token).startswith('not-found: '), 'too late')
    expect(verdict(actor, token) == 'expired', 'the verdict')

    token = freeze(actor, 0.5)
    for _ in range(5):
        time.sleep(0.2)
        ask(actor, 'keepalive', token=token, extend_ms=500)
    expect(verdict(actor, token) == 'consistent', 'the verdict of one that was put off')


def in_a_race_with_the_deadline_the_answer_tells_who_won(scene: Scene) -> None:
    actor = begin(scene)
    won = 0
    for step in range(12):
        began = time.monotonic()
        token = freeze(actor, 0.15)
        time.sleep(max(began + 0.147 + step * 0.001 - time.monotonic(), 0))
        try:
            ask(actor, 'keepalive', token=token, extend_ms=20000)
            won += 1
            expect(ask(actor, 'status')['left-ms'] > 15000, 'told that it is kept, and is not')
            expect(verdict(actor, token) == 'consistent', 'told that it is kept, and was not')
        except ValueError as error:
            expect(str(error).startswith(('not-found: ', 'busy: ')), str(error))
            expect(verdict(actor, token) == 'expired', f'{error}, but it goes on')
    expect(won < 12, 'no keepalive came too late')


def nothing_is_held_for_longer_than_the_policy_permits(scene: Scene) -> None:
    actor = begin(scene, maximum=2000)
    expect(refusal(actor, 'freeze', deadline_ms=2001).startswith('bad-value: '), 'freeze')
    expect(state(actor) == 'idle', 'frozen nevertheless')
    began = time.monotonic()
    token = freeze(actor, 1)
    writes = scene.writes()
    text = refusal(actor, 'keepalive', token=token, extend_ms=2500)
    expect(text.startswith('budget: '), text)
    answer = ask(actor, 'keepalive', token=token)       # as much as is permitted
    expect(answer['left-ms'] <= 2000 and answer['extensible-ms'] == 0, f'{answer}')
    expect_thawed_at(writes, began + 2)
    expect(verdict(actor, token) == 'expired', 'the verdict')


def the_next_agent_knows_the_token_and_tells_the_truth(scene: Scene) -> None:
    actor = begin(scene, hook=':')
    token = freeze(actor)
    ask(actor, 'keepalive', token=token, extend_ms=40000)
    actor.end(signal.SIGKILL)
    actor.restart()
    expect(wait_until(lambda: 'left-ms' in ask(actor, 'status'), 5), 'it was not told')
    status = ask(actor, 'status')
    expect(status['token'] == token and 30000 < status['left-ms'] <= 40000 and
           status['guarded'], f'{status}')
    ask(actor, 'keepalive', token=token, extend_ms=41000)
    answer = thaw(actor, token)
    expect(answer['verdict'] == 'consistent' and answer['file-systems'] == 3, f'{answer}')
    expect(calls(actor) == ['freeze-', 'thaw-'], f'{calls(actor)}')
    nothing_is_left(scene, actor)


def also_of_what_ended_while_there_was_none(scene: Scene) -> None:
    actor = begin(scene, hook=':')
    began = time.monotonic()
    token = freeze(actor, 0.6)
    writes = scene.writes()
    actor.end(signal.SIGKILL)
    expect_thawed_at(writes, began + 0.6)
    expect(wait_until(lambda: actor.has(NOTE), 5), 'no note')
    actor.restart()
    expect(wait_until(lambda: calls(actor) == ['freeze-', 'thaw-'], 5), 'the hook')
    expect(verdict(actor, token) == 'expired', 'the verdict')
    expect(verdict(actor, token) == 'expired', 'asked again')
    nothing_is_left(scene, actor)


def without_its_guardian_it_has_expired(scene: Scene) -> None:
    actor = begin(scene)
    for ending in (signal.SIGKILL, signal.SIGTERM):
        token = freeze(actor)
        guardian, = scene.guardians()
        os.kill(guardian, ending)
        for write in scene.writes():
            write.wait()
        expect(wait_until(lambda: state(actor) == 'idle', 5), 'the state')
        expect(verdict(actor, token) == 'expired', 'the verdict')


def nor_does_anything_stay_frozen_when_both_are_killed(scene: Scene) -> None:
    actor = begin(scene)
    token = freeze(actor)
    guardian, = scene.guardians()
    actor.end(signal.SIGKILL)
    os.kill(guardian, signal.SIGKILL)
    expect(wait_until(lambda: not scene.guardians(), 5), 'it lives')
    actor.restart()
    for write in scene.writes():
        write.wait()
    expect(wait_until(lambda: state(actor) == 'idle', 5), 'the state')
    expect(verdict(actor, token) == 'expired', 'the verdict')


def an_ordinary_thaw_thaws_and_the_token_tells(scene: Scene) -> None:
    actor = begin(scene)
    token = freeze(actor)
    expect(actor.thaw() == 3, 'the ordinary thaw')
    answer = thaw(actor, token)
    expect(answer['verdict'] == 'thawed-by-other' and answer['thawed'] == 3, f'{answer}')

    expect(actor.freeze() == 3, 'an ordinary freeze')
    expect(refusal(actor, 'thaw', token=token).startswith('not-found: '), 'another one is thawed')
    expect(state(actor) == 'frozen' and 'token' not in ask(actor, 'status'), 'the status')
    expect(refusal(actor, 'keepalive', token=token).startswith('not-found: '), 'kept')
    expect(all(scene.frozen()), 'something was thawed')
    expect(actor.thaw() == 3, 'the ordinary thaw of that')


def so_it_does_of_what_was_thawed_by_hand(scene: Scene) -> None:
    actor = begin(scene)
    token = freeze(actor)
    stage.thaw(scene.mounts[1])
    answer = thaw(actor, token)
    expect(answer['verdict'] == 'thawed-by-other' and answer['thawed'] == 2, f'{answer}')


def a_hook_that_fails_is_told(scene: Scene) -> None:
    actor = begin(scene, hook='[ ! -e ${0%hook}fail-$1 ] || { echo no; exit 3; }')
    (actor.agent.folder / 'fail-thaw').touch()
    answer = thaw(actor, freeze(actor))
    expect(answer['verdict'] == 'hook-failed' and 'no' in answer['hook-error'], f'{answer}')
    (actor.agent.folder / 'fail-thaw').unlink()
    (actor.agent.folder / 'fail-freeze').touch()
    text = refusal(actor, 'freeze')
    expect(text.startswith('failed: ') and 'no' in text, text)
    expect(state(actor) == 'idle' and not any(scene.frozen()), 'frozen nevertheless')


def the_manifest_says_what_was_done(scene: Scene) -> None:
    actor = begin(scene, hook='sleep 0.1')
    token = freeze(actor)
    during = ask(actor, 'manifest', token=token)
    expect('verdict' not in during and 'thawed-ns' not in during, f'{during}')
    thaw(actor, token)
    manifest = ask(actor, 'manifest', token=token)
    listed = manifest['file-systems']
    expect({(entry['mountpoint'], entry['type']) for entry in listed} ==
           {(scene.stage.inside(mount), mount.name[2:]) for mount in scene.mounts}, f'{listed}')
    expect(all(entry['frozen'] and entry['freeze-us'] > 0 and
               entry['device'].startswith('/dev/loop') for entry in listed), f'{listed}')
    expect(manifest['verdict'] == 'consistent' and manifest['count'] == 3 and
           manifest['omitted'] == 0 and manifest['hook'].endswith('/hook'), f'{manifest}')
    for span in ('freeze-hook-us', 'thaw-hook-us'):
        expect(95000 < manifest[span] < 5e6, f'{span} {manifest[span]}')
    expect(manifest['freeze-us'] >= max(entry['freeze-us'] for entry in listed) and
           manifest['thaw-us'] > 0, f'{manifest}')
    expect(abs(manifest['frozen-ns'] / 1e9 - time.time()) < 30 and
           manifest['thawed-ns'] > manifest['frozen-ns'], f'{manifest}')


def there_is_no_verdict_before_applications_are_let_go(scene: Scene) -> None:
    agent = scene.prepare(hook='[ $1 = freeze ] || { sleep 0.5; exit 3; }')
    path = agent.folder / 'session'
    with open(agent.folder / 'agent.conf', 'a', encoding='ascii') as file:
        file.write(f'areas=quiesce\nsessions=unix-listen:{path}\n')
    actor = Actor(scene.stage, agent)
    token = freeze(actor)
    with agent.connect(path) as other:
        actor.client.send(b'{"execute": "novacron-quiesce-thaw", "arguments": {"token": "%s"}}\n'
                          % token.encode())
        expect(wait_until(lambda: not any(scene.frozen()), 5), 'it is frozen')
        during = other.call('novacron-quiesce-manifest', token=token)
        expect('verdict' not in during and 'thaw-hook-us' not in during, f'{during}')
        answer = actor.client.read_line(PATIENCE)
        expect(b'"hook-failed"' in answer, f'{answer!r}')
        after = other.call('novacron-quiesce-manifest', token=token)
        expect(after['verdict'] == 'hook-failed', f'{after}')


def some_of_them_can_be_frozen_alone(scene: Scene) -> None:
    actor = begin(scene)
    answer = ask(actor, 'freeze', mountpoints=[scene.stage.inside(scene.mounts[1])])
    expect(answer['file-systems'] == 1 and scene.frozen() == [False, True, False], f'{answer}')
    expect(verdict(actor, answer['token']) == 'consistent', 'the verdict')
    expect(refusal(actor, 'freeze', mountpoints=['/none']).startswith('not-found: '), 'of none')
    nothing_is_left(scene, actor)


def servers_are_found_and_the_hooks_for_them(scene: Scene) -> None:
    actor = begin(scene, hook=':')
    program = actor.agent.folder / 'redis-server'
    shutil.copy(shutil.which('sleep') or '/bin/sleep', program)
    with subprocess.Popen([str(program), '1000']) as process:
        try:
            expect(wait_until(lambda: bool(actor.client.rows('novacron-quiesce-apps'))), 'none')
            app, = actor.client.rows('novacron-quiesce-apps')
            expect(app['kind'] == 'redis' and app['pid'] == process.pid and
                   app['program'].endswith('/redis-server'), f'{app}')
            expect(not app['ready'] and app['reason'] == 'hook-unknown', f'{app}')
            script = actor.agent.folder / 'fsfreeze-hook.d' / '30-redis'
            script.parent.mkdir()
            script.write_text('')
            app, = actor.client.rows('novacron-quiesce-apps')
            expect(not app['ready'] and app['reason'] == 'no-script', f'{app}')
            script.chmod(0o755)
            app, = actor.client.rows('novacron-quiesce-apps')
            expect(app['ready'] and app['script'] == '30-redis', f'{app}')
        finally:
            process.kill()


def freezes_are_told_as_events(scene: Scene) -> None:
    actor = begin(scene)
    tokens = [freeze(actor)]

    def told() -> List[Any]:
        actor.stage.forbid_others(actor.agent.pid)
        events = actor.client.call('novacron-event-read', PATIENCE, after=1)['events']
        return [(event['type'], event['id'], event.get('file-systems')) for event in events]

    expect(told() == [('frozen', tokens[0], 3)], f'while it is frozen: {told()}')
    thaw(actor, tokens[0])
    tokens.append(freeze(actor, 0.3))
    expect(wait_until(lambda: state(actor) == 'idle', 5), 'the state')
    expect(told()[:3] == [('frozen', tokens[0], 3), ('thawed', tokens[0], 3),
                          ('frozen', tokens[1], 3)] and
           [event[:2] for event in told()[3:]] == [('freeze-expired', tokens[1])], f'{told()}')


def while_frozen_no_more_is_accepted_than_that(scene: Scene) -> None:
    actor = begin(scene)
    token = freeze(actor)
    for command in ('freeze', 'apps'):
        text = refusal(actor, command)
        expect('has been disabled: the command is not allowed' in text, text)
    expect(actor.error('freeze').endswith('not allowed'), 'an ordinary one')
    expect(refusal(actor, 'thaw', token='x').startswith('not-found: '), 'another token')
    expect(state(actor) == 'frozen', 'another token has thawed it')
    expect(verdict(actor, token) == 'consistent', 'the verdict')


def where_the_ordinary_commands_are_blocked_so_are_these(scene: Scene) -> None:
    blocked = {'freeze': ['freeze', 'keepalive'], 'freeze-list': ['freeze'], 'thaw': ['thaw'],
               'status': ['status', 'manifest', 'apps']}
    arguments = {'keepalive': {'token': 'x'}, 'thaw': {'token': 'x'}, 'manifest': {'token': 'x'}}
    for name, commands in blocked.items():
        actor = begin(scene, lines=f'[general]\nblock-rpcs=guest-fsfreeze-{name}\n')
        for command in commands:
            text = refusal(actor, command, **arguments.get(command, {}))
            expect(text.endswith('not allowed'), f'{name}: {command}: {text}')
        actor.end()
    actor = scene.start()
    for command in ('freeze', 'keepalive', 'thaw'):
        text = refusal(actor, command, **arguments.get(command, {}))
        expect(text.endswith('not allowed'), f'not configured: {command}: {text}')
    expect(state(actor) == 'idle', 'the status is not there')


CHECKS: List[object] = [
    what_was_held_is_consistent, the_deadline_is_the_callers, a_keepalive_puts_it_off,
    in_a_race_with_the_deadline_the_answer_tells_who_won,
    nothing_is_held_for_longer_than_the_policy_permits,
    the_next_agent_knows_the_token_and_tells_the_truth, also_of_what_ended_while_there_was_none,
    without_its_guardian_it_has_expired, nor_does_anything_stay_frozen_when_both_are_killed,
    an_ordinary_thaw_thaws_and_the_token_tells, so_it_does_of_what_was_thawed_by_hand,
    a_hook_that_fails_is_told, the_manifest_says_what_was_done,
    there_is_no_verdict_before_applications_are_let_go, some_of_them_can_be_frozen_alone,
    servers_are_found_and_the_hooks_for_them, freezes_are_told_as_events,
    while_frozen_no_more_is_accepted_than_that,
    where_the_ordinary_commands_are_blocked_so_are_these,
]
