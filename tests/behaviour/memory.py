# SPDX-License-Identifier: GPL-2.0-or-later
"""What requests cost, and that nothing of it stays."""
import base64
import time

from clients import request
from lib import process
from lib.agent import Agent
from lib.check import PING, PONG, Check, expect, expect_cost
from lib.connection import Connection
from lib.process import MIB

LARGEST_READ = 48 * MIB


def the_largest_read_costs_its_data_once(check: Check) -> None:
    agent = check.start()
    content = bytes(range(256)) * (LARGEST_READ // 256)
    (agent.files / 'large').write_bytes(content)
    with agent.connect() as client:
        handle = client.call('guest-file-open', path='large')
        client.ask(PING)
        process.reset_peak(agent.pid)
        before = process.resident(agent.pid)
        client.send(request('guest-file-read', handle=handle, count=LARGEST_READ))
        answer = client.read_line()
        peak = process.peak_resident(agent.pid) - before
    expected = (b'{"return": {"count": %d, "buf-b64": "%s", "eof": false}}\n'
                % (LARGEST_READ, base64.b64encode(content)))
    expect(answer == expected, 'the answer is wrong')
    print(f'  48 MiB read: peak {peak / MIB:.1f} MiB above idle')
    expect_cost(peak <= 52 * MIB, f'peak {peak / MIB:.1f} MiB above idle')


def memory_of_a_large_read_is_given_back(check: Check) -> None:
    agent = check.start()
    (agent.files / 'large').write_bytes(bytes(LARGEST_READ))
    with agent.connect() as client:
        handle = client.call('guest-file-open', path='large')
        before = process.resident(agent.pid)
        client.call('guest-file-read', handle=handle, count=LARGEST_READ)
        client.ask(PING)
        kept = process.resident(agent.pid) - before
    expect_cost(kept < 4 * MIB, f'{kept / MIB:.1f} MiB are kept')


def a_large_write_arrives(check: Check) -> None:
    agent = check.start()
    content = bytes(range(256)) * (40 * MIB // 256)
    with agent.connect() as client:
        handle = client.call('guest-file-open', path='large', mode='w')
        before = process.resident(agent.pid)
        client.send_aside(request('guest-file-write', handle=handle,
                                  **{'buf-b64': base64.b64encode(content).decode()}))
        answer = client.read_line()
        peak = process.peak_resident(agent.pid) - before
        client.call('guest-file-close', handle=handle)
    expect(b'"count": %d,' % len(content) in answer, f'answer {answer[:100]!r}')
    expect((agent.files / 'large').read_bytes() == content, 'the file is wrong')
    print(f'  40 MiB write: peak {peak / MIB:.1f} MiB above idle')
    expect_cost(peak < 140 * MIB, f'peak {peak / MIB:.1f} MiB above idle')


def a_bit_of_everything(client: Connection) -> None:
    client.call('guest-info')
    client.call('guest-get-osinfo')
    client.call('guest-get-timezone')
    client.call('guest-get-users')
    client.ask(b'{"execute":"guest-ping","id":{"a":[1,{"b":"c"}],"d":null}}\n')
    client.ask(b'{"execute":"none"}\n{"execute":}\n')
    client.read_line()
    for mode in ('w+', 'r', 'a', 'bad'):
        try:
            handle = client.call('guest-file-open', path='file', mode=mode)
        except ValueError:
            continue
        client.ask(request('guest-file-write', handle=handle, **{'buf-b64': 'QUJD' * 3000}))
        client.ask(request('guest-file-seek', handle=handle, offset=0, whence=0))
        client.ask(request('guest-file-read', handle=handle, count=100000))
        client.ask(request('guest-file-flush', handle=handle))
        client.call('guest-file-close', handle=handle)
    client.ask(request('guest-exec', path='absent'))
    for mode in ('separated', 'merged', 'none', 'stdout'):
        run_to_end(client, path='sh', arg=['-c', 'cat; echo x >&2; exit 3'], input_data='QUJD',
                   capture_output=mode)


def run_to_end(client: Connection, **arguments: object) -> 'dict[str, object]':
    """guest-exec, then guest-exec-status until the end."""
    pid = client.call('guest-exec', **arguments)['pid']
    deadline = time.monotonic() + 60
    while True:
        status = client.call('guest-exec-status', pid=pid)
        if status['exited']:
            return status
        expect(time.monotonic() < deadline, f'pid {pid} never ends')
        time.sleep(0.002)


def nothing_leaks(check: Check) -> None:
    agent = check.start()
    rounds = 400 if check.full else 60
    for _ in range(30):
        with agent.connect() as client:
            a_bit_of_everything(client)
    before = settled(agent)
    for _ in range(rounds):
        with agent.connect() as client:
            a_bit_of_everything(client)
    after = settled(agent)
    expect(after[0] == before[0], f'{before[0]} descriptors became {after[0]}')
    grown = after[1] - before[1]
    expect_cost(grown <= MIB // 2, f'{grown} bytes of memory more after {rounds} rounds')


def settled(agent: Agent) -> 'tuple[int, int]':
    """Descriptors and memory with one client connected and nothing going on."""
    with agent.connect() as client:
        expect(client.ask(PING) == PONG, 'no answer')
        return process.descriptors(agent.pid), process.resident(agent.pid)


CHECKS = [the_largest_read_costs_its_data_once, memory_of_a_large_read_is_given_back,
          a_large_write_arrives, nothing_leaks]
