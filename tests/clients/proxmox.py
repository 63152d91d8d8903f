# SPDX-License-Identifier: GPL-2.0-or-later
"""Proxmox VE: a connection for every command, which is sent in one piece with the
synchronisation before it."""
import base64
import itertools
import json
import os
import re
import time
from typing import Any, Optional, Tuple

from bench import Bench
from lib.agent import Agent
from lib.check import expect

FILE_WRITE_MAX = 60 * 1024
FILE_READ_CHUNK, FILE_READ_MAX = 1 << 20, 16 << 20
INPUT_MAX = 64 * 1024
TIMEOUT = 5.0               # of most commands
QUESTIONS = ('get-fsinfo', 'get-host-name', 'get-memory-block-info', 'get-memory-blocks',
             'get-osinfo', 'get-time', 'get-timezone', 'get-users', 'get-vcpus', 'info',
             'network-get-interfaces', 'ping', 'fsfreeze-status')
WITHOUT_ANSWER = ('guest-shutdown', 'guest-suspend-disk', 'guest-suspend-ram',
                  'guest-suspend-hybrid')


class Client:
    """Its ids grow, over all connections: the process, a zero, a counter."""

    def __init__(self, agent: Agent):
        self.agent = agent
        self.counter = itertools.count(1)

    def packet(self, command: str, **arguments: Any) -> Tuple[int, bytes]:
        number = int(f'{os.getpid()}0{next(self.counter)}')
        sync = {'execute': 'guest-sync-delimited', 'arguments': {'id': number}}
        request = {'execute': command, 'arguments': arguments}
        return number, (json.dumps(sync) + '\n' + json.dumps(request) + '\n').encode()

    def call(self, command: str, **arguments: Any) -> Any:
        """The members of the answer; nothing but the two lines may come."""
        number, packet = self.packet(command, **arguments)
        with self.agent.connect() as connection:
            connection.send(packet)
            sync = connection.read_line(TIMEOUT)
            expect(sync == b'\xff{"return": %d}\n' % number, f'{command}: first came {sync!r}')
            answer = connection.read_line(TIMEOUT)
        expect(answer.endswith(b'}\n'), f'{command}: then came {answer[:200]!r}')
        return json.loads(answer)

    def ask(self, command: str, **arguments: Any) -> Any:
        answer = self.call(command, **arguments)
        expect('return' in answer, f'{command}: {answer}')
        return answer['return']

    def run(self, **arguments: Any) -> Any:
        pid = self.ask('guest-exec', **arguments)['pid']
        for _ in range(200):
            status = self.ask('guest-exec-status', pid=pid)
            if status['exited']:
                return status
            time.sleep(0.05)
        raise AssertionError(f'{arguments["path"]} does not end')


def newest(buffer: bytes, number: int) -> Optional[bytes]:
    """What Proxmox takes as the answer: two complete lines after the last 0xFF, unless the first
    is of an earlier request."""
    found = re.search(rb'\xff([^\xff]*\})\n([^\xff]*\})\n\Z', buffer)
    if not found or json.loads(found[1])['return'] < number:
        return None
    expect(json.loads(found[1])['return'] == number, 'an id from the future')
    return found[2]


def every_question_is_answered_on_a_connection_of_its_own(check: Bench) -> None:
    client = Client(check.start())
    there = {entry['name'] for entry in client.ask('guest-info')['supported_commands']}
    for name in QUESTIONS:
        if 'guest-' + name in there:
            client.ask('guest-' + name)


def handles_and_processes_outlive_the_connection(check: Bench) -> None:
    client = Client(check.start())
    handle = client.ask('guest-file-open', path='file', mode='w+')
    client.ask('guest-file-write', handle=handle, **{'buf-b64': base64.b64encode(b'0123').decode()})
    client.ask('guest-file-seek', handle=handle, offset=2, whence='set')
    read = client.ask('guest-file-read', handle=handle, count=10)
    expect(base64.b64decode(read['buf-b64']) == b'23' and read['eof'] is True, f'{read}')
    client.ask('guest-file-close', handle=handle)
    text = 'x' * INPUT_MAX
    status = client.run(path='cat', arg=[], **{
        'capture-output': True, 'input-data': base64.b64encode(text.encode()).decode()})
    expect(base64.b64decode(status['out-data']).decode() == text, 'input came back different')
    expect('err-data' not in status and status['exitcode'] == 0, 'a member too much')


def files_are_written_from_base64_with_line_breaks(check: Bench) -> None:
    agent = check.start()
    client = Client(agent)
    content = os.urandom(FILE_WRITE_MAX)
    text = base64.encodebytes(content).decode()     # 76 characters a line, and a final break
    expect(text.count('\n') > 1000 and text.endswith('\n'), 'no line breaks to be tested')
    handle = client.ask('guest-file-open', path='file', mode='wb')
    written = client.ask('guest-file-write', handle=handle, **{'buf-b64': text})
    expect(written['count'] == FILE_WRITE_MAX, f'{written}')
    client.ask('guest-file-close', handle=handle)
    expect((agent.files / 'file').read_bytes() == content, 'the file differs')


def files_are_read_in_large_pieces(check: Bench) -> None:
    agent = check.start()
    client = Client(agent)
    content = os.urandom(3 * FILE_READ_CHUNK + 5)
    (agent.files / 'file').write_bytes(content)
    handle = client.ask('guest-file-open', path='file')
    got = b''
    while len(got) < FILE_READ_MAX:
        piece = client.ask('guest-file-read', handle=handle, count=FILE_READ_CHUNK)
        expect('\n' not in piece['buf-b64'], 'base64 with line breaks')
        got += base64.b64decode(piece['buf-b64'], validate=True)
        if piece['eof']:
            break
    client.ask('guest-file-close', handle=handle)
    expect(got == content, 'what was read differs')


def answers_to_earlier_requests_can_be_told_apart(check: Bench) -> None:
    """A host that gave up finds the late answers before its own."""
    client = Client(check.start())
    _, late = client.packet('guest-get-osinfo')
    number, packet = client.packet('guest-ping')
    with client.agent.connect() as connection:
        connection.send(late + packet)
        buffer = b''
        while newest(buffer, number) is None:
            line = connection.read_line(TIMEOUT)
            expect(line.endswith(b'\n'), f'no answer in {buffer!r}')
            buffer += line
    expect(newest(buffer, number) == b'{"return": {}}', f'{buffer!r}')
    expect(buffer.count(b'\xff') == 2 and buffer.count(b'\n') == 4, f'{buffer!r}')


def errors_are_answered_like_anything_else(check: Bench) -> None:
    client = Client(check.start())
    error = client.call('guest-file-open', path='absent')['error']
    expect(error['class'] == 'GenericError' and 'No such file or directory' in error['desc'],
           f'{error}')
    expect(client.ask('guest-ping') == {}, 'the next command is not answered')


def a_password_is_set_from_base64_with_line_breaks(check: Bench) -> None:
    agent, world = check.start_in_world('chpasswd')
    password = 'p' * 100
    text = base64.encodebytes(password.encode()).decode()
    expect(text.count('\n') == 2, 'no line breaks to be tested')
    Client(agent).ask('guest-set-user-password', username='bob', password=text, crypted=False)
    expect(f'bob:{password}'.encode() in world.calls(), f'{world.calls()!r}')


def commands_that_end_the_guest_answer_the_sync_alone(check: Bench) -> None:
    agent, world = check.start_in_world('shutdown', 'pm-is-supported', 'pm-hibernate',
                                        'pm-suspend', 'pm-suspend-hybrid')
    client = Client(agent)
    for command in WITHOUT_ANSWER:
        number, packet = client.packet(command)
        with agent.connect() as connection:
            connection.send(packet)
            sync = connection.read_line(TIMEOUT)
            expect(sync == b'\xff{"return": %d}\n' % number, f'{command}: {sync!r}')
            more = connection.read_line(0.3)
            expect(not more, f'{command} is answered: {more!r}')
            if command == WITHOUT_ANSWER[-1]:
                agent.stop()            # as the end of the guest does
                expect(connection.read_to_end(TIMEOUT) == b'', f'{command} is answered')
    calls = re.findall(rb'^call "(.*?)"; streams', world.calls(), re.M)
    for name in ('shutdown', 'pm-hibernate', 'pm-suspend', 'pm-suspend-hybrid'):
        expect(any(name.encode() in call for call in calls), f'{name} did not run: {calls}')


CHECKS = [
    every_question_is_answered_on_a_connection_of_its_own,
    handles_and_processes_outlive_the_connection,
    files_are_written_from_base64_with_line_breaks,
    files_are_read_in_large_pieces,
    answers_to_earlier_requests_can_be_told_apart,
    errors_are_answered_like_anything_else,
    a_password_is_set_from_base64_with_line_breaks,
    commands_that_end_the_guest_answer_the_sync_alone,
]
