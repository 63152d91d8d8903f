# SPDX-License-Identifier: GPL-2.0-or-later
"""What an agent has to do in a real guest. A case returns what it measured, or raises.

The witness, not the agent, says what is true in the guest.
"""
import base64
import hashlib
import random
import shlex
import time
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, NamedTuple

from channel import Channel, request
from guest import AGENT_PORT, IDLE_PORT, SECOND_PORT, Guest
from witness import Agent, expect

SERIAL = '-t /run -m virtio-serial -p /dev/virtio-ports/'
SECOND_CONFIG = '[novacron]\nsessions=virtio-serial:/dev/virtio-ports/%s\n' % SECOND_PORT
ANY_PEER_CONFIG = '[novacron]\nvsock-any-peer=true\n'
ANY_CID, LOOPBACK_CID, VSOCK_PORT = 0xFFFFFFFF, 1, 1235


class Context(NamedTuple):
    guest: Guest
    rng: random.Random
    has_baseline: bool      # upstream's agent is in the guest too, as qemu-ga-baseline


@contextmanager
def running(guest: Guest, arguments: str = SERIAL + AGENT_PORT,
            config: str = '') -> Iterator[Agent]:
    """An agent that still runs at the end, and leaves with status 0 when told to."""
    guest.shell('printf %s > /etc/qemu/qemu-ga.conf' % shlex.quote(config.replace('\n', '\\n')))
    agent = guest.start('qemu-ga', arguments)
    try:
        yield agent
    finally:
        was_alive = guest.exit_status(agent, 0) is None
        status = guest.stop(agent)
        expect(was_alive, 'the agent left with %s: %s' % (status, guest.log(agent)))
    expect(status == 0, 'exit status %s after SIGTERM: %s' % (status, guest.log(agent)))


def wait_for_answer(path: str, seconds: float) -> float:
    """Seconds until an agent at the socket answers."""
    began = time.monotonic()
    while True:
        try:
            with Channel(path) as channel:
                channel.sync(patience=1)
                return time.monotonic() - began
        except TimeoutError:
            expect(time.monotonic() - began < seconds, 'no answer in %d s' % seconds)


def execute(channel: Channel, *command: str) -> Dict[str, Any]:
    pid = channel.call('guest-exec', path=command[0], arg=list(command[1:]),
                       capture_output=True)['pid']
    while True:
        status = channel.call('guest-exec-status', pid=pid)
        if status['exited']:
            return status
        time.sleep(0.02)


def answers_from_the_host(context: Context) -> str:
    guest = context.guest
    with running(guest), Channel(guest.socket('agent')) as channel:
        channel.sync()
        number = context.rng.randrange(1 << 60)
        expect(channel.call('guest-sync', id=number) == number, 'guest-sync')
        expect(channel.call('guest-ping') == {}, 'guest-ping')
        info = channel.call('guest-info')
        names = {command['name'] for command in info['supported_commands']}
        expect({'guest-ping', 'guest-info', 'guest-exec'} <= names, 'guest-info lists %s' % names)
        release = channel.call('guest-get-osinfo')['kernel-release']
        expect(release == guest.shell('uname -r'), 'guest-get-osinfo says ' + release)
        mark = '%x' % context.rng.getrandbits(64)
        status = execute(channel, '/bin/sh', '-c', 'echo %s | tee /tmp/mark; exit 3' % mark)
        expect(status['exitcode'] == 3, 'exit code %s' % status)
        expect(base64.b64decode(status['out-data']).decode() == mark + '\n', 'output of exec')
        expect(guest.shell('cat /tmp/mark') == mark, 'the program did not run in the guest')
        return 'version %s, %d commands' % (info['version'], len(names))


def files_arrive_unchanged(context: Context) -> str:
    guest, data = context.guest, context.rng.randbytes(1 << 20)
    with running(guest), Channel(guest.socket('agent')) as channel:
        channel.sync()
        channel.write_file('/tmp/copy', data)
        digest = guest.shell('sha256sum /tmp/copy').split()[0]
        expect(digest == hashlib.sha256(data).hexdigest(), 'written file differs')
        expect(channel.read_file('/tmp/copy') == data, 'read file differs')
    return '1 MiB there and back'


def reads_at_speed(context: Context) -> str:
    guest, size, rates = context.guest, 4 << 20, []
    guest.shell('head -c %d /dev/urandom > /tmp/random' % size)
    digest = guest.shell('sha256sum /tmp/random').split()[0]
    with running(guest), Channel(guest.socket('agent')) as channel:
        channel.sync()
        for chunk, unit in ((4 << 10, '4 KiB'), (64 << 10, '64 KiB'), (1 << 20, '1 MiB')):
            began = time.monotonic()
            data = channel.read_file('/tmp/random', chunk)
            elapsed = time.monotonic() - began
            expect(hashlib.sha256(data).hexdigest() == digest, 'wrong data in %s reads' % unit)
            rates.append('%.1f in %s' % (size / elapsed / 1e6, unit))
    return 'MB/s: %s reads' % ', '.join(rates)


def survives_clients_that_leave(context: Context) -> str:
    path, rounds = context.guest.socket('agent'), 40
    with running(context.guest):
        began = time.monotonic()
        for turn in range(rounds):
            with Channel(path) as channel:
                channel.sync()
                expect(channel.call('guest-ping') == {}, 'round %d' % turn)
                if turn % 2:
                    text = request('guest-get-osinfo')
                    channel.send(text[:context.rng.randrange(1, len(text))])
        return '%d rounds in %.2f s' % (rounds, time.monotonic() - began)


def answers_what_arrived_before_it_could_write(context: Context) -> str:
    """The request races the notice that the host is there; an answer must wait for the latter."""
    path, rounds, slowest = context.guest.socket('agent'), 100, 0.0
    with running(context.guest):
        wait_for_answer(path, 5)
        for turn in range(rounds):
            began = time.monotonic()
            with Channel(path) as channel:
                channel.send(request('guest-sync', id=turn))
                expect(channel.receive() == turn, 'round %d' % turn)
            slowest = max(slowest, time.monotonic() - began)
    return '%d rounds, slowest %.1f ms' % (rounds, slowest * 1000)


def waits_for_a_slow_reader_without_spinning(context: Context) -> str:
    guest, size = context.guest, 4 << 20
    guest.shell('head -c %d /dev/urandom > /tmp/random' % size)
    digest = guest.shell('sha256sum /tmp/random').split()[0]
    with running(guest) as agent, Channel(guest.socket('agent')) as channel:
        channel.sync()
        handle = channel.call('guest-file-open', path='/tmp/random', mode='r')
        channel.send(request('guest-file-read', handle=handle, count=size))
        time.sleep(0.5)         # the file is read and encoded
        before = guest.cpu_seconds(agent)
        time.sleep(2)
        spent = guest.cpu_seconds(agent) - before
        data = base64.b64decode(channel.receive()['buf-b64'], validate=True)
        expect(hashlib.sha256(data).hexdigest() == digest, 'wrong data')
        expect(spent <= 0.1, '%.2f CPU s while the reader slept for 2 s' % spent)
    return '%.2f CPU s in 2 s' % spent


def sleeps_while_the_host_is_away(context: Context) -> str:
    guest, seconds, results = context.guest, 5, []
    agents: List[Agent] = []
    with running(guest, config=SECOND_CONFIG) as agent:
        with Channel(guest.socket('agent')) as channel:
            channel.sync()
        agents.append(agent)
        if context.has_baseline:
            agents.append(guest.start('qemu-ga-baseline', SERIAL + IDLE_PORT))
        time.sleep(0.5)
        before = [guest.voluntary_switches(each) for each in agents]
        time.sleep(seconds)
        results = [guest.voluntary_switches(each) - old for each, old in zip(agents, before)]
        for each in agents[1:]:
            guest.stop(each)
    text = '%d wake-ups in %d s' % (results[0], seconds)
    text += ''.join(', upstream %d' % other for other in results[1:])
    expect(results[0] <= 2, text)
    return text


def a_second_session_is_not_delayed(context: Context) -> str:
    """The first session's answer lies unread while the second is served."""
    guest, worst = context.guest, 0.0
    guest.shell('head -c %d /dev/urandom > /tmp/random' % (4 << 20))
    with running(guest, config=SECOND_CONFIG), \
            Channel(guest.socket('agent')) as first, \
            Channel(guest.socket('second')) as second:
        first.sync()
        second.sync()
        handle = first.call('guest-file-open', path='/tmp/random', mode='r')
        first.send(request('guest-file-read', handle=handle, count=4 << 20))
        for _ in range(50):
            began = time.monotonic()
            expect(second.call('guest-ping') == {}, 'guest-ping on the second session')
            worst = max(worst, time.monotonic() - began)
        expect(first.receive()['count'] == 4 << 20, "the first session's answer")
    return 'slowest ping of 50: %.1f ms' % (worst * 1000)


def speaks_over_a_serial_line(context: Context) -> str:
    guest, data = context.guest, context.rng.randbytes(20000)
    with running(guest, '-t /run -m isa-serial -p /dev/ttyS1'):
        # what comes before the line is raw gets echoed or flushed: ask until it answers
        wait_for_answer(guest.socket('isa'), 10)
        with Channel(guest.socket('isa')) as channel:
            channel.sync()
            channel.write_file('/tmp/copy', data, chunk=3000)
            digest = guest.shell('sha256sum /tmp/copy').split()[0]
            expect(digest == hashlib.sha256(data).hexdigest(), 'written file differs')
            expect(channel.read_file('/tmp/copy', chunk=3000) == data, 'read file differs')
    return '%d bytes there and back' % len(data)


def speaks_over_vsock_if_configured(context: Context) -> str:
    with running(context.guest, vsock_arguments(), config=ANY_PEER_CONFIG):
        answer = over_loopback(context.guest)
        expect(answer == '{"return": 77}', 'answered %r' % answer)
    return ''


def refuses_local_users_over_vsock(context: Context) -> str:
    with running(context.guest, vsock_arguments()):
        answer = over_loopback(context.guest)
        expect(answer == '', 'answered %r' % answer)
    return ''


def vsock_arguments() -> str:
    return '-t /run -m vsock-listen -p %d:%d' % (ANY_CID, VSOCK_PORT)


def over_loopback(guest: Guest) -> str:
    """What the agent says to a user of its own guest."""
    message = shlex.quote(request('guest-sync', id=77).decode().strip())
    # the agent may not listen yet: try again
    connect = 'VSOCK-CONNECT:%d:%d,retry=20,interval=0.1' % (LOOPBACK_CID, VSOCK_PORT)
    _, answer = guest.status('(echo %s; sleep 1) | socat -d -d -t1 - %s 2> /run/socat.log'
                             % (message, connect))
    log = guest.shell('cat /run/socat.log')
    expect('successfully connected' in log, 'no connection: ' + log)
    return answer


def leaves_when_its_port_is_unplugged(context: Context) -> str:
    guest = context.guest
    agent = guest.start('qemu-ga', SERIAL + AGENT_PORT)
    try:
        wait_for_answer(guest.socket('agent'), 5)
        guest.unplug('agent')
        status = guest.exit_status(agent, 5)
    finally:
        guest.stop(agent)
        guest.plug('agent')
    expect(status == 0, 'exit status %s' % status)
    return ''


def comes_back_when_its_port_is_plugged_again(context: Context) -> str:
    guest, plugged = context.guest, True
    with running(guest, SERIAL + AGENT_PORT + ' -r') as agent:
        try:
            wait_for_answer(guest.socket('agent'), 5)
            guest.unplug('agent')
            plugged = False
            before = guest.cpu_seconds(agent)
            time.sleep(2)
            spent = guest.cpu_seconds(agent) - before
            guest.plug('agent')
            plugged = True
            delay = wait_for_answer(guest.socket('agent'), 15)
        finally:
            if not plugged:
                guest.plug('agent')
    expect(spent <= 0.1, '%.2f CPU s in 2 s without a port' % spent)
    return 'back after %.1f s, %.2f CPU s in 2 s without a port' % (delay, spent)


CASES: Dict[str, Callable[[Context], str]] = {
    function.__name__.replace('_', ' '): function for function in (
        answers_from_the_host,
        files_arrive_unchanged,
        reads_at_speed,
        survives_clients_that_leave,
        answers_what_arrived_before_it_could_write,
        waits_for_a_slow_reader_without_spinning,
        sleeps_while_the_host_is_away,
        a_second_session_is_not_delayed,
        speaks_over_a_serial_line,
        speaks_over_vsock_if_configured,
        refuses_local_users_over_vsock,
        leaves_when_its_port_is_unplugged,
        comes_back_when_its_port_is_plugged_again,
    )}
