# SPDX-License-Identifier: GPL-2.0-or-later
"""What a client can pile up in the agent has an end. The numbers are those of the agent."""
import resource
import time
from typing import List

from clients import request
from lib import process
from lib.check import PING, PONG, Check, expect, expect_cost
from lib.connection import Connection
from lib.process import MIB
from memory import run_to_end

HANDLES = 4096              # GA_FILE_HANDLES_MAX, where the system allows as many descriptors
STREAM_BYTES = 16 * MIB     # ga_exec_limits
OUTPUT_BYTES = 256 * MIB
ENDED = 1024


def start_many(client: Connection, count: int, **arguments: object) -> List[int]:
    return [client.call('guest-exec', **arguments)['pid'] for _ in range(count)]


def handles_are_limited(check: Check) -> None:
    agent = check.start()
    (agent.files / 'file').touch()
    with agent.connect() as client:
        client.send_aside(request('guest-file-open', path='file') * (HANDLES + 50))
        answers = [client.read_line() for _ in range(HANDLES + 50)]
        opened = sum(b'"return"' in answer for answer in answers)
        expect(0 < opened <= HANDLES, f'{opened} handles are open')
        expect(b'Too many open files' in answers[-1], f'the last answer is {answers[-1]!r}')
        client.call('guest-file-close', handle=1000)
        client.call('guest-file-open', path='file')
        expect(client.ask(PING) == PONG, 'no answer with all handles in use')
    with agent.connect() as client:
        expect(client.ask(PING, 5) == PONG, 'no new client with all handles in use')


def a_shortage_of_descriptors_is_survived(check: Check) -> None:
    agent = check.start()
    (agent.files / 'file').touch()
    with agent.connect() as client:
        client.ask(PING)
        in_use = process.descriptors(agent.pid)
        resource.prlimit(agent.pid, resource.RLIMIT_NOFILE, (in_use + 20, in_use + 20))
        answers = [client.ask(request('guest-file-open', path='file')) for _ in range(40)]
        expect(b'Too many open files' in answers[-1], f'the last answer is {answers[-1]!r}')
        for handle in range(1000, 1040):
            client.ask(request('guest-file-close', handle=handle))
        status = run_to_end(client, path='echo', arg=['x'], capture_output=True)
        expect(status.get('out-data') == 'eAo=', f'guest-exec afterwards: {status}')


def output_of_one_stream_is_cut(check: Check) -> None:
    agent = check.start()
    with agent.connect() as client:
        for size, cut in ((STREAM_BYTES, False), (STREAM_BYTES + 1, True)):
            status = run_to_end(client, path='head', arg=['-c', str(size), '/dev/zero'],
                                capture_output=True)
            expect(len(status['out-data']) == (STREAM_BYTES + 2) // 3 * 4,
                   f"{len(status['out-data'])} characters of {size} bytes")
            expect(status['out-truncated'] is cut, f'{size} bytes, truncated or not')


def output_in_total_is_cut(check: Check) -> None:
    """What nobody fetches gives way, the oldest first; what there is stays within the bound."""
    agent = check.start()
    processes = OUTPUT_BYTES // STREAM_BYTES + 4
    with agent.connect() as client:
        before = process.resident(agent.pid)
        for _ in range(processes):
            pid = client.call('guest-exec', path='head', capture_output=True,
                              arg=['-c', str(STREAM_BYTES), '/dev/zero'])['pid']
            expect(process.wait_until(lambda: has_ended(pid), 30), f'pid {pid} does not end')
        status = run_until(client, pid)
        expect(len(status['out-data']) > 0, 'the newest output is not there')
        grown = process.peak_resident(agent.pid) - before
    expect_cost(grown < OUTPUT_BYTES + 64 * MIB, f'{grown / MIB:.0f} MiB of output in memory')


def run_until(client: Connection, pid: int) -> 'dict[str, object]':
    status = client.call('guest-exec-status', pid=pid)
    while not status['exited']:
        time.sleep(0.01)
        status = client.call('guest-exec-status', pid=pid)
    return status


def has_ended(pid: int) -> bool:
    """Reaped by the agent, or a zombie that soon will be."""
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii') as stat:
            return stat.read().rpartition(')')[2].split()[0] == 'Z'
    except (FileNotFoundError, ProcessLookupError):     # gone before it was opened, or read
        return True


def ended_processes_are_forgotten(check: Check) -> None:
    agent = check.start()
    with agent.connect() as client:
        pids = start_many(client, 100, path='true')
        before = process.descriptors(agent.pid), process.resident(agent.pid)
        pids += start_many(client, ENDED + 400, path='true')
        for pid in pids:
            expect(process.wait_until(lambda: has_ended(pid)), f'pid {pid} does not end')
        run_to_end(client, path='true')
        answers = [client.ask(request('guest-exec-status', pid=pid)) for pid in pids]
        kept = sum(b'"exited": true' in answer for answer in answers)
        expect(0 < kept <= ENDED, f'{kept} ended processes are remembered')
        expect(b'does not exist' in answers[0], f'the oldest is remembered: {answers[0]!r}')
        expect(b'"exited": true' in answers[-1], f'the newest is forgotten: {answers[-1]!r}')
        after = process.descriptors(agent.pid), process.resident(agent.pid)
    expect(after[0] <= before[0] + 2, f'{before[0]} descriptors became {after[0]}')
    expect_cost(after[1] - before[1] < 4 * MIB, f'{after[1] - before[1]} bytes of memory more')


CHECKS = [handles_are_limited, a_shortage_of_descriptors_is_survived, output_of_one_stream_is_cut,
          output_in_total_is_cut, ended_processes_are_forgotten]
