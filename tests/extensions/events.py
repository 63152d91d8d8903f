# SPDX-License-Identifier: GPL-2.0-or-later
"""novacron-event-read: what is told, in which order, to whom, and when a wait ends."""
import contextlib
import json
import signal
import time
from typing import Any, Dict, Iterator, List, Sequence

from lib.agent import Agent
from lib.check import PING, PONG, Check, expect
from lib.connection import Connection
from lib.process import wait_until

Answer = Dict[str, Any]
RING = 256


@contextlib.contextmanager
def events(check: Check, *options: str) -> Iterator[Agent]:
    agent = check.prepare()
    configuration = agent.folder / 'agent.conf'
    configuration.write_text('[novacron]\nareas=exec;file\n'
                             f'data-directory={agent.folder}/data\n'
                             f'sessions=unix-listen:{agent.folder}/session\n')
    agent.arguments = ['-c', str(configuration), *options]
    yield agent.start()


@contextlib.contextmanager
def both(agent: Agent) -> Iterator[Sequence[Connection]]:
    """The shared channel, and one where a wait may be long."""
    session = agent.folder / 'session'
    with agent.connect() as shared:
        expect(wait_until(session.exists), 'no session')
        with agent.connect(session) as own:
            yield shared, own


def read(client: Connection, **arguments: Any) -> Answer:
    answer = client.call('novacron-event-read', **arguments)
    assert isinstance(answer, dict)
    return answer


def types(answer: Answer) -> List[str]:
    return [event['type'] for event in answer['events']]


def run_program(client: Connection, *argv: str) -> Answer:
    program = client.call('novacron-exec-start', argv=list(argv))
    assert isinstance(program, dict)
    return program


def flood(client: Connection, count: int) -> None:
    """Two of a program that is killed as it is closed."""
    for _ in range((count + 1) // 2):
        client.call('novacron-exec-close', id=run_program(client, 'sleep', '1000')['id'])


def waiting(**arguments: Any) -> bytes:
    arguments = {name.replace('_', '-'): value for name, value in arguments.items()}
    return json.dumps({'execute': 'novacron-event-read', 'arguments': arguments}).encode() + b'\n'


def programs_and_jobs_leave_their_events(check: Check) -> None:
    with events(check) as agent, agent.connect() as client:
        program = run_program(client, 'sh', '-c', 'kill -9 $$')
        expect(wait_until(lambda: not client.rows('novacron-exec-list')[0]['running']), 'no end')
        client.call('novacron-exec-close', id=program['id'])
        (agent.files / 'folder').mkdir()
        job = client.call('novacron-file-remove-tree', path=str(agent.files / 'folder'))
        expect(wait_until(lambda: client.rows('novacron-job-query')[0]['status'] ==
                          'concluded'), 'no end')
        told = read(client)['events']
        expect([event['number'] for event in told] == list(range(1, len(told) + 1)), f'{told}')
        for event in told:
            expect(abs(event.pop('time-ns') / 1e9 - time.time()) < 60, 'the time')
            del event['number']
        name = {'id': program['id'], 'pid': program['pid']}
        change = {'type': 'job-status-change', 'id': job['id']}
        expect(told == [{'type': 'agent-started'},
                        {'type': 'exec-started', **name},
                        {'type': 'exec-ended', 'signal': 9, **name},
                        {'type': 'exec-closed', **name},
                        {**change, 'status': 'created'},
                        {**change, 'status': 'running'},
                        {**change, 'status': 'pending-finalize'},
                        {**change, 'status': 'concluded', 'outcome': 'success'}], f'{told}')


def a_reader_that_is_late_is_told_what_it_has_missed(check: Check) -> None:
    with events(check) as agent, agent.connect() as client:
        flood(client, RING + 44)
        answer = read(client, after=1)
        numbers = [event['number'] for event in answer['events']]
        expect(numbers == list(range(46, RING + 46)), f'{numbers}')
        expect(answer['lost'] == 44 and answer['next'] == RING + 45, f'{answer["lost"]}')
        expect(read(client, after=45)['lost'] == 0, 'lost what is there')
        expect(len(json.dumps(answer)) < 65536, 'more than a page')


def pages_go_on_where_the_last_one_ended(check: Check) -> None:
    with events(check) as agent, agent.connect() as client:
        flood(client, 98)
        whole = read(client)['events']
        told: List[Answer] = []
        after = pages = 0
        while True:
            line = client.ask(waiting(after=after, max_bytes=2000))
            expect(len(line) <= 2000 + 32, f'{len(line)} bytes')
            answer = json.loads(line)['return']
            if not answer['events']:
                break
            told += answer['events']
            after = answer['next']
            pages += 1
        expect(told == whole and len(told) == 99 and 5 < pages < 20, f'{len(told)}, {pages}')


def a_wait_ends_with_the_event_it_waits_for(check: Check) -> None:
    with events(check) as agent, both(agent) as (shared, own):
        began = time.monotonic()
        own.send(waiting(after=1, types=['exec-ended'], wait_ms=25000))
        program = run_program(shared, 'sleep', '0.2')
        answer = json.loads(own.read_line(20))['return']
        expect(types(answer) == ['exec-ended'], f'{answer}')
        expect(answer['events'][0]['pid'] == program['pid'], f'{answer}')
        expect(0.1 < time.monotonic() - began < 15, 'at another time')


def another_request_ends_a_wait(check: Check) -> None:
    with events(check) as agent, both(agent) as (_, own):
        began = time.monotonic()
        own.send(waiting(after=1, wait_ms=25000) + PING)
        expect(json.loads(own.read_line(10))['return']['events'] == [], 'events')
        expect(own.read_line(10) == PONG, 'no pong')
        expect(time.monotonic() - began < 5, 'the wait went on')


def on_the_shared_channel_no_wait_is_long(check: Check) -> None:
    with events(check) as agent, both(agent) as (shared, _):
        began = time.monotonic()
        expect(read(shared, after=1, wait_ms=25000)['events'] == [], 'events')
        expect(0.2 < time.monotonic() - began < 5, f'{time.monotonic() - began} s')


def nothing_is_sent_unasked(check: Check) -> None:
    with events(check) as agent, both(agent) as (shared, own):
        read(own)
        flood(shared, 20)
        expect(own.read_exactly(1, 0.3) == b'', 'a line that nobody asked for')


def after_a_restart_the_epoch_is_another(check: Check) -> None:
    with events(check) as agent:
        with agent.connect() as client:
            flood(client, 10)
            before = read(client)
            expect(before['epoch'] == client.call('novacron-info')['started-ns'], 'the epoch')
        assert agent.process
        agent.process.send_signal(signal.SIGKILL)
        agent.process.wait()
        agent.start()
        with agent.connect() as client:
            after = read(client, after=before['next'], wait_ms=200)
            expect(after['epoch'] > before['epoch'], 'the same epoch')
            expect(types(after) == ['agent-started'] and after['next'] == 1, f'{after}')


def frozen_it_is_answered(check: Check) -> None:
    with events(check) as agent:
        agent.stop()
        marker = agent.state / 'qga.state.isfrozen'
        marker.touch()          # of a former agent; no file system is frozen
        agent.start()
        with agent.connect() as client:
            expect('error' in client.answer('novacron-exec-list'), 'it is not frozen')
            expect(types(read(client, wait_ms=200)) == ['agent-started'], 'no answer')


def what_is_blocked_is_not_told_as_an_event(check: Check) -> None:
    """The names of upstream's commands and our own, each with the types that it takes along."""
    program = {'exec-started', 'exec-ended', 'exec-closed'}
    freeze = {'frozen', 'thawed', 'freeze-expired'}
    for name, hidden in (('guest-exec-status', program), ('novacron-exec-list', program),
                         ('novacron-job-query', {'job-status-change'}),
                         ('guest-fsfreeze-status', freeze), ('novacron-quiesce-status', freeze)):
        with events(check, f'--block-rpcs={name}') as agent, agent.connect() as client:
            for kind in sorted(program | freeze | {'job-status-change', 'agent-started'}):
                answer = client.answer('novacron-event-read', types=[kind])
                refused = answer.get('error', {}).get('desc', '').startswith('permission: ')
                expect(refused == (kind in hidden), f'{kind} with {name} blocked: {answer}')
            run_program(client, 'true')
            told = types(read(client))
            expect(('exec-started' in told) == ('exec-started' not in hidden), f'{name}: {told}')


CHECKS = [programs_and_jobs_leave_their_events, a_reader_that_is_late_is_told_what_it_has_missed,
          pages_go_on_where_the_last_one_ended, a_wait_ends_with_the_event_it_waits_for,
          another_request_ends_a_wait, on_the_shared_channel_no_wait_is_long,
          nothing_is_sent_unasked, after_a_restart_the_epoch_is_another, frozen_it_is_answered,
          what_is_blocked_is_not_told_as_an_event]
