#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Databases that workers prepare, hold and release, below a real freeze of their file system.

All of it happens on a stage, as in frozen.py, with whose hooks the workers have to get on.
"""
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any, Dict, Iterator, List

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from bench import DISPATCHER, USER
from frozen import (DEADLINE_MS, MEBIBYTES, Play, PostgreSQLWriter, has_ended, judge_snapshots)
from lib import check, stage, suite
from lib.agent import Agent
from lib.check import expect
from lib.connection import Connection
from lib.process import wait_until
from mariadb import SOON, Writer
from mongodb import MongoDB
from redis import Redis
from worker import Worker

WORKERS = ('postgresql-worker', 'mariadb-worker', 'mongodb-worker', 'redis-worker')
PATIENCE = 60
MIB = 1 << 20
MANY = 64

# Stands for a server that nobody should trust: what it answers is chosen by its first argument.
IMPOSTOR = '''
import socket, sys, time
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[2])
listener.listen()
open(sys.argv[3], 'x').close()
while True:
    peer = listener.accept()[0]
    try:
        if sys.argv[1] == 'nothing':
            time.sleep(60)
        elif sys.argv[1] == 'rubbish':
            peer.sendall(bytes(range(256)) * 16)
        elif sys.argv[1] == 'nonsense':
            while peer.recv(65536):
                peer.sendall(b'*-7\\r\\n$99999999999\\r\\n')
        else:
            while True:
                peer.sendall(b'$400000000\\r\\n' + b'x' * 1048576)
    except OSError:
        pass
'''


class Scene(Play):
    """The play of the hooks, with workers beside the agent, and users that they may be."""

    def __init__(self, where: stage.Stage, program: List[str], workers: Path, full: bool):
        super().__init__(where, program, is_ours=True, full=full)
        self.workers = workers

    def __enter__(self) -> 'Scene':
        super().__enter__()
        # theirs are the machine's own libraries, not the servers'
        unpacked = os.environ.pop('LD_LIBRARY_PATH')
        self.stage.confine([str(self.workers / name) for name in WORKERS])
        os.environ['LD_LIBRARY_PATH'] = unpacked
        self.stage.confine(['/etc/passwd', '/etc/group'])
        self.mariadb.query(f"CREATE USER {USER}@localhost IDENTIFIED VIA unix_socket; "
                           f"GRANT ALL ON *.* TO {USER}@localhost")
        self.postgresql.query(f'CREATE ROLE {USER} SUPERUSER LOGIN')
        self.mongodb = self.add(MongoDB)
        self.redis = self.add(Redis)
        return self

    def start(self, hook: Path = DISPATCHER, novacron: str = '') -> Agent:
        return super().start(
            hook, f'areas=quiesce\nworker-directory={self.workers}\n{novacron}')

    def begin(self, connection: Connection, **arguments: Any) -> Dict[str, Any]:
        """The job, concluded."""
        job = connection.call('novacron-quiesce-begin', PATIENCE, **arguments)
        while job['status'] != 'concluded':
            job = connection.call('novacron-job-wait', PATIENCE, id=job['id'], wait_ms=1000)
        return job

    def apps(self, connection: Connection, job: Dict[str, Any]) -> Dict[str, Dict[str, Any]]:
        """What it has brought, by kind."""
        result = connection.call('novacron-job-result', PATIENCE, id=job['id'])['result']
        return {app['kind']: app for app in result['apps']}

    def hold(self, agent: Agent, connection: Connection, **arguments: Any) -> Dict[str, Any]:
        """Begin and freeze: what the freeze answers."""
        job = self.begin(connection)
        expect(job['outcome'] == 'success', f'{job}')
        self.stage.forbid_others(agent.pid)
        return connection.call('novacron-quiesce-freeze', PATIENCE, job=job['id'],
                               mountpoints=[self.stage.inside(self.mount)],
                               **{'deadline_ms': 30000, **arguments})


def refusal(connection: Connection, command: str, **arguments: Any) -> str:
    return connection.answer(command, PATIENCE, **arguments)['error']['desc']


def children_of(agent: Agent) -> Dict[int, str]:
    """Their states."""
    found = {}
    for path in Path('/proc').glob('[0-9]*/stat'):
        try:
            state, parent = path.read_text().rpartition(')')[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == agent.pid:
            found[int(path.parent.name)] = state
    return found


def workers_of(agent: Agent) -> Dict[str, int]:
    """Their processes, by name."""
    found = {}
    for pid in children_of(agent):
        try:
            found[os.path.basename(os.readlink(f'/proc/{pid}/exe'))] = pid
        except (FileNotFoundError, ProcessLookupError):
            continue        # a zombie
    return {name: pid for name, pid in found.items() if name in WORKERS}


def states(answer: Dict[str, Any]) -> Dict[str, str]:
    return {app['kind']: app['state'] for app in answer['apps']}


def a_server_is_prepared_then_held_then_released(scene: Scene) -> None:
    agent = scene.start()
    with agent.connect() as connection, Writer(scene.mariadb) as writer:
        scene.postgresql.query('INSERT INTO t SELECT generate_series(1, 1000)')
        written = scene.postgresql.insert_position()
        scene.redis.do('SET', 'key', 'value-of-the-key')
        scene.redis.do('CONFIG', 'SET', 'rdb-key-save-delay', '300000')  # not saved at once
        scene.mongodb.behave('well')
        job = scene.begin(connection)
        scene.redis.do('CONFIG', 'SET', 'rdb-key-save-delay', '0')
        apps = scene.apps(connection, job)
        expect(set(apps) == {'mariadb', 'mongodb', 'postgresql', 'redis'}, f'{apps}')
        expect(apps['redis']['version'].startswith('7.'), f'{apps}')
        expect(scene.redis.is_saved('value-of-the-key'), 'Redis has not saved')
        expect(apps['postgresql']['version'].startswith('15.'), f'{apps}')
        expect('MariaDB' in apps['mariadb']['version'], f'{apps}')
        expect(scene.postgresql.position("Latest checkpoint's REDO location") >= written,
               'no checkpoint')
        expect(apps['mongodb']['version'] == '7.0.0-standin', f'{apps}')
        expect(scene.mongodb.asked() == ['buildInfo', 'fsync'], f'{scene.mongodb.asked()}')
        expect(writer.goes_on(), 'held before the freeze')
        frozen = connection.call('novacron-quiesce-freeze', PATIENCE, job=job['id'],
                                 deadline_ms=30000,
                                 mountpoints=[scene.stage.inside(scene.mount)])
        expect(set(states(frozen).values()) == {'held'}, f'{frozen}')
        expect('/' in {app['kind']: app for app in frozen['apps']}['postgresql']['position'],
               f'{frozen}')
        expect(writer.stands_still(0.5), 'rows were written while frozen')
        answer = connection.call('novacron-quiesce-thaw', PATIENCE, token=frozen['token'])
        expect(answer['verdict'] == 'consistent', f'{answer}')
        expect(set(states(answer).values()) == {'released'}, f'{answer}')
        expect(set(scene.mongodb.asked()[2:]) == {'ping'}, f'{scene.mongodb.asked()}')
        expect(writer.goes_on(), 'still held after the thaw')
        manifest = connection.call('novacron-quiesce-manifest', token=frozen['token'])
        expect(manifest['apps'] == answer['apps'], f'{manifest}')


@contextmanager
def called_mysqld(scene: Scene) -> Iterator[None]:
    """As MariaDB's program was before 10.5."""
    program = scene.mount / 'mysqld'
    shutil.copy(scene.mariadb.which('mariadbd'), program)
    scene.mariadb.stop()
    scene.mariadb.program = str(program)
    scene.mariadb.run()
    try:
        yield
    finally:
        scene.mariadb.stop()
        scene.mariadb.program = 'mariadbd'
        scene.mariadb.run()
        program.unlink()


def a_mariadb_that_looks_like_mysql_is_not_held_by_the_hook_as_well(scene: Scene) -> None:
    agent = scene.start()
    with called_mysqld(scene), agent.connect() as connection:
        frozen = scene.hold(agent, connection)
        expect(states(frozen)['mysql'] == 'held', f'{frozen}')
        answer = connection.call('novacron-quiesce-thaw', PATIENCE, token=frozen['token'])
        expect(answer['verdict'] == 'consistent', f'{answer}')


def snapshots_that_are_called_consistent_are(scene: Scene) -> None:
    agent = scene.start()
    with agent.connect() as connection:
        judge_snapshots(scene, connection, lambda: scene.hold(agent, connection))


def a_worker_can_do_nothing_but_its_work(scene: Scene) -> None:
    agent = scene.start()
    with agent.connect() as connection:
        expect(scene.begin(connection)['outcome'] == 'success', 'not prepared')
        workers = workers_of(agent)
        expect(set(workers) == set(WORKERS), f'{workers}')
        uid = str(scene.mount.joinpath('MariaDB').stat().st_uid)
        for name, pid in workers.items():
            for task in Path(f'/proc/{pid}/task').iterdir():
                status = dict(line.split(':\t', 1) for line in
                              (task / 'status').read_text().splitlines() if ':\t' in line)
                expect(status['Seccomp'] == '2', f'{name}: {status["Seccomp"]}')
                expect(status['NoNewPrivs'] == '1', f'{name}: {status["NoNewPrivs"]}')
                expect(status['Uid'].split() == [uid] * 4, f'{name}: {status["Uid"]}')
                for kind in ('CapPrm', 'CapEff', 'CapAmb'):
                    expect(int(status[kind], 16) == 0, f'{name}: {kind}')
            limits = Path(f'/proc/{pid}/limits').read_text()
            expect('Max file size             0 ' in limits, limits)
            expect('Max core file size        0 ' in limits, limits)
            environment = Path(f'/proc/{pid}/environ').read_bytes()
            expect(environment == b'LANG=C.UTF-8\0', f'{environment!r}')


def a_worker_that_dies_makes_the_snapshot_worthless(scene: Scene) -> None:
    agent = scene.start()
    with agent.connect() as connection, Writer(scene.mariadb) as writer:
        token = scene.hold(agent, connection)['token']
        os.kill(workers_of(agent)['mariadb-worker'], signal.SIGABRT)  # sanitizers let it be
        expect(writer.stands_still(0.5), 'the file system is not frozen')
        answer = connection.call('novacron-quiesce-thaw', PATIENCE, token=token)
        expect(answer['verdict'] == 'application-failed', f'{answer}')
        expect('mariadb-worker has died of signal 6' in answer['application-error'], f'{answer}')
        expect(states(answer) == {'mariadb': 'failed', 'mongodb': 'released',
                                   'postgresql': 'released', 'redis': 'released'}, f'{answer}')
        expect(writer.goes_on(), 'still held')
        expect(connection.call('guest-ping') == {}, 'no answer')


def a_session_that_the_server_ends_is_seen(scene: Scene) -> None:
    agent = scene.start()
    with agent.connect() as connection:
        token = scene.hold(agent, connection)['token']
        for line in scene.mariadb.query('SHOW PROCESSLIST').splitlines():
            if line.split('\t')[1] == USER:
                scene.mariadb.query('KILL ' + line.split('\t')[0])
        answer = connection.call('novacron-quiesce-thaw', PATIENCE, token=token)
        expect(answer['verdict'] == 'application-failed', f'{answer}')


def an_agent_that_is_killed_takes_its_workers_with_it(scene: Scene) -> None:
    agent = scene.start()
    with agent.connect() as connection, Writer(scene.mariadb) as writer:
        token = scene.hold(agent, connection, deadline_ms=DEADLINE_MS)['token']
        workers = workers_of(agent)
        agent.process.kill()
        agent.process.wait()
        expect(wait_until(lambda: all(map(has_ended, workers.values())), DEADLINE_MS / 1000),
               'a worker lives on')
        expect(writer.goes_on(DEADLINE_MS / 1000 + SOON), 'the writer still stands')
    agent.start()
    with agent.connect() as connection:
        answer = connection.call('novacron-quiesce-thaw', PATIENCE, token=token)
        expect(answer['verdict'] == 'expired', f'{answer}')


def a_new_agent_says_that_nobody_held_the_applications(scene: Scene) -> None:
    agent = scene.start()
    with agent.connect() as connection:
        token = scene.hold(agent, connection)['token']
        agent.process.kill()
        agent.process.wait()
    agent.start()
    with agent.connect() as connection:
        answer = connection.call('novacron-quiesce-thaw', PATIENCE, token=token)
        expect(answer['verdict'] == 'application-failed', f'{answer}')
        expect('apps' not in answer, f'{answer}')


def the_deadline_lets_the_applications_go(scene: Scene) -> None:
    agent = scene.start()
    with agent.connect() as connection, Writer(scene.mariadb) as writer:
        token = scene.hold(agent, connection, deadline_ms=DEADLINE_MS)['token']
        expect(writer.stands_still(0.5), 'not frozen')
        expect(writer.goes_on(DEADLINE_MS / 1000 + SOON), 'the writer still stands')
        answer = connection.call('novacron-quiesce-thaw', PATIENCE, token=token)
        expect(answer['verdict'] == 'expired', f'{answer}')


def an_agent_that_is_stopped_holds_nothing_for_ever(scene: Scene) -> None:
    agent = scene.start(novacron=f'quiesce-maximum-ms={DEADLINE_MS}')
    with agent.connect() as connection, Writer(scene.mariadb) as writer:
        scene.hold(agent, connection, deadline_ms=DEADLINE_MS)
        os.kill(agent.pid, signal.SIGSTOP)
        try:
            expect(writer.goes_on(DEADLINE_MS / 1000 + SOON), 'the writer still stands')
        finally:
            os.kill(agent.pid, signal.SIGCONT)


def a_freeze_that_fails_lets_the_applications_go(scene: Scene) -> None:
    agent = scene.start()
    with agent.connect() as connection, Writer(scene.mariadb) as writer:
        job = scene.begin(connection)
        error = refusal(connection, 'novacron-quiesce-freeze', job=job['id'],
                                 mountpoints=['/nonexistent'])
        expect(error.startswith('not-found:'), error)
        expect(writer.goes_on(), 'still held')
        expect(not workers_of(agent) or wait_until(lambda: not workers_of(agent), SOON),
               'a worker lives on')


def no_worker_outlives_its_freeze(scene: Scene) -> None:
    """Not even as a zombie."""
    agent = scene.start()
    with agent.connect() as connection:
        token = scene.hold(agent, connection)['token']
        connection.call('novacron-quiesce-thaw', PATIENCE, token=token)
        expect(wait_until(lambda: not children_of(agent), SOON), f'{children_of(agent)}')
    agent = scene.start(Path('/nonexistent/hook'))
    with agent.connect() as connection:
        job = scene.begin(connection)
        error = refusal(connection, 'novacron-quiesce-freeze', job=job['id'],
                        mountpoints=[scene.stage.inside(scene.mount)])
        expect('/nonexistent/hook' in error, error)
        expect(wait_until(lambda: not children_of(agent), SOON), f'{children_of(agent)}')


@contextmanager
def backup_under_way(scene: Scene) -> Iterator[None]:
    """Somebody else's, of MariaDB."""
    with subprocess.Popen([*scene.mariadb.client(), '-n'], env=scene.mariadb.environment,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        process.stdin.write(b"BACKUP STAGE START; SELECT 'held';\n")
        process.stdin.flush()
        expect(process.stdout.readline() == b'held\n', 'no backup')
        yield


def what_cannot_be_held_fails_the_freeze_or_is_left_out(scene: Scene) -> None:
    agent = scene.start()
    mountpoints = [scene.stage.inside(scene.mount)]
    with agent.connect() as connection, backup_under_way(scene):
        job = scene.begin(connection)
        scene.stage.forbid_others(agent.pid)
        error = refusal(connection, 'novacron-quiesce-freeze', job=job['id'],
                        mountpoints=mountpoints)
        expect(error.startswith('failed: BACKUP STAGE START: '), error)
        expect(connection.call('guest-fsfreeze-status') == 'thawed', 'it is frozen')
        job = scene.begin(connection, lenient=True)
        frozen = connection.call('novacron-quiesce-freeze', PATIENCE, job=job['id'],
                                 deadline_ms=30000, mountpoints=mountpoints)
        expect(states(frozen) == {'mariadb': 'failed', 'mongodb': 'held',
                                  'postgresql': 'held', 'redis': 'held'}, f'{frozen}')
        os.kill(workers_of(agent)['redis-worker'], signal.SIGKILL)
        answer = connection.call('novacron-quiesce-thaw', PATIENCE, token=frozen['token'])
        expect(answer['verdict'] == 'application-failed', f'{answer}')


def what_was_prepared_is_for_one_freeze(scene: Scene) -> None:
    agent = scene.start()
    with agent.connect() as connection:
        frozen = scene.hold(agent, connection)
        connection.call('novacron-quiesce-thaw', PATIENCE, token=frozen['token'])
        job = scene.begin(connection, request_id='one')
        again = connection.call('novacron-quiesce-begin', request_id='one')
        expect(again['id'] == job['id'], 'the same request has two jobs')
        later = scene.begin(connection)
        for id_ in (job['id'], 'nonsense'):
            error = refusal(connection, 'novacron-quiesce-freeze', job=id_,
                                     mountpoints=[scene.stage.inside(scene.mount)])
            expect(error.startswith('not-found:'), f'{id_}: {error}')
        expect(len(workers_of(agent)) == len(WORKERS), 'those of the first one live on')
        connection.call('novacron-quiesce-freeze', PATIENCE, job=later['id'], deadline_ms=30000,
                        mountpoints=[scene.stage.inside(scene.mount)])
        connection.call('guest-fsfreeze-thaw')


def a_server_that_refuses_us_fails_the_job_or_is_left_out(scene: Scene) -> None:
    agent = scene.start()
    scene.postgresql.query(f'ALTER ROLE {USER} NOLOGIN')
    try:
        with agent.connect() as connection:
            job = scene.begin(connection)
            expect(job['outcome'] == 'failed' and 'not permitted to log in' in job['error']['desc'],
                   f'{job}')
            expect(wait_until(lambda: not workers_of(agent), SOON), 'a worker lives on')
            job = scene.begin(connection, lenient=True)
            expect(job['outcome'] == 'partial', f'{job}')
            found = {kind: app['state'] for kind, app in scene.apps(connection, job).items()}
            expect(found == {'mariadb': 'prepared', 'mongodb': 'prepared',
                             'postgresql': 'failed', 'redis': 'prepared'}, f'{found}')
            job = scene.begin(connection, apps=['mariadb'])
            expect(job['outcome'] == 'success', f'{job}')
    finally:
        scene.postgresql.query(f'ALTER ROLE {USER} LOGIN')


def a_name_and_a_password_come_from_the_option_files(scene: Scene) -> None:
    agent = scene.start()
    options = scene.stage.root / 'etc/mysql/my.cnf'
    options.parent.mkdir(exist_ok=True)
    # what clients of a server elsewhere need is not for us
    options.write_text("[client]\nhost=192.0.2.1\n"
                       "[novacron]\nuser=clerk\npassword='a secret'\n")
    scene.mariadb.query("CREATE OR REPLACE USER clerk@localhost IDENTIFIED BY 'a secret'; "
                        "GRANT ALL ON *.* TO clerk@localhost")
    try:
        with agent.connect() as connection:
            job = scene.begin(connection, apps=['mariadb'])
            expect(job['outcome'] == 'success', f'{job}')
            users = [line.split('\t')[1]
                     for line in scene.mariadb.query('SHOW PROCESSLIST').splitlines()]
            expect('clerk' in users and USER not in users, f'{users}')
    finally:
        options.unlink()


def mongodb_that_wants_a_password_is_left_to_the_hook(scene: Scene) -> None:
    agent = scene.start()
    scene.mongodb.behave('refuses')
    try:
        with agent.connect() as connection:
            job = scene.begin(connection)
            expect(job['outcome'] == 'failed' and job['error']['code'] == 'permission' and
                   'command requires authentication' in job['error']['desc'], f'{job}')
            job = scene.begin(connection, lenient=True)
            expect(job['outcome'] == 'partial', f'{job}')
            found = {kind: app['state'] for kind, app in scene.apps(connection, job).items()}
            expect(found == {'mariadb': 'prepared', 'mongodb': 'failed',
                             'postgresql': 'prepared', 'redis': 'prepared'}, f'{found}')
    finally:
        scene.mongodb.behave('well')


def mongodb_that_takes_too_long_fails_the_job(scene: Scene) -> None:
    agent = scene.start()
    scene.mongodb.behave('hangs')
    try:
        with agent.connect() as connection:
            job = scene.begin(connection, apps=['mongodb'], limit_ms=1000)
            expect(job['error']['code'] == 'timeout', f'{job}')
            expect(scene.mongodb.asked() == ['buildInfo', 'fsync'], f'{scene.mongodb.asked()}')
            expect(wait_until(lambda: not workers_of(agent), SOON), 'the worker lives on')
    finally:
        scene.mongodb.behave('well')


def mongodb_without_a_socket_is_asked_at_its_address(scene: Scene) -> None:
    agent = scene.start()
    addresses = ['127.0.0.1', '0.0.0.0']
    if Path('/proc/net/if_inet6').exists():
        addresses.append('::1')
    try:
        with agent.connect() as connection:
            for address in addresses:
                scene.mongodb.stop()
                scene.mongodb.start(address)
                job = scene.begin(connection, apps=['mongodb'])
                expect(job['outcome'] == 'success', f'{address}: {job}')
                expect(scene.mongodb.asked() == ['buildInfo', 'fsync'],
                       f'{address}: {scene.mongodb.asked()}')
    finally:
        scene.mongodb.stop()
        scene.mongodb.start()


def mongodb_that_was_started_again_meanwhile_is_seen(scene: Scene) -> None:
    agent = scene.start()
    with agent.connect() as connection:
        job = scene.begin(connection)
        scene.mongodb.stop()
        scene.mongodb.start()
        scene.stage.forbid_others(agent.pid)
        token = connection.call('novacron-quiesce-freeze', PATIENCE, job=job['id'],
                                deadline_ms=30000,
                                mountpoints=[scene.stage.inside(scene.mount)])['token']
        time.sleep(1.5)     # then the library looks at its connection, and would renew it
        answer = connection.call('novacron-quiesce-thaw', PATIENCE, token=token)
        expect(answer['verdict'] == 'application-failed', f'{answer}')
        expect(states(answer)['mongodb'] == 'failed' and
               'the connection was lost' in answer['application-error'], f'{answer}')


def mongodb_leaves_nothing_of_its_library_behind(scene: Scene) -> None:
    """Which counts in a file of the agent's."""
    agent = scene.start()
    with agent.connect() as connection:
        expect(scene.begin(connection, apps=['mongodb'])['outcome'] == 'success', 'not prepared')
        pid = workers_of(agent)['mongodb-worker']
        memory = Path(f'/proc/{pid}/maps').read_text()
        expect(f'/mongoc-{pid} (deleted)' in memory or '/mongoc-' not in memory, memory)


def a_worker_that_is_asked_out_of_turn_says_so(scene: Scene) -> None:
    """The agent never does."""
    for name in WORKERS:
        with Worker(scene.workers, name, os.getuid()) as worker:
            held = worker.answer('database-hold', limit_ms=9, held_ms=9)
            expect('error' in held or name in ('mongodb-worker', 'redis-worker'), f'{name}: {held}')
            for command in ('database-release', 'nothing-like-this'):
                answer = worker.answer(command)
                expect('error' in answer, f'{name}, {command}: {answer}')


def not_even_roots_worker_has_capabilities(scene: Scene) -> None:
    """That of a server which runs as root."""
    with Worker(scene.workers, 'redis-worker', 0) as worker:
        worker.answer('database-release')       # it has settled in
        status = Path(f'/proc/{worker.pid}/status').read_text()
        for kind in ('CapPrm', 'CapEff', 'CapInh', 'CapAmb'):
            expect(f'{kind}:\t{0:016x}\n' in status, f'{kind}: {status}')


def a_held_mariadb_stands_still_by_itself(scene: Scene) -> None:
    """The file system is not frozen here, which would hide that nobody holds the server."""
    uid = pwd.getpwnam(USER).pw_uid
    for read_lock in (False, True):
        with Writer(scene.mariadb) as writer:
            with Worker(scene.workers, 'mariadb-worker', uid) as worker:
                worker.call('database-prepare', address=str(scene.mariadb.socket), uid=uid,
                            read_lock=read_lock, limit_ms=9000)
                expect(writer.goes_on(), 'held before it is to be')
                worker.call('database-hold', limit_ms=9000, held_ms=60000)
                expect(writer.stands_still(), f'{read_lock}: not held')
                worker.call('database-release')
                expect(writer.goes_on(), 'held after it was released')
                worker.call('database-hold', limit_ms=9000, held_ms=60000)
                expect(writer.stands_still(), f'{read_lock}: not held again')
            expect(writer.goes_on(), 'held without a worker')


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def what_takes_long_can_be_cancelled_and_has_a_limit(scene: Scene) -> None:
    agent = scene.start()
    with agent.connect() as connection, stopped(scene.postgresql.checkpointer()):
        job = connection.call('novacron-quiesce-begin')
        expect(wait_until(lambda: 'postgresql-worker' in workers_of(agent), SOON), 'no worker')
        connection.call('novacron-job-cancel', id=job['id'])
        job = connection.call('novacron-job-wait', id=job['id'], wait_ms=2000)
        expect(job.get('outcome') == 'cancelled', f'{job}')
        expect(wait_until(lambda: not workers_of(agent), SOON), 'a worker lives on')
        started = time.monotonic()
        job = scene.begin(connection, limit_ms=500)
        expect(job['error']['code'] == 'timeout', f'{job}')
        expect(time.monotonic() - started < 5, 'the limit was not kept')


def a_worker_that_is_busy_ends_with_its_agent_as_well(scene: Scene) -> None:
    agent = scene.start()
    with agent.connect() as connection, stopped(scene.postgresql.checkpointer()):
        connection.call('novacron-quiesce-begin', apps=['postgresql'])
        expect(wait_until(lambda: 'postgresql-worker' in workers_of(agent), SOON), 'no worker')
        worker = workers_of(agent)['postgresql-worker']
        expect(not wait_until(lambda: has_ended(worker), 0.5), 'it does not wait')
        agent.process.kill()
        agent.process.wait()
        expect(wait_until(lambda: has_ended(worker), SOON), 'it lives on')


@contextmanager
def impostor(scene: Scene, name: str, manner: str) -> Iterator[None]:
    """A process whose program is called as a server's is."""
    folder = scene.mount / 'impostor'
    folder.mkdir()
    shutil.chown(folder, USER)
    program = folder / name
    # one that the user can read
    shutil.copy(os.path.realpath('/usr/bin/python3'), program)
    path, listens = folder / 'impostor.sock', folder / 'listens'
    process = subprocess.Popen([str(program), '-c', IMPOSTOR, manner, str(path), str(listens)],
                               user=USER, stdin=subprocess.DEVNULL)
    try:
        expect(wait_until(listens.exists, 10), 'the impostor does not listen')
        yield
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


def a_server_that_answers_nonsense_costs_one_call(scene: Scene) -> None:
    agent = scene.start()
    with agent.connect() as connection:
        for (kind, name), manner in product((('mongodb', 'mongod'), ('redis', 'redis-server')),
                                            ('nothing', 'rubbish', 'nonsense', 'no end')):
            with impostor(scene, name, manner):
                job = scene.begin(connection, apps=[kind], limit_ms=1000)
            what = f'{kind}, {manner}'
            expect(job['outcome'] == 'failed', f'{what}: {job}')
            expect(wait_until(lambda: not workers_of(agent), SOON), f'{what}: a worker lives on')
            size = int(Path(f'/proc/{agent.pid}/statm').read_text().split()[1]) * 4096
            expect(size < 64 * MIB, f'{what}: the agent has grown to {size} bytes')
        expect(scene.begin(connection)['outcome'] == 'success', 'nothing else can be prepared')


def nobody_is_left_out_among_too_many(scene: Scene) -> None:
    """Though the others are nobody's business, as they listen nowhere."""
    agent = scene.start()
    program = scene.mount / 'redis-server'
    shutil.copy(shutil.which('sleep') or '/bin/sleep', program)
    crowd = [subprocess.Popen([str(program), '600']) for _ in range(MANY)]
    try:
        with agent.connect() as connection:
            job = scene.begin(connection, lenient=True)
            expect(job['outcome'] == 'failed' and 'too many' in job['error']['desc'], f'{job}')
    finally:
        for process in crowd:
            process.kill()
            process.wait()
        program.unlink()


def servers_are_told_with_who_makes_them_ready(scene: Scene) -> None:
    agent = scene.start()
    with agent.connect() as connection:
        apps = {app['kind']: app for app in connection.rows('novacron-quiesce-apps')}
        for kind in ('mariadb', 'mongodb', 'postgresql', 'redis'):
            expect(apps[kind]['worker'] and apps[kind]['ready'], f'{apps}')
    agent = Play.start(scene, novacron='areas=quiesce\nworker-directory=/nonexistent')
    with agent.connect() as connection:
        apps = connection.rows('novacron-quiesce-apps')
        expect({app['worker-reason'] for app in apps} == {'no-worker'}, f'{apps}')
        job = scene.begin(connection)
        expect(job['outcome'] == 'success' and not scene.apps(connection, job), f'{job}')


CHECKS = [
    a_server_is_prepared_then_held_then_released,
    a_mariadb_that_looks_like_mysql_is_not_held_by_the_hook_as_well,
    snapshots_that_are_called_consistent_are,
    a_worker_can_do_nothing_but_its_work,
    a_worker_that_dies_makes_the_snapshot_worthless,
    a_session_that_the_server_ends_is_seen,
    an_agent_that_is_killed_takes_its_workers_with_it,
    a_new_agent_says_that_nobody_held_the_applications,
    the_deadline_lets_the_applications_go,
    an_agent_that_is_stopped_holds_nothing_for_ever,
    a_freeze_that_fails_lets_the_applications_go,
    no_worker_outlives_its_freeze,
    what_cannot_be_held_fails_the_freeze_or_is_left_out,
    what_was_prepared_is_for_one_freeze,
    a_server_that_refuses_us_fails_the_job_or_is_left_out,
    a_name_and_a_password_come_from_the_option_files,
    mongodb_that_wants_a_password_is_left_to_the_hook,
    mongodb_that_takes_too_long_fails_the_job,
    mongodb_without_a_socket_is_asked_at_its_address,
    mongodb_that_was_started_again_meanwhile_is_seen,
    mongodb_leaves_nothing_of_its_library_behind,
    a_worker_that_is_asked_out_of_turn_says_so,
    not_even_roots_worker_has_capabilities,
    a_held_mariadb_stands_still_by_itself,
    what_takes_long_can_be_cancelled_and_has_a_limit,
    a_worker_that_is_busy_ends_with_its_agent_as_well,
    a_server_that_answers_nonsense_costs_one_call,
    nobody_is_left_out_among_too_many,
    servers_are_told_with_who_makes_them_ready,
]


def main() -> int:
    options = check.parser(__doc__)
    options.add_argument('--full', action='store_true', help='more snapshots')
    options.add_argument('--workers', required=True, help='the folder of the workers')
    chosen = options.parse_args()
    program = suite.program(chosen.agent)
    here = sys.modules[__name__]

    def perform(where: stage.Stage) -> int:
        with Scene(where, program, Path(chosen.workers).resolve(), chosen.full) as scene:
            return check.run_all([here], chosen, lambda: scene)

    return stage.perform(['ext4'], perform, MEBIBYTES)


if __name__ == '__main__':
    sys.exit(main())
