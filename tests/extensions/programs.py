# SPDX-License-Identifier: GPL-2.0-or-later
"""novacron-exec-*: streams, terminals, users, ends."""
import base64
import contextlib
import grp
import hashlib
import os
import pwd
import subprocess
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

from lib.agent import Agent
from lib.check import PING, PONG, Check, Skip, expect
from lib.connection import Connection
from lib.process import wait_until

Answer = Dict[str, Any]
NOBODY = 65534


def refusal(client: Connection, command: str, **arguments: Any) -> str:
    """The text with which a command is refused."""
    answer = client.answer(command, **arguments)
    expect('error' in answer, f'{command} answers {answer}')
    return str(answer['error']['desc'])


@contextlib.contextmanager
def programs(check: Check, sessions: int = 0) -> Iterator[Tuple[Connection, Agent]]:
    agent = check.prepare()
    configuration = agent.folder / 'agent.conf'
    more = ';'.join(f'unix-listen:{agent.folder}/session-{n}' for n in range(sessions))
    configuration.write_text(f'[novacron]\nareas=exec\nsessions={more}\n')
    agent.arguments = ['-c', str(configuration)]
    agent.start()
    with agent.connect() as client:
        yield client, agent


def start(client: Connection, *argv: str, **more: Any) -> Answer:
    return client.call('novacron-exec-start', argv=list(argv), **more)


def shell(client: Connection, script: str, **more: Any) -> Answer:
    return start(client, '/bin/sh', '-c', script, **more)


def waiting_read(program: Answer) -> bytes:
    return (b'{"execute": "novacron-exec-read", "arguments": {"id": "%s", "wait-ms": 20000}}\n'
            % program['id'].encode())


class Reader:
    """Follows a program to the end of its streams."""

    def __init__(self, client: Connection, program: Answer):
        self.client = client
        self.id = program['id']
        self.bytes = {'out': b'', 'err': b''}
        self.offsets = {'out': 0, 'err': 0}
        self.lost = {'out': 0, 'err': 0}
        self.exec: Answer = program
        self.over = False

    def once(self, wait_ms: int = 200, max_bytes: int = 65536) -> None:
        answer = self.client.call('novacron-exec-read', id=self.id, **{
            'out-offset': self.offsets['out'], 'err-offset': self.offsets['err'],
            'wait-ms': wait_ms, 'max-bytes': max_bytes})
        ends = []
        for name in ('out', 'err'):
            piece = answer.get(name)
            if piece is None:
                continue
            data = base64.b64decode(piece['buf-b64'])
            expect(piece['offset'] == self.offsets[name] + piece['lost-bytes'], f'{piece}')
            self.bytes[name] += data
            self.lost[name] += piece['lost-bytes']
            self.offsets[name] = piece['offset'] + len(data)
            ends.append(piece['eof'])
        self.exec = answer['exec']
        self.over = all(ends) and not self.exec['running']

    def to_the_end(self, seconds: float = 30) -> 'Reader':
        until = time.monotonic() + seconds
        while not self.over:
            expect(time.monotonic() < until, f'no end: {self.exec}, {self.offsets}')
            self.once()
        return self

    def until(self, text: bytes, seconds: float = 20) -> 'Reader':
        until = time.monotonic() + seconds
        while text not in self.bytes['out']:
            expect(time.monotonic() < until and not self.over, f'no {text!r}: {self.bytes}')
            self.once()
        return self


def outcome(client: Connection, script: str, **more: Any) -> Reader:
    return Reader(client, shell(client, script, **more)).to_the_end()


def both_streams_and_the_exit_code_arrive(check: Check) -> None:
    with programs(check) as (client, _):
        reader = outcome(client, 'echo out; echo err >&2; exit 7')
        expect(reader.bytes == {'out': b'out\n', 'err': b'err\n'}, f'{reader.bytes}')
        expect(reader.exec['exit-code'] == 7 and 'signal' not in reader.exec, f'{reader.exec}')


def an_end_by_a_signal_is_told(check: Check) -> None:
    with programs(check) as (client, _):
        expect(outcome(client, 'kill -9 $$').exec['signal'] == 9, 'no signal')


def output_can_be_read_again_from_any_offset(check: Check) -> None:
    with programs(check) as (client, _):
        program = shell(client, 'seq 10000')
        first = Reader(client, program).to_the_end()
        again = Reader(client, program)
        again.offsets['out'] = 1000
        again.to_the_end()
        expect(first.bytes['out'][1000:] == again.bytes['out'], 'another text')
        expect(again.lost['out'] == 0, 'something was lost')


def what_is_dropped_is_told(check: Check) -> None:
    with programs(check) as (client, _):
        program = shell(client, 'seq 100000', output_bytes=4096)
        expect(wait_until(lambda: not client.rows('novacron-exec-list')[0]['running']), 'no end')
        reader = Reader(client, program).to_the_end()
        whole = ''.join(f'{n}\n' for n in range(1, 100001)).encode()
        expect(reader.bytes['out'] == whole[-4096:], f'{reader.bytes["out"][:40]!r}')
        expect(reader.lost['out'] == len(whole) - 4096, f'{reader.lost}')


def a_program_that_is_held_loses_nothing(check: Check) -> None:
    with programs(check) as (client, _):
        data = os.urandom(3 << 20)
        source = Path(check.agents[0].folder) / 'data'
        source.write_bytes(data)
        program = start(client, 'cat', str(source), overflow='hold', output_bytes=65536)
        time.sleep(0.3)
        expect(client.rows('novacron-exec-list')[0]['running'], 'it was not held')
        reader = Reader(client, program).to_the_end()
        expect(hashlib.sha256(reader.bytes['out']).digest() == hashlib.sha256(data).digest(),
               f'{len(reader.bytes["out"])} bytes, others')


def a_read_waits_for_news_and_no_longer(check: Check) -> None:
    with programs(check) as (client, _):
        reader = Reader(client, shell(client, 'sleep 0.1; echo news; sleep 100'))
        began = time.monotonic()
        reader.once(wait_ms=100000)         # capped on this channel
        if not reader.bytes['out']:
            reader.once(wait_ms=100000)
        expect(reader.bytes['out'] == b'news\n', f'{reader.bytes}')
        expect(time.monotonic() - began < 5, 'it waited on')
        began = time.monotonic()
        reader.once(wait_ms=100000)
        expect(0.2 < time.monotonic() - began < 5, f'{time.monotonic() - began} s')
        client.call('novacron-exec-close', id=reader.id)


def another_request_ends_a_wait(check: Check) -> None:
    with programs(check, 1) as (_, agent):
        path = agent.folder / 'session-0'
        expect(wait_until(path.exists), 'no session')
        with agent.connect(path) as client:
            program = shell(client, 'sleep 100')
            began = time.monotonic()
            client.send(waiting_read(program) + PING)
            client.read_line(10)
            expect(client.read_line(10) == PONG, 'no pong')
            expect(time.monotonic() - began < 5, 'the wait went on')
            client.call('novacron-exec-close', id=program['id'])


def input_arrives_and_ends(check: Check) -> None:
    with programs(check) as (client, _):
        program = start(client, 'sha256sum', input=True)
        data = os.urandom(1 << 20)
        sent = 0
        while sent < len(data):
            piece = data[sent:sent + 100000]
            answer = client.call('novacron-exec-write', id=program['id'],
                                 **{'buf-b64': base64.b64encode(piece).decode(),
                                    'eof': sent + len(piece) == len(data)})
            sent += answer['accepted-bytes']
            expect(not answer['closed'], 'closed')
        reader = Reader(client, program).to_the_end()
        expect(reader.bytes['out'].startswith(hashlib.sha256(data).hexdigest().encode()),
               f'{reader.bytes}')


def a_program_that_does_not_read_takes_only_what_fits(check: Check) -> None:
    with programs(check) as (client, _):
        program = shell(client, 'sleep 100', input=True)
        text = base64.b64encode(bytes(200000)).decode()
        taken = [client.call('novacron-exec-write', id=program['id'],
                             **{'buf-b64': text})['accepted-bytes'] for _ in range(3)]
        expect(0 < sum(taken) < 200000 and taken[-1] == 0, f'{taken}')
        client.call('novacron-exec-close', id=program['id'])


def a_terminal_has_a_size_and_takes_input(check: Check) -> None:
    with programs(check) as (client, _):
        program = start(client, 'sh', terminal={'columns': 91, 'rows': 33})
        reader = Reader(client, program)

        def type_in(text: str) -> None:
            client.call('novacron-exec-write', id=program['id'],
                        **{'buf-b64': base64.b64encode(text.encode()).decode()})
        type_in('stty size; tty\n')
        reader.until(b'33 91').until(b'/dev/pts/')
        client.call('novacron-exec-resize', id=program['id'], columns=44, rows=12)
        type_in('stty size\n')
        reader.until(b'12 44')
        type_in('exit 5\n')
        reader.to_the_end()
        expect(reader.exec['exit-code'] == 5, f'{reader.exec}')


def every_refusal_begins_with_a_word(check: Check) -> None:
    with programs(check) as (client, _):
        plain = outcome(client, ':', input=True).id
        ended = outcome(client, ':', terminal={'columns': 80, 'rows': 24}).id
        for command, arguments, word in (
                ('write', {'id': plain, 'buf-b64': '!!'}, 'bad-value: '),
                ('write', {'id': 'none', 'buf-b64': ''}, 'not-found: '),
                ('resize', {'id': plain, 'columns': 1, 'rows': 1}, 'unsupported: '),
                ('resize', {'id': ended, 'columns': 1, 'rows': 1}, 'not-found: ')):
            text = refusal(client, 'novacron-exec-' + command, **arguments)
            expect(text.startswith(word), f'{command} {arguments}: {text}')


def a_signal_reaches_the_whole_group(check: Check) -> None:
    with programs(check) as (client, _):
        program = shell(client, 'sleep 1000 & echo $!; wait')
        reader = Reader(client, program).until(b'\n')
        child = int(reader.bytes['out'])
        client.call('novacron-exec-signal', id=program['id'], signal='TERM')
        expect(reader.to_the_end().exec['signal'] == 15, f'{reader.exec}')
        expect(wait_until(lambda: not Path(f'/proc/{child}').exists()), 'its child lives')
        expect(refusal(client, 'novacron-exec-signal', id=program['id'], signal='TERM')
               .startswith('not-found: '), 'signalled after its end')
        expect(refusal(client, 'novacron-exec-signal', id=program['id'], signal='NIX')
               .startswith('bad-value: '), 'an unknown signal')


def time_that_is_over_ends_it(check: Check) -> None:
    with programs(check) as (client, _):
        reader = outcome(client, 'sleep 100', timeout_ms=200)
        expect(reader.exec['timed-out'] and reader.exec['signal'] == 15, f'{reader.exec}')
        stubborn = outcome(client, 'trap "" TERM; while :; do sleep 0.1; done', timeout_ms=200)
        expect(stubborn.exec['timed-out'] and stubborn.exec['signal'] == 9, f'{stubborn.exec}')


def those_of_its_group_that_do_not_end_are_killed(check: Check) -> None:
    with programs(check) as (client, _):
        script = '(trap "" TERM; while :; do sleep 0.1; done) & wait'
        reader = outcome(client, script, timeout_ms=200)
        expect(reader.exec['timed-out'] and reader.exec['signal'] == 15, f'{reader.exec}')
        program = shell(client, script, timeout_ms=200)
        expect(wait_until(lambda: not client.call('novacron-exec-read', id=program['id'])['exec']
                          ['running']), 'it runs')
        client.call('novacron-exec-close', id=program['id'])
        expect(wait_until(lambda: not members(program['pid']), 3), 'closed, its group lives')


def members(group: int) -> List[str]:
    """Processes of that group which run."""
    listing = subprocess.run(['ps', '-e', '-o', 'pgid=,stat=,pid='], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
    rows = [line.split() for line in listing.splitlines()]
    return [pid for pgid, state, pid in rows if int(pgid) == group and state[0] != 'Z']


def it_starts_where_and_as_whom_it_is_told(check: Check) -> None:
    with programs(check) as (client, agent):
        reader = outcome(client, 'pwd; echo $A-$HOME', directory=str(agent.files),
                         environment=['A=b', 'PATH=/bin:/usr/bin'])
        expect(reader.bytes['out'] == f'{agent.files}\nb-\n'.encode(), f'{reader.bytes}')
        if os.geteuid() == 0:
            reader = outcome(client, 'id -u; id -G; echo $USER', user='nobody')
            lines = reader.bytes['out'].decode().split('\n')
            expect(lines[0] == str(NOBODY) and '0' not in lines[1].split() and
                   lines[2] == 'nobody', f'{lines}')
            expect(refusal(client, 'novacron-exec-start', argv=['true'], user='no such user')
                   .startswith('not-found: '), 'an unknown user')


def it_has_the_group_that_it_is_told(check: Check) -> None:
    if os.geteuid() != 0:
        raise Skip('only root changes groups')
    group = next(each for each in grp.getgrall() if each.gr_gid not in (0, *groups_of('nobody')))
    for name in (group.gr_name, str(group.gr_gid)):
        with programs(check) as (client, _):
            def ids(**rights: str) -> List[List[str]]:
                lines = outcome(client, 'id -u; id -g; id -G; id -un', **rights).bytes['out']
                return [line.split() for line in lines.decode().splitlines()]
            told = str(group.gr_gid)
            expect(ids(group=name) == [['0'], [told], [told], ['root']], f'{ids(group=name)}')
            for user in ('nobody', str(NOBODY)):
                got = ids(user=user, group=name)
                expect([got[0], got[1], got[3]] == [[str(NOBODY)], [told], ['nobody']] and
                       {*got[2]} == {told, *map(str, groups_of('nobody'))}, f'{got}')
    with programs(check) as (client, _):
        for rights in ({'group': 'no such group'}, {'group': '4294967294'},
                       {'user': '4294967294'}, {'group': '-1'}, {'user': '4294967295'}):
            text = refusal(client, 'novacron-exec-start', argv=['true'], **rights)
            what, name = next(iter(rights.items()))
            expect(text == f"not-found: there is no {what} '{name}'", text)


def groups_of(user: str) -> List[int]:
    return os.getgrouplist(user, pwd.getpwnam(user).pw_gid)


def what_cannot_start_is_told(check: Check) -> None:
    with programs(check) as (client, agent):
        def text(*argv: str, **more: Any) -> str:
            return refusal(client, 'novacron-exec-start', argv=list(argv), **more)
        expect(text('/no/such') == "not-found: cannot execute '/no/such': "
               'No such file or directory', text('/no/such'))
        (agent.files / 'text').write_text('not a program')
        plain = str(agent.files / 'text')
        expect(text(plain).startswith('permission: '), text(plain))
        expect(text().startswith('bad-value: '), 'nothing to start')
        expect(text('true', directory='/no/such').startswith('not-found: cannot enter'),
               'a directory')
        expect(client.rows('novacron-exec-list') == [], 'something is listed')


def the_same_request_is_carried_out_once(check: Check) -> None:
    with programs(check) as (client, agent):
        mark = agent.files / 'mark'
        first = shell(client, f'echo x >> {mark}', request_id='mine')
        expect(wait_until(mark.exists), 'not run')
        second = shell(client, f'echo x >> {mark}', request_id='mine')
        expect(first['id'] == second['id'], f'{first} {second}')
        time.sleep(0.1)
        expect(mark.read_text() == 'x\n', mark.read_text())


def a_program_outlives_its_client_and_the_agent(check: Check) -> None:
    with programs(check) as (client, agent):
        mark = agent.files / 'mark'
        program = shell(client, f'sleep 0.6; echo done > {mark}')
        client.close()
        with agent.connect() as other:
            expect([each['id'] for each in other.rows('novacron-exec-list')] == [program['id']],
                   'it is not listed')
        agent.stop()
        expect(wait_until(lambda: mark.exists() and mark.read_text() == 'done\n'), 'it has ended')


def no_name_is_given_twice(check: Check) -> None:
    """Not by agents that follow each other within a second either."""
    with programs(check) as (client, agent):
        ids = [start(client, 'true')['id']]
        for _ in range(4):
            agent.stop()
            agent.start()
            with agent.connect() as next_client:
                ids += [start(next_client, 'true')['id'] for _ in range(2)]
        expect(len(set(ids)) == len(ids), f'{ids}')


def closing_kills_and_tells_those_who_wait(check: Check) -> None:
    with programs(check, 1) as (client, agent):
        path = agent.folder / 'session-0'
        expect(wait_until(path.exists), 'no session')
        program = shell(client, 'sleep 1000')
        with agent.connect(path) as other:
            other.send(waiting_read(program))
            time.sleep(0.1)
            client.call('novacron-exec-close', id=program['id'])
            expect(b'was closed' in other.read_line(10), 'the reader was not told')
        expect(wait_until(lambda: not Path(f'/proc/{program["pid"]}').exists()), 'it lives')
        expect(refusal(client, 'novacron-exec-read', id=program['id']).startswith('not-found: '),
               'it is still there')


def no_more_run_than_the_room_allows(check: Check) -> None:
    with programs(check) as (client, _):
        ids: List[str] = []
        text: Optional[str] = None
        while text is None:
            answer = client.answer('novacron-exec-start', argv=['sleep', '1000'],
                                   **{'output-bytes': 16 << 20})
            if 'error' in answer:
                text = answer['error']['desc']
            else:
                ids.append(answer['return']['id'])
        expect(text.startswith('busy: ') and len(ids) == 8, f'{len(ids)}: {text}')
        for each in ids:
            client.call('novacron-exec-close', id=each)
        client.call('novacron-exec-close', id=shell(client, 'sleep 1000')['id'])


def the_first_to_have_ended_is_forgotten_first(check: Check) -> None:
    with programs(check) as (client, _):
        long = shell(client, 'read line', input=True)
        others = [outcome(client, ':').id for _ in range(64)]
        client.call('novacron-exec-write', id=long['id'], eof=True, **{'buf-b64': ''})
        Reader(client, long).to_the_end()
        left = {each['id'] for each in client.rows('novacron-exec-list')}
        expect(left == {long['id'], *others[1:]}, f'{len(left)}: {long["id"]}, {others[:2]}')


def what_nobody_comes_for_gives_way(check: Check) -> None:
    with programs(check) as (client, _):
        ids = [outcome(client, ':', **{'output-bytes': 16 << 20}).id for _ in range(9)]
        left = [each['id'] for each in client.rows('novacron-exec-list')]
        expect(left == ids[1:], f'{left} of {ids}')


def a_name_of_a_request_is_short(check: Check) -> None:
    with programs(check) as (client, _):
        start(client, 'true', request_id='x' * 256)
        text = refusal(client, 'novacron-exec-start', argv=['true'], **{'request-id': 'x' * 257})
        expect(text.startswith('bad-value: '), text)


def one_stream_may_take_what_the_other_leaves(check: Check) -> None:
    with programs(check) as (client, _):
        for stream, redirection in (('out', ''), ('err', '>&2')):
            program = outcome(client, f'printf 12345678 {redirection}').id
            for size in (1, 8):
                answer = client.call('novacron-exec-read', id=program, **{'max-bytes': size})
                got = base64.b64decode(answer[stream]['buf-b64'])
                expect(got == b'12345678'[:size], f'{stream}, {size} bytes: {got!r}')


def it_is_off_until_it_is_configured(check: Check) -> None:
    with check.start().connect() as client:
        expect('not allowed' in refusal(client, 'novacron-exec-start', argv=['true']), 'it is on')
    agent = check.prepare()
    configuration = agent.folder / 'agent.conf'
    configuration.write_text('[general]\nblock-rpcs=guest-exec\n[novacron]\nareas=exec\n')
    agent.arguments = ['-c', str(configuration)]
    with agent.start().connect() as client:
        expect('not allowed' in refusal(client, 'novacron-exec-start', argv=['true']),
               'it is on though guest-exec is blocked')


def limits_hold_where_there_are_control_groups(check: Check) -> None:
    with programs(check) as (client, _):
        answer = client.answer('novacron-exec-start', argv=['cat', '/proc/self/cgroup'],
                               limits={'processes': 20})
        if 'error' in answer:
            expect(answer['error']['desc'].startswith('unsupported: '), f'{answer}')
            raise Skip('no control groups that can be used: ' + answer['error']['desc'])
        reader = Reader(client, answer['return']).to_the_end()
        expect(b'0::/novacron/' in reader.bytes['out'], f'{reader.bytes}')
        client.call('novacron-exec-close', id=reader.id)
        expect(not Path(f'/sys/fs/cgroup/novacron/{reader.id}').exists(), 'the group is left')


CHECKS = [both_streams_and_the_exit_code_arrive, an_end_by_a_signal_is_told,
          output_can_be_read_again_from_any_offset, what_is_dropped_is_told,
          a_program_that_is_held_loses_nothing, a_read_waits_for_news_and_no_longer,
          another_request_ends_a_wait, input_arrives_and_ends,
          a_program_that_does_not_read_takes_only_what_fits,
          a_terminal_has_a_size_and_takes_input, every_refusal_begins_with_a_word,
          a_signal_reaches_the_whole_group,
          time_that_is_over_ends_it, those_of_its_group_that_do_not_end_are_killed,
          it_starts_where_and_as_whom_it_is_told, it_has_the_group_that_it_is_told,
          what_cannot_start_is_told,
          the_same_request_is_carried_out_once,
          a_program_outlives_its_client_and_the_agent, no_name_is_given_twice,
          closing_kills_and_tells_those_who_wait,
          no_more_run_than_the_room_allows, the_first_to_have_ended_is_forgotten_first,
          what_nobody_comes_for_gives_way, a_name_of_a_request_is_short,
          one_stream_may_take_what_the_other_leaves, it_is_off_until_it_is_configured,
          limits_hold_where_there_are_control_groups]
