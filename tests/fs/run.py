#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Real file systems told and trimmed by the agent and by qemu-ga; and one that hangs.

Needs root; everything is on a stage of its own (tests/lib/stage.py).
"""
import json
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import world
from lib import stage, suite
from lib.agent import Agent
from lib.check import expect
from lib.connection import Connection
from world import World

PATIENCE = 0.9          # what VDSM allows a call
ATTEMPTS = 20           # other tests attach loop devices while we look
MINIMA: List[Optional[int]] = [None, 0, 4096, 1 << 20, 1 << 30, -1, (1 << 63) - 1, -(1 << 63)]


def request(command: str, **arguments: Any) -> bytes:
    return json.dumps({'execute': command, 'arguments': arguments}).encode() + b'\n'


def same_answers(theirs: Connection, ours: Connection, command: str) -> None:
    """At a moment at which nothing of it changes."""
    for _ in range(ATTEMPTS):
        before, answer, after = (connection.ask(request(command))
                                 for connection in (theirs, ours, theirs))
        if before == after:
            expect(answer == before, f'{command}: qemu-ga has {before!r}, we {answer!r}')
            return
        time.sleep(0.1)
    raise AssertionError(f'{command} changes all the time')


def told_alike(there: World) -> None:
    with there.agent('theirs') as them, there.agent('ours') as us:
        theirs, ours = them.start().connect(), us.start().connect()
        for command in ('guest-get-fsinfo', 'guest-get-disks'):
            same_answers(theirs, ours, command)
        mounted = [info['mountpoint'] for info in ours.call('guest-get-fsinfo')]
        expected = ['/mnt/1-xfs/folder', '/mnt/' + world.ODD, '/mnt/2-btrfs', '/mnt/1-xfs',
                    '/mnt/0-ext4']
        expect(mounted == expected, f'mounted are {mounted}')
        theirs.close()
        ours.close()
        us.stop()
        expect(us.complaint() is None, str(us.complaint()))


def trim_all(there: World, label: str) -> List[bytes]:
    """The answers, of file systems that nobody has trimmed yet."""
    places = {kind: there.folder / f'trimmed-{kind}' for kind in world.KINDS}
    for kind, place in places.items():
        there.make(kind, place)
    with there.agent(label) as agent, agent.start().connect() as connection:
        answers = [connection.ask(request('guest-fstrim',
                                          **({} if minimum is None else {'minimum': minimum})))
                   for minimum in MINIMA]
    for place in places.values():
        world.run('umount', place)
    return answers


def trimmed_alike(there: World) -> None:
    """File systems remember what they have trimmed, so that the others' answers count only once."""
    trim_all(there, 'theirs')
    theirs, ours = trim_all(there, 'theirs'), trim_all(there, 'ours')
    for minimum, their, our in zip(MINIMA, theirs, ours):
        expect(their == our, f'minimum {minimum}: qemu-ga has {their!r}, we {our!r}')
    sizes = [entry.get('trimmed', 0) for entry in json.loads(ours[0])['return']['paths']]
    expect(sum(size > 1 << 20 for size in sizes) >= 3, f'trimmed {sizes}')


def sizes(connection: Connection) -> Dict[str, bool]:
    """Of each mount, whether its sizes are told; all three or none."""
    found = {}
    for info in connection.call('guest-get-fsinfo', timeout=10):
        known = {name in info for name in ('used-bytes', 'total-bytes', 'total-bytes-privileged')}
        expect(len(known) == 1, f'{info["mountpoint"]} has some of its sizes')
        found[info['mountpoint']] = known.pop()
    return found


def timed(connection: Connection) -> 'tuple[Dict[str, bool], float]':
    start = time.monotonic()
    return sizes(connection), time.monotonic() - start


def threads(agent: Agent) -> int:
    status = Path(f'/proc/{agent.pid}/status').read_text()
    return int(status.split('Threads:')[1].split()[0])


def with_session(there: World) -> 'tuple[Agent, Path]':
    agent = there.agent('ours')
    socket, configuration = agent.folder / 'session', agent.folder / 'agent.conf'
    configuration.write_text(f'[novacron]\nsessions=unix-listen:{socket}\nareas=file\n'
                             f'data-directory={agent.folder}/data\n')
    agent.arguments = ['-c', str(configuration)]
    return agent.start(), socket


def check_hung(connection: Connection, agent: Agent, socket: Path, hung: str) -> None:
    """One entry's sizes, nothing else: not the answer, not its time, not other sessions."""
    connection.send(request('guest-get-fsinfo'))
    with agent.connect(socket) as other:
        start = time.monotonic()
        other.call('guest-ping')
        expect(time.monotonic() - start < 0.2, 'another session waited')
        expect(not sizes(other)[hung], 'the hung one is known to another session')
    first = json.loads(connection.read_line(PATIENCE))
    expect(hung in [info['mountpoint'] for info in first['return']], 'the hung one is not told')

    for _ in range(30):
        known, seconds = timed(connection)
        expect(seconds < PATIENCE, f'an answer took {seconds:.3f} s')
        unknown = [name for name, is_known in known.items() if not is_known]
        expect(unknown == [hung], f'without sizes are {unknown}')
    expect(seconds < 0.3, f'the hung one is waited for again: {seconds:.3f} s')
    expect(threads(agent) < 8, f'{threads(agent)} threads after 32 calls')


def wait_until_known(connection: Connection, mount: str) -> None:
    for _ in range(50):
        if sizes(connection)[mount]:
            return
        time.sleep(0.1)
    raise AssertionError('it has come back, and is not asked again')


def one_that_hangs(there: World) -> None:
    server = there.serve('served')
    agent, socket = with_session(there)
    with agent:
        connection = agent.connect()
        try:
            check_hung(connection, agent, socket, '/mnt/served')
            server.serve()
            wait_until_known(connection, '/mnt/served')
            with there.agent('theirs') as them, them.start().connect() as theirs:
                same_answers(theirs, connection, 'guest-get-fsinfo')
        finally:
            connection.close()
            agent.stop()
            server.close()
        expect(agent.complaint() is None, str(agent.complaint()))


def a_path_that_hangs_costs_its_call_only(there: World) -> None:
    """And more jobs there than a pool of threads has."""
    server = there.serve('held')
    agent, socket = with_session(there)
    path = '/mnt/held/file'
    with agent:
        connection, other = agent.connect(), agent.connect(socket)
        try:
            for _ in range(12):
                connection.call('novacron-file-digest', path=path)
            for command in ('stat', 'read', 'list'):
                connection.send(request(f'novacron-file-{command}', path=path))
                start = time.monotonic()
                for _ in range(20):
                    other.call('guest-ping')
                    other.call('novacron-file-stat', path='/proc/version')
                expect(time.monotonic() - start < PATIENCE, f'another session waited: {command}')
            server.serve()
            for _ in range(3):
                answer = connection.read_line(PATIENCE)
                expect(b'"error"' in answer, f'{answer!r}')
        finally:
            connection.close()
            other.close()
            agent.stop()
            server.close()
        expect(agent.complaint() is None, str(agent.complaint()))


def an_end_while_one_hangs(there: World) -> None:
    server = there.serve('stopped')
    # A sanitizer that looks for leaks at the end waits until all threads have stopped.
    with there.agent('ours', {'ASAN_OPTIONS': 'detect_leaks=0'}) as agent:
        try:
            with agent.start().connect() as connection:
                sizes(connection)
            start = time.monotonic()
            agent.stop()
            seconds = time.monotonic() - start
        finally:
            server.close()
        expect(seconds < 2, f'the end took {seconds:.1f} s')
        expect(agent.complaint() is None, str(agent.complaint()))


CHECKS: List[Callable[[World], None]] = [
    told_alike, trimmed_alike, one_that_hangs, a_path_that_hangs_costs_its_call_only,
    an_end_while_one_hangs]


def play(there: stage.Stage, programs: Dict[str, List[str]], match: str) -> int:
    report = suite.Suite()
    made = World(there, programs)
    for check in CHECKS:
        if match in check.__name__:
            try:
                check(made)
                report.judge(check.__name__, None)
            except Exception as error:
                report.judge(check.__name__, f'{type(error).__name__}: {error}')
    return report.finish()


def main() -> int:
    options = suite.parser(__doc__)
    options.add_argument('--match', default='', help='only checks whose name contains this')
    chosen = options.parse_args()
    programs = {'theirs': suite.oracle_or_skip('11.1'), 'ours': suite.program(chosen.agent)}
    return stage.perform(world.KINDS, lambda there: play(there, programs, chosen.match))


if __name__ == '__main__':
    sys.exit(main())
