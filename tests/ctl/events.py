# SPDX-License-Identifier: GPL-2.0-or-later
"""events: listed, and followed through gaps, restarts and to the end."""
import contextlib
import json
import os
import select
import signal
import subprocess
import time
from typing import Any, Callable, Dict, Iterator, List

from bench import FAILED, NO_ANSWER, PATIENCE, USAGE, Bench, Problem, expect, first, outcome, parsed
from fake import error, result
from lib.agent import Agent
from programs import is_ours

HEADINGS = ['TIME', 'EVENT', 'ID', 'DETAILS']
STARTED = {'number': 1, 'time-ns': 1_700_000_000_000_000_000, 'type': 'agent-started'}
EVENTS = [STARTED,
          {**STARTED, 'number': 2, 'type': 'frozen', 'id': 'a\x1b[2Jb', 'file-systems': 3},
          {**STARTED, 'number': 3, 'type': 'thawed'},
          {**STARTED, 'number': 4, 'type': 'job-status-change', 'id': 'j1', 'status': 'running'},
          {**STARTED, 'number': 5, 'type': 'job-status-change', 'id': 'j1', 'status': 'concluded',
           'outcome': 'success'},
          {**STARTED, 'number': 6, 'type': 'exec-ended', 'id': 'p1', 'pid': 70, 'exit-code': 3},
          {**STARTED, 'number': 7, 'type': 'exec-ended', 'id': 'p2', 'pid': 71, 'signal': 9}]


def answer(events: List[Dict[str, Any]], after: int, epoch: int = 5, lost: int = 0) -> bytes:
    return result({'epoch': epoch, 'next': after, 'lost': lost, 'events': events})


class Follower:
    """A novacronctl that follows."""

    def __init__(self, bench: Bench, address: str, *words: str):
        self.process = subprocess.Popen(
            [bench.client, '-c', address, 'events', '--follow', *words], cwd=bench.folder,
            env={**os.environ, 'TZ': 'UTC'}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.out = self.err = b''

    def __enter__(self) -> 'Follower':
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def read(self, seconds: float) -> None:
        assert self.process.stdout and self.process.stderr
        ready = select.select([self.process.stdout, self.process.stderr], [], [], seconds)[0]
        if self.process.stdout in ready:
            self.out += os.read(self.process.stdout.fileno(), 65536)
        if self.process.stderr in ready:
            self.err += os.read(self.process.stderr.fileno(), 65536)

    def shows(self, text: str) -> Problem:
        deadline = time.monotonic() + PATIENCE
        while text.encode() not in self.out + self.err:
            if self.process.poll() is not None or time.monotonic() > deadline:
                return f'{text!r} is not in {self.out!r} nor in {self.err!r}'
            self.read(0.1)
        return None

    def ends(self, number: int = signal.SIGINT) -> Problem:
        """At once, and well."""
        began = time.monotonic()
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE)
        self.out, self.err = self.out + out, self.err + err
        took = time.monotonic() - began
        return expect(self.process.returncode == 0 and took < 3,
                      f'status {self.process.returncode} after {took:.1f} s: {self.err!r}')


@contextlib.contextmanager
def own_session(bench: Bench) -> Iterator[Agent]:
    """An agent with a session where waits are long, `folder`/session."""
    with Agent(bench.agent.program) as agent:
        configuration = agent.folder / 'conf'
        configuration.write_text('[novacron]\nareas=exec\n'
                                 f'sessions=unix-listen:{agent.folder}/session\n')
        agent.arguments = ['-c', str(configuration)]
        agent.start().connect().close()
        yield agent


def events_are_a_table(bench: Bench) -> Problem:
    asked: List[Dict[str, Any]] = []

    def read(arguments: Dict[str, Any]) -> bytes:
        asked.append(arguments)
        return answer(EVENTS, 7, lost=4)

    with bench.fake({'novacron-event-read': read}):
        done = bench.run_fake('events', '--types', 'frozen,agent-started')
        few = bench.run_fake('events', '-o', 'details,event')
        told = parsed(bench.run_fake('events', '--json')) or {}
    rows = [line.split(None, 3) for line in done.stdout.decode().splitlines()]
    wanted = [['agent-started', '-', '-'], ['frozen', 'a?[2Jb', '3 file systems'],
              ['thawed', '-', '-'], ['job-status-change', 'j1', 'running'],
              ['job-status-change', 'j1', 'success'], ['exec-ended', 'p1', 'pid 70, exit status 3'],
              ['exec-ended', 'p2', 'pid 71, signal 9']]
    found = [[*row[2:3], *row[3].split(None, 1)] for row in rows[1:]]
    return first(outcome(done, 0, says='4 events before these are no longer kept'),
                 expect(rows[0] == HEADINGS and found == wanted, f'{rows}'),
                 expect(few.stdout.splitlines()[0].split() == [b'DETAILS', b'EVENT'],
                        repr(few.stdout)),
                 expect(told.get('events') == EVENTS and told['lost'] == 4, f'{told}'),
                 expect(asked[0].get('types') == ['frozen', 'agent-started'] and
                        'types' not in asked[1], f'{asked}'))


def wrong_types_are_refused(bench: Bench) -> Problem:
    with bench.fake({}):
        return outcome(bench.run_fake('events', '--types', 'frozen,nonsense'), USAGE, b'',
                       says="no events 'nonsense'")


def events_need_their_command(bench: Bench) -> Problem:
    known = {'novacron-event-read': lambda _: error('CommandNotFound', 'no'),
             'guest-info': lambda _: result({'version': '8.0', 'supported_commands': []})}
    with bench.fake(known):
        return first(*(outcome(bench.run_fake('events', *words), FAILED, says='NovaCron')
                       for words in ((), ('--follow',))))


def what_happens_is_shown_at_once(bench: Bench) -> Problem:
    if not is_ours(bench):
        return None
    with own_session(bench) as agent, Follower(bench, f'{agent.folder}/session') as follower:
        problem = follower.shows('agent-started')
        with agent.connect() as client:
            began = time.monotonic()
            program = client.call('novacron-exec-start', argv=['sh', '-c', 'exit 7'])
            problem = problem or follower.shows(f'pid {program["pid"]}, exit status 7')
            took = time.monotonic() - began
        problem = problem or follower.ends()
        with agent.connect(agent.folder / 'session') as after:
            left = after.ask(b'{"execute": "guest-ping"}\n')
    lines = follower.out.decode().splitlines()
    columns = {line.index(word) for line, word in zip(lines, ('EVENT', 'agent-', 'exec-', 'exec-'))}
    return first(problem, expect(took < 5, f'{took:.1f} s'),
                 expect(len(lines) == 4 and len(columns) == 1, f'{lines}'),
                 expect(follower.err == b'', repr(follower.err)),
                 expect(left == b'{"return": {}}\n', f'left for the next one: {left!r}'))


def on_the_shared_channel_it_leaves_room(bench: Bench) -> Problem:
    if not is_ours(bench):
        return None
    with own_session(bench) as agent, \
            Follower(bench, str(agent.socket), '--types', 'exec-started') as follower:
        problem = follower.shows('TIME')
        with agent.connect(agent.folder / 'session') as client:
            program = client.call('novacron-exec-start', argv=['true'])
        problem = problem or follower.shows(f'pid {program["pid"]}\n') or \
            follower.ends(signal.SIGTERM)
        return problem or expect(len(follower.out.splitlines()) == 2, repr(follower.out))


def a_restart_is_survived_and_said(bench: Bench) -> Problem:
    if not is_ours(bench):
        return None
    with own_session(bench) as agent, Follower(bench, f'{agent.folder}/session') as follower:
        problem = follower.shows('agent-started')
        assert agent.process
        agent.process.kill()
        agent.process.wait()
        problem = problem or follower.shows('waiting for the agent')
        agent.start()
        problem = problem or follower.shows('the agent was restarted')
        with agent.connect() as client:
            program = client.call('novacron-exec-start', argv=['true'])
        problem = problem or follower.shows(f'pid {program["pid"]}\n') or follower.ends()
    return first(problem, expect(follower.out.count(b'agent-started') == 2, repr(follower.out)),
                 expect(follower.err.count(b'waiting') == 1, repr(follower.err)))


def one_that_never_comes_back_can_be_left(bench: Bench) -> Problem:
    with bench.fake({'novacron-event-read': lambda _: answer(EVENTS, 7)}) as agent:
        follower = Follower(bench, str(agent.path))
        with follower:
            problem = follower.shows('signal 9')
            agent.answers['novacron-event-read'] = lambda _: b'nonsense\n'
            return problem or follower.shows('waiting for the agent') or follower.ends()


def gaps_and_new_epochs_are_told_as_json(bench: Bench) -> Problem:
    """Of an agent on a channel that does not break when it is restarted."""
    asked: List[int] = []
    script = [answer([STARTED], 1), answer([], 1), answer(EVENTS[5:], 60, lost=50),
              answer(EVENTS[5:], 62, epoch=6), answer([STARTED], 1, epoch=6)]

    def read(arguments: Dict[str, Any]) -> bytes:
        asked.append(arguments.get('after', 0))
        return script[len(asked) - 1] if len(asked) <= len(script) else answer([], 1, epoch=6)

    with bench.fake({'novacron-event-read': read}) as agent:
        with Follower(bench, str(agent.path), '--json') as follower:
            problem = follower.shows('the agent was restarted') or follower.shows('"epoch": 6')
            problem = problem or follower.ends()
    lines = [json.loads(line) for line in follower.out.splitlines()]
    return first(problem, expect(asked[:5] == [0, 1, 1, 60, 0], f'{asked}'),
                 expect([(line['epoch'], line['lost'], len(line['events'])) for line in lines] ==
                        [(5, 0, 1), (5, 50, 2), (6, 0, 1)], f'{lines}'))


def nobody_there_is_no_restart(bench: Bench) -> Problem:
    return outcome(bench.run('events', '--follow', address=str(bench.folder / 'nowhere')),
                   NO_ANSWER, b'', says='cannot connect')


TESTS: List[Callable[[Bench], Problem]] = [
    events_are_a_table, wrong_types_are_refused, events_need_their_command,
    what_happens_is_shown_at_once, on_the_shared_channel_it_leaves_room,
    a_restart_is_survived_and_said, one_that_never_comes_back_can_be_left,
    gaps_and_new_epochs_are_told_as_json, nobody_there_is_no_restart,
]
