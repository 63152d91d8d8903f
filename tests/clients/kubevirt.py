# SPDX-License-Identifier: GPL-2.0-or-later
"""KubeVirt: it polls for as long as a virtual machine runs, through libvirt and so over one
connection that stays open. Its periods pass a thousand times faster here."""
import base64
import heapq
import json
import os
import re
import subprocess
import sys
import time
from typing import Any, Dict, List, Tuple

from bench import Bench
from lib import process
from lib.agent import Agent
from lib.check import Skip, expect, expect_cost
from lib.connection import Connection

# What it asks and how often, in seconds, once it has slowed down.
PERIODS: Dict[str, float] = {
    'guest-info': 300, 'guest-get-fsinfo': 300, 'guest-fsfreeze-status': 5,
    'guest-network-get-interfaces': 120, 'guest-get-osinfo': 120, 'guest-get-host-name': 120,
    'guest-get-timezone': 120, 'guest-get-users': 10, 'guest-get-load': 20, 'guest-ping': 10,
    'guest-get-cpustats': 20, 'guest-get-diskstats': 20, 'guest-get-time': 60,
    'guest-get-vcpus': 60, 'guest-get-memory-block-info': 60, 'guest-get-disks': 300,
    'guest-network-get-route': 300, 'guest-get-memory-blocks': 1800,
}
FIRST_PERIOD = 10           # seconds, doubled until the above is reached
FASTER = 1000
REQUIRED = ('guest-ping', 'guest-get-time', 'guest-info', 'guest-shutdown',
            'guest-network-get-interfaces', 'guest-get-fsinfo', 'guest-get-host-name',
            'guest-get-users', 'guest-get-timezone', 'guest-get-osinfo',
            # to inject SSH keys, the new way and the old one, and passwords
            'guest-ssh-get-authorized-keys', 'guest-ssh-add-authorized-keys',
            'guest-ssh-remove-authorized-keys', 'guest-set-user-password', 'guest-exec',
            'guest-exec-status', 'guest-file-open', 'guest-file-close', 'guest-file-read',
            'guest-file-write')
TELL = 'import locale, os; locale.setlocale(locale.LC_ALL, ""); print(os.strerror(2))'
TIMEOUT = 5.0               # of its raw commands
GROWTH = 512 * 1024         # bytes of resident memory: threads come and go, and so do their heaps
USUAL_SECONDS, FULL_SECONDS = 8, 90


def supported(connection: Connection) -> List[str]:
    entries = connection.call('guest-info')['supported_commands']
    return [entry['name'] for entry in entries if entry['enabled']]


def synchronise(connection: Connection) -> None:
    """As libvirt does once for a connection."""
    number = int(time.time() * 1000)
    expect(connection.call('guest-sync', id=number) == number, 'out of step')


def poll(connection: Connection, commands: List[str], seconds: float) -> Dict[str, int]:
    """How often each was answered."""
    started = time.monotonic()
    queue: List[Tuple[float, str, float]] = [(started, name, FIRST_PERIOD) for name in commands]
    counts = dict.fromkeys(commands, 0)
    heapq.heapify(queue)
    while queue[0][0] < started + seconds:
        due, name, period = heapq.heappop(queue)
        time.sleep(max(0.0, due - time.monotonic()))
        connection.call(name, timeout=TIMEOUT)
        counts[name] += 1
        following = min(PERIODS[name], 2 * period)
        heapq.heappush(queue, (due + following / FASTER, name, following))
    return counts


def what_it_requires_is_enabled(check: Bench) -> None:
    with check.start().connect() as connection:
        missing = set(REQUIRED) - set(supported(connection))
    expect(not missing, f'AgentVersionNotSupported: {sorted(missing)}')


def polling_costs_no_memory_and_no_descriptors(check: Bench) -> None:
    agent = check.start()
    with agent.connect() as connection:
        synchronise(connection)
        missing = set(PERIODS) - set(supported(connection))
        expect(not missing, f'cannot be polled: {sorted(missing)}')
        poll(connection, list(PERIODS), 2)
        before = process.resident(agent.pid), process.descriptors(agent.pid), threads(agent)
        seconds = FULL_SECONDS if check.full else USUAL_SECONDS
        counts = poll(connection, list(PERIODS), seconds)
        settled = process.wait_until(lambda: threads(agent) <= before[2], 30)
        after = process.resident(agent.pid), process.descriptors(agent.pid), threads(agent)
    print(f'  {sum(counts.values())} answers in {seconds} s: memory {before[0]} -> {after[0]}, '
          f'descriptors {before[1]} -> {after[1]}, threads {before[2]} -> {after[2]}', flush=True)
    expect(sum(counts.values()) > 100 * seconds and min(counts.values()) > 0, f'{counts}')
    expect_cost(after[0] <= before[0] + GROWTH, f'{after[0] - before[0]} bytes are lost')
    expect(after[1] <= before[1], f'{after[1] - before[1]} descriptors are lost')
    expect(settled, f'{after[2] - before[2]} threads are left')


def threads(agent: Agent) -> int:
    with open(f'/proc/{agent.pid}/status', encoding='ascii') as file:
        return int(re.search(r'^Threads:\s+(\d+)', file.read(), re.M)[1])


def the_freeze_status_is_a_plain_string(check: Bench) -> None:
    """A regular expression cuts it out of the answer."""
    with check.start().connect() as connection:
        answer = connection.ask(b'{"execute":"guest-fsfreeze-status"}\n').decode()
    found = re.search(r'"return"\s*:\s*"(\w+)"', answer)
    expect(found and found[1] == 'thawed', answer)


def file_systems_have_what_it_shows(check: Bench) -> None:
    with check.start().connect() as connection:
        for system in connection.call('guest-get-fsinfo'):
            for name, kind in (('name', str), ('mountpoint', str), ('type', str)):
                expect(isinstance(system[name], kind), f'{name} in {system}')
            for name in ('used-bytes', 'total-bytes'):
                expect(isinstance(system.get(name, 0), int), f'{name} in {system}')
            for disk in system['disk']:
                expect(isinstance(disk['bus-type'], str), f'{disk}')


def programs_are_found_by_their_names(check: Bench) -> None:
    """It injects a key file so, and asks until the program has ended."""
    agent = check.start()
    with agent.connect() as connection:
        for path, *words in (('mkdir', '-p', 'home/.ssh'), ('chmod', '700', 'home/.ssh'),
                             ('chown', '-R', f'{os.getuid()}:{os.getgid()}', 'home'),
                             ('getent', 'passwd', 'root')):
            pid = connection.call('guest-exec', path=path, arg=words, capture_output=True)['pid']
            expect(pid > 0, f'{path}: pid {pid}')
            status = ended(connection, pid)
            expect(status['exitcode'] == 0, f'{path}: {status}')
        output = base64.b64decode(status['out-data'])
        expect(output.startswith(b'root:'), f'getent: {output!r}')
        handle = connection.call('guest-file-open', path='home/.ssh/authorized_keys', mode='w')
        connection.call('guest-file-write', handle=handle, buf_b64=base64.b64encode(b'k').decode())
        connection.call('guest-file-close', handle=handle)
    expect((agent.files / 'home/.ssh/authorized_keys').read_bytes() == b'k', 'the file differs')


def ended(connection: Connection, pid: int) -> Any:
    for _ in range(100):
        status = connection.call('guest-exec-status', pid=pid)
        if status['exited']:
            return status
        time.sleep(TIMEOUT / 10 / 10)
    raise AssertionError('it does not end')


def an_absent_file_is_told_in_english(check: Bench) -> None:
    agent = check.prepare()
    german = {'LC_ALL': 'de_DE.UTF-8', 'LANGUAGE': 'de', 'LOCPATH': str(agent.folder)}
    subprocess.run(['localedef', '-i', 'de_DE', '-f', 'UTF-8', str(agent.folder / 'de_DE.UTF-8')],
                   stderr=subprocess.DEVNULL, check=False)
    told = subprocess.run([sys.executable, '-c', TELL], env={**os.environ, **german},
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
    if not told or told.startswith(b'No such file'):
        raise Skip('this machine speaks English only')
    agent.environment.update(german)
    with agent.start().connect() as connection:
        answer = connection.ask(b'{"execute":"guest-file-open","arguments":{"path":"absent"}}\n')
    expect('No such file or directory' in json.loads(answer)['error']['desc'], f'{answer!r}')


CHECKS = [
    what_it_requires_is_enabled,
    polling_costs_no_memory_and_no_descriptors,
    the_freeze_status_is_a_plain_string,
    file_systems_have_what_it_shows,
    programs_are_found_by_their_names,
    an_absent_file_is_told_in_english,
]
