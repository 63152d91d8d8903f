# SPDX-License-Identifier: GPL-2.0-or-later
"""novacron-file-*: transfers that are cut, holes, atomicity, folders, and what nobody may do."""
import base64
import contextlib
import fcntl
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import struct
import threading
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Tuple

from lib.agent import Agent
from lib.check import Check, Skip, expect, expect_cost
from lib.connection import Connection, rows_of
from lib.process import wait_until

PIECE = 1024
MIB = 1024 * 1024
PIECE_MAX = 512 * 1024
DAY = 24 * 3600


@contextlib.contextmanager
def files(check: Check, areas: str = 'file', *options: str,
          under: Sequence[str] = ()) -> Iterator[Tuple[Connection, Agent]]:
    agent = check.prepare()
    agent.program[:0] = under
    configuration = agent.folder / 'agent.conf'
    configuration.write_text(f'[novacron]\nareas={areas}\ndata-directory={agent.folder}/data\n'
                             f'sessions=unix-listen:{agent.folder}/session\n')
    agent.arguments = ['-c', str(configuration), *options]
    agent.start()
    with agent.connect() as client:
        yield client, agent


def refusal(client: Connection, command: str, **arguments: Any) -> str:
    answer = client.answer(command, **arguments)
    expect('error' in answer, f'{command} answers {answer}')
    return str(answer['error']['desc'])


def concluded(client: Connection, job: Dict[str, Any], timeout: float = 60) -> Dict[str, Any]:
    deadline = time.monotonic() + timeout
    while job['status'] != 'concluded':
        expect(time.monotonic() < deadline, f'still under way: {job}')
        job = client.call('novacron-job-wait', id=job['id'], wait_ms=250)
    return job


def succeeded(client: Connection, job: Dict[str, Any]) -> Any:
    job = concluded(client, job)
    expect(job['outcome'] == 'success', f'{job}')
    return client.call('novacron-job-result', id=job['id'])['result']


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def piece(data: bytes) -> Dict[str, str]:
    return {'buf-b64': base64.b64encode(data).decode(), 'sha256': digest(data)}


def request(command: str, **arguments: Any) -> bytes:
    return json.dumps({'execute': command, 'arguments': arguments}).encode() + b'\n'


def writes(identity: str, data: bytes, begin: int) -> bytes:
    """All that a client sends from there on."""
    return b''.join(request('novacron-file-upload-write', id=identity, offset=at,
                            **piece(data[at:at + PIECE]))
                    for at in range(begin, len(data), PIECE))


def write_rest(client: Connection, identity: str, path: Path, data: bytes) -> int:
    """Where it went on. Who was cut off may still be writing his last piece."""
    at = client.call('novacron-file-upload-begin', id=identity, path=str(path))['size-bytes']
    begun = at
    deadline = time.monotonic() + 10
    while at < len(data):
        answer = client.answer('novacron-file-upload-write', id=identity, offset=at,
                               **piece(data[at:at + PIECE]))
        if 'return' in answer:
            at += len(data[at:at + PIECE])
            continue
        expect(answer['error']['desc'].startswith('busy: ') and time.monotonic() < deadline,
               f'{answer}')
    return int(begun)


def upload(client: Connection, path: Path, data: bytes, identity: str = 'up',
           **more: Any) -> Dict[str, Any]:
    """The commit, concluded."""
    client.call('novacron-file-upload-begin', id=identity, path=str(path))
    for at in range(0, len(data), PIECE_MAX):
        client.call('novacron-file-upload-write', id=identity, offset=at,
                    **piece(data[at:at + PIECE_MAX]))
    return concluded(client, client.call('novacron-file-upload-commit', id=identity,
                                         size_bytes=len(data), sha256=digest(data), **more))


@contextlib.contextmanager
def synced(agent: Agent) -> Iterator[Connection]:
    """After whoever was there before, as clients do it: half a request may still be lying there."""
    with agent.connect() as client:
        client.send(b'\xff' + request('guest-sync-delimited', id=77))
        client.read_through(b'\xff')
        answer = client.read_line()
        expect(b'77' in answer, f'{answer!r}')
        yield client


def kill(agent: Agent) -> None:
    """It is not about how often: three times in a row would mean safe mode."""
    assert agent.process is not None
    agent.process.send_signal(signal.SIGKILL)
    agent.process.wait()
    (agent.state / 'qga.starts').unlink()


def cut_off(agent: Agent, stream: bytes, length: int, is_killed: bool) -> None:
    """A client that sends so much of the stream and vanishes, or whose agent does."""
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.connect(str(agent.socket))
    peer.sendall(stream[:length])
    if is_killed:
        kill(agent)
        agent.start()
    peer.close()


def an_upload_that_is_cut_at_any_byte_goes_on(check: Check) -> None:
    data = random.Random(4).randbytes(6 * PIECE + 77)
    with files(check) as (client, agent):
        client.close()
        target = agent.files / 'target'
        stream = writes('up', data, 0)
        began = set()
        cuts = range(0, len(stream), 13 if check.full else 211)
        for number, cut in enumerate(cuts):
            with synced(agent) as first:
                first.call('novacron-file-upload-begin', id='up', path=str(target))
            cut_off(agent, stream, cut, is_killed=number % 4 == 0)
            with synced(agent) as second:
                began.add(write_rest(second, 'up', target, data))
                result = succeeded(second, second.call(
                    'novacron-file-upload-commit', id='up', size_bytes=len(data),
                    sha256=digest(data)))
            expect(result['sha256'] == digest(data), f'cut at {cut}: {result}')
            expect(target.read_bytes() == data, f'cut at {cut}: other bytes')
            target.unlink()
        expect(len(began) > 4, f'went on at {began} only')
        expect(not [path for path in agent.files.iterdir()], 'something was left behind')


def one_upload_survives_many_cuts(check: Check) -> None:
    data = random.Random(5).randbytes(40 * PIECE)
    dice = random.Random(6)
    with files(check) as (client, agent):
        client.close()
        target = agent.files / 'target'
        for number in range(200):
            with synced(agent) as client:
                at = client.call('novacron-file-upload-begin', id='up',
                                 path=str(target))['size-bytes']
            if at == len(data):
                break
            cut_off(agent, writes('up', data, at), dice.randrange(1, 4 * PIECE), number % 3 == 0)
        else:
            raise AssertionError(f'only {at} bytes after {number} attempts')
        with synced(agent) as client:
            succeeded(client, client.call('novacron-file-upload-commit', id='up',
                                          size_bytes=len(data), sha256=digest(data)))
        expect(target.read_bytes() == data, 'other bytes')


def a_file_with_holes_keeps_them(check: Check) -> None:
    with files(check) as (client, agent):
        source, target = agent.files / 'source', agent.files / 'target'
        with open(source, 'wb') as file:
            for at in (0, 5 * MIB, 64 * MIB - 3):
                file.seek(at)
                file.write(os.urandom(5000))
            file.truncate(80 * MIB)
        client.call('novacron-file-upload-begin', id='up', path=str(target))
        at, requests, end = 0, 0, False
        while not end:
            got = client.call('novacron-file-read', path=str(source), offset=at, holes=True,
                              count=PIECE_MAX)
            hole = got.get('hole-bytes', 0)
            what = {'hole-bytes': hole} if hole else {'buf-b64': got['buf-b64'],
                                                      'sha256': got['sha256']}
            client.call('novacron-file-upload-write', id='up', offset=at, **what)
            at += hole or got['count']
            requests += 1
            end = got['eof']
        result = succeeded(client, client.call('novacron-file-upload-commit', id='up',
                                               size_bytes=at))
        data = source.read_bytes()
        expect(result == {'sha256': digest(data), 'size-bytes': len(data)}, f'{result}')
        expect(target.read_bytes() == data, 'other bytes')
        allocated = client.call('novacron-file-stat', path=str(target))['allocated-bytes']
        expect(allocated <= os.stat(source).st_blocks * 512 + 65536, f'{allocated} bytes on disk')
        expect(requests < 20, f'{requests} requests')
        client.call('novacron-file-write', path=str(target), offset=5 * MIB, hole_bytes=2 * MIB)
        data = data[:5 * MIB] + bytes(2 * MIB) + data[7 * MIB:]
        expect(target.read_bytes() == data, 'a hole that was made')


class Watcher(threading.Thread):
    """Reads a file over and over and keeps what is neither of the allowed contents."""

    def __init__(self, path: Path, allowed: List[bytes]):
        super().__init__(daemon=True)
        self.path, self.allowed = path, allowed
        self.wrong: List[str] = []
        self.seen: List[int] = [0] * len(allowed)
        self.is_over = False

    def run(self) -> None:
        while not self.is_over:
            try:
                data = self.path.read_bytes()
            except OSError as error:
                self.wrong.append(str(error))
                continue
            if data in self.allowed:
                self.seen[self.allowed.index(data)] += 1
            else:
                self.wrong.append(f'{len(data)} bytes')


def a_reader_sees_the_old_file_or_the_new_one(check: Check) -> None:
    contents = [b'old' * 70000, b'new' * 90000]
    with files(check) as (client, agent):
        target = agent.files / 'target'
        target.write_bytes(contents[0])
        watcher = Watcher(target, contents)
        watcher.start()
        for number in range(40):
            job = upload(client, target, contents[(number + 1) % 2])
            expect(job['outcome'] == 'success', f'{job}')
        watcher.is_over = True
        watcher.join()
        expect(not watcher.wrong, f'{watcher.wrong[:3]}')
        expect(min(watcher.seen) > 0, f'seen {watcher.seen}')


def a_new_file_takes_over_permissions_and_owner(check: Check) -> None:
    with files(check) as (client, agent):
        target = agent.files / 'target'
        expect(upload(client, target, b'one')['outcome'] == 'success', 'one')
        expect(target.stat().st_mode & 0o7777 == 0o600, oct(target.stat().st_mode))
        target.chmod(0o2751)
        owner = (65534, 1) if os.geteuid() == 0 else (os.getuid(), os.getgid())
        os.chown(target, *owner)
        target.chmod(0o2751)
        expect(upload(client, target, b'two')['outcome'] == 'success', 'two')
        status = target.stat()
        expect((status.st_uid, status.st_gid, status.st_mode & 0o7777) == (*owner, 0o2751),
               f'{status}')
        expect(upload(client, target, b'three', mode='0640')['outcome'] == 'success', 'three')
        expect(target.stat().st_mode & 0o7777 == 0o640, oct(target.stat().st_mode))
        job = upload(client, target, b'four', replace=False)
        expect(job['error']['code'] == 'exists', f'{job}')
        expect(target.read_bytes() == b'three', 'replaced after all')
        job = concluded(client, client.call('novacron-file-upload-commit', id='up', size_bytes=5))
        expect(job['error']['code'] == 'bad-value', f'{job}')
        client.call('novacron-file-upload-abort', id='up')
        expect(os.listdir(agent.files) == ['target'], f'{os.listdir(agent.files)}')


ACL, LABEL = 'system.posix_acl_access', 'security.selinux'
ANYBODY = 0xffffffff


def acl(user: int, mask: int) -> bytes:
    """As acl(5) has it on the disk: rw for its owner and `user`, r for its group, within `mask`."""
    entries = ((1, 6, ANYBODY), (2, 6, user), (4, 4, ANYBODY), (16, mask, ANYBODY),
               (32, 0, ANYBODY))
    return struct.pack('<I', 2) + b''.join(struct.pack('<HHI', *entry) for entry in entries)


def attributes(path: Path) -> Dict[str, bytes]:
    return {name: os.getxattr(path, name) for name in os.listxattr(path)}


def set_attributes(path: Path, values: Dict[str, bytes]) -> None:
    for name, value in values.items():
        try:
            os.setxattr(path, name, value)
        except OSError as error:
            raise Skip(f'{name} cannot be set here: {error}') from error


def a_new_file_takes_over_acl_and_label(check: Check) -> None:
    """And neither what was said of the old contents, nor what its folder has for new files."""
    rights = {ACL: acl(65534, 4), LABEL: b'system_u:object_r:shadow_t:s0\0'}
    contents = {'security.capability': bytes.fromhex('01000002' '00040000' + '00' * 12),
                'user.checksum': b'of the old contents'}
    with files(check) as (client, agent):
        target = agent.files / 'target'
        target.touch()
        set_attributes(target, {**rights, **contents})
        set_attributes(agent.files, {'system.posix_acl_default': acl(1, 6)})
        expect(upload(client, target, b'one')['outcome'] == 'success', 'one')
        expect(attributes(target) == rights, f'{attributes(target)}')
        expect(target.stat().st_mode & 0o7777 == 0o640, oct(target.stat().st_mode))
        expect(upload(client, target, b'two', mode='0600')['outcome'] == 'success', 'two')
        expect(attributes(target) == {LABEL: rights[LABEL]}, f'{attributes(target)}')
        target.chmod(0o664)
        expect(upload(client, target, b'three')['outcome'] == 'success', 'three')
        expect(ACL not in attributes(target), 'that of its folder')
        expect(target.stat().st_mode & 0o7777 == 0o664, oct(target.stat().st_mode))


def a_commit_that_may_not_keep_them_fails(check: Check) -> None:
    forbidden = ('strace', '-D', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsetxattr', '-e',
                 'inject=fsetxattr:error=EPERM')
    if not shutil.which(forbidden[0]) or not check.costs_count:
        raise Skip('no strace, or sanitizers, which it disturbs')
    with files(check, under=forbidden) as (client, agent):
        target, temporary = agent.files / 'target', agent.files / '.novacron-upload-up'
        target.write_text('old')
        label = {LABEL: b'system_u:object_r:etc_t:s0\0'}
        commit = {'id': 'up', 'size_bytes': 3}
        set_attributes(target, {**label, ACL: acl(1, 6)})
        job = upload(client, target, b'new')
        for what in ('SELinux label', 'ACL'):
            expect(job['error']['desc'] == f"permission: {what} of '{target}': Operation not "
                   'permitted', f'{job}')
            expect(target.read_text() == 'old' and ACL not in attributes(temporary) and
                   temporary.stat().st_mode & 0o777 == 0o600, f'{temporary.stat()}')
            set_attributes(temporary, label)        # as its folder could have done: not set again
            job = concluded(client, client.call('novacron-file-upload-commit', **commit))
        succeeded(client, client.call('novacron-file-upload-commit', mode='0640', **commit))
        expect(target.read_text() == 'new' and attributes(target) == label,
               f'{attributes(target)}')


def a_file_system_without_attributes_will_do(check: Check) -> None:
    if os.geteuid():
        raise Skip('only root can mount')
    mounted = ('unshare', '-m', 'sh', '-c', 'mount -t ramfs none . && cd "$PWD" && exec "$@"', '-')
    with files(check, under=mounted) as (client, agent):
        target = agent.files / 'target'
        for data in (b'one', b'two'):
            expect(upload(client, target, data)['outcome'] == 'success', f'{data!r}')
        expect(not target.exists() and
               client.call('novacron-file-read', path=str(target))['sha256'] == digest(b'two'),
               'not there')


def an_upload_with_another_digest_is_not_committed(check: Check) -> None:
    with files(check) as (client, agent):
        target = agent.files / 'target'
        client.call('novacron-file-upload-begin', id='up', path=str(target))
        client.call('novacron-file-upload-write', id='up', offset=0, **piece(b'hello'))
        job = concluded(client, client.call('novacron-file-upload-commit', id='up', size_bytes=5,
                                            sha256=digest(b'world')))
        expect(job['error']['code'] == 'bad-value' and not target.exists(), f'{job}')
        succeeded(client, client.call('novacron-file-upload-commit', id='up', size_bytes=5,
                                      sha256=digest(b'hello')))
        text = refusal(client, 'novacron-file-upload-status', id='up')
        expect(text.startswith('not-found: '), text)


def an_upload_that_finds_its_name_taken_is_as_it_was(check: Check) -> None:
    with files(check) as (client, agent):
        target, temporary = agent.files / 'target', agent.files / '.novacron-upload-up'
        target.write_text('old')
        job = upload(client, target, b'secret', replace=False, mode='0644')
        expect(job['error']['code'] == 'exists' and target.read_text() == 'old', f'{job}')
        expect(temporary.stat().st_mode & 0o777 == 0o600, f'{temporary.stat()}')
        succeeded(client, client.call('novacron-file-upload-commit', id='up', size_bytes=6))
        expect(target.read_text() == 'secret', 'not committed')


def a_name_of_a_request_is_short(check: Check) -> None:
    with files(check) as (client, agent):
        path = str(agent.files / 'none')
        text = refusal(client, 'novacron-file-digest', path=path, request_id='x' * 257)
        expect(text.startswith('bad-value: '), text)
        client.call('novacron-file-digest', path=path, request_id='x' * 256)


def a_temporary_file_of_somebody_else_is_not_written_to(check: Check) -> None:
    with files(check) as (client, agent):
        victim = agent.folder / 'victim'
        victim.write_text('precious')
        temporary = agent.files / '.novacron-upload-up'
        for trap in (temporary.symlink_to, lambda path: os.link(path, temporary),
                     lambda path: os.mkfifo(temporary)):
            client.call('novacron-file-upload-begin', id='up', path=str(agent.files / 'target'))
            temporary.unlink()
            trap(victim)
            text = refusal(client, 'novacron-file-upload-write', id='up', offset=0, **piece(b'x'))
            expect(text.startswith('not-found: '), text)
            job = concluded(client, client.call('novacron-file-upload-commit', id='up',
                                                size_bytes=8))
            expect(job['error']['code'] == 'not-found', f'{job}')
            client.call('novacron-file-upload-abort', id='up')
            temporary.unlink()
        expect(victim.read_text() == 'precious', 'it was written to')


def leave_behind(agent: Agent, identity: str, begun: int, written: int) -> None:
    """As if so many days had gone since."""
    record = agent.folder / 'data' / 'uploads' / f'{identity}.json'
    told = json.loads(record.read_text())
    told['begun-ns'] -= begun * DAY * 10**9
    record.write_text(json.dumps(told))
    touch(agent.files / f'.novacron-upload-{identity}', written)


def touch(path: Path, days: int) -> None:
    os.utime(path, (time.time() - days * DAY,) * 2)


def uploads_are_bounded(check: Check) -> None:
    with files(check) as (client, agent):
        for number in range(64):
            client.call('novacron-file-upload-begin', id=f'n{number}',
                        path=str(agent.files / f'{number}'))
        text = refusal(client, 'novacron-file-upload-begin', id='more',
                       path=str(agent.files / 'more'))
        expect(text == 'busy: 64 uploads are under way', text)
        for number in range(64):
            leave_behind(agent, f'n{number}', 8, 8)
        client.call('novacron-file-upload-begin', id='more', path=str(agent.files / 'more'))
        expect(os.listdir(agent.files) == ['.novacron-upload-more'], f'{os.listdir(agent.files)}')


def an_upload_expires_when_nothing_has_come_for_long(check: Check) -> None:
    with files(check) as (client, agent):
        for identity in ('new', 'slow', 'old', 'gone'):
            client.call('novacron-file-upload-begin', id=identity,
                        path=str(agent.files / identity))
        leave_behind(agent, 'slow', begun=8, written=6)
        leave_behind(agent, 'old', begun=9, written=8)
        leave_behind(agent, 'gone', begun=8, written=0)
        (agent.files / '.novacron-upload-gone').unlink()
        records = agent.folder / 'data' / 'uploads'
        for name, days in (('broken.json', 6), ('wreck.json', 8)):
            (records / name).touch()
            touch(records / name, days)
        client.call('novacron-file-upload-begin', id='more', path=str(agent.files / 'more'))
        left = {record.stem for record in records.iterdir()}
        expect(left == {'new', 'slow', 'broken', 'more'}, f'{left}')
        names = {path.name for path in agent.files.iterdir()}
        expect(names == {f'.novacron-upload-{name}' for name in ('new', 'slow', 'more')},
               f'{names}')


def an_upload_that_is_being_committed_does_not_expire(check: Check) -> None:
    with files(check) as (client, agent):
        client.call('novacron-file-upload-begin', id='up', path=str(agent.files / 'target'))
        leave_behind(agent, 'up', begun=8, written=8)
        temporary = agent.files / '.novacron-upload-up'
        with open(temporary, 'rb') as file:
            fcntl.flock(file, fcntl.LOCK_EX)     # as the job does
            client.call('novacron-file-upload-begin', id='one', path=str(agent.files / 'one'))
            expect(temporary.exists(), 'it was removed')
        client.call('novacron-file-upload-begin', id='two', path=str(agent.files / 'two'))
        expect(not temporary.exists(), 'it was kept')


def an_upload_begins_anew_after_a_restart_of_the_guest(check: Check) -> None:
    with files(check) as (client, agent):
        where = {'id': 'up', 'path': str(agent.files / 'target')}
        client.call('novacron-file-upload-begin', **where)
        client.call('novacron-file-upload-write', id='up', offset=0, **piece(b'hello'))
        record = agent.folder / 'data' / 'uploads' / 'up.json'
        record.write_text(record.read_text().replace('"boot": "', '"boot": "another-'))
        expect(client.call('novacron-file-upload-status', id='up')['size-bytes'] == 0, 'status')
        text = refusal(client, 'novacron-file-upload-write', id='up', offset=5, **piece(b'x'))
        expect(text.startswith('interrupted: '), text)
        expect(client.call('novacron-file-upload-begin', **where)['size-bytes'] == 0, 'begin')
        client.call('novacron-file-upload-write', id='up', offset=0, **piece(b'hi'))
        succeeded(client, client.call('novacron-file-upload-commit', id='up', size_bytes=2))
        expect((agent.files / 'target').read_bytes() == b'hi', 'other bytes')


def what_is_no_file_is_turned_away_at_once(check: Check) -> None:
    with files(check) as (client, agent):
        fifo, listener = agent.files / 'fifo', socket.socket(socket.AF_UNIX)
        os.mkfifo(fifo)
        listener.bind(str(agent.files / 'socket'))
        for path in (fifo, agent.files / 'socket', agent.files, '/dev/zero', '/dev/tty'):
            began = time.monotonic()
            for command, arguments in (('read', {}), ('write', piece(b'x')),
                                       ('write', {'create': '0600', **piece(b'x')})):
                text = refusal(client, f'novacron-file-{command}', path=str(path), **arguments)
                expect(text.endswith('is not a regular file'), text)
            job = concluded(client, client.call('novacron-file-digest', path=str(path)))
            expect(job['error']['code'] == 'bad-value', f'{job}')
            expect_cost(time.monotonic() - began < 2, f'{path} took its time')
        listener.close()


def a_path_leads_no_further_than_it_may(check: Check) -> None:
    with files(check) as (client, agent):
        root = agent.files / 'root'
        (root / 'sub').mkdir(parents=True)
        (agent.files / 'secret').write_text('secret')
        (root / 'plain').write_text('plain')
        (root / 'out').symlink_to(agent.files / 'secret')
        (root / 'up').symlink_to('../secret')
        (root / 'inside').symlink_to('/plain')
        (root / 'loop').symlink_to('loop')

        def read(path: str, **resolve: Any) -> str:
            answer = client.answer('novacron-file-read', path=path, resolve=resolve)
            return base64.b64decode(answer['return']['buf-b64']).decode() \
                if 'return' in answer else answer['error']['desc'].split(':')[0]

        for path, resolve, expected in (
                ('/plain', {'root': str(root)}, 'plain'),
                ('/../../plain', {'root': str(root)}, 'plain'),
                ('/inside', {'root': str(root)}, 'plain'),
                ('/out', {'root': str(root)}, 'not-found'),
                ('/up', {'root': str(root)}, 'not-found'),
                ('/sub/../plain', {'root': str(root), 'beneath': True}, 'plain'),
                ('/../secret', {'root': str(root), 'beneath': True}, 'permission'),
                ('/inside', {'root': str(root), 'beneath': True}, 'permission'),
                ('/up', {'root': str(root), 'beneath': True}, 'permission'),
                ('/inside', {'root': str(root), 'no-symlinks': True}, 'permission'),
                (f'{root}/out', {}, 'secret'),
                (f'{root}/out', {'no-symlinks': True}, 'permission'),
                ('/proc/self/exe', {'no-magic-links': True}, 'permission'),
                ('/proc/version', {'no-mounts': True}, 'permission')):
            got = read(path, **resolve)
            expect(got == expected, f'{path} with {resolve}: {got}')
        for command, arguments in (('mkdir', {}), ('link', {'target': 'x', 'symbolic': True}),
                                   ('write', {'create': '0600', **piece(b'x')})):
            text = refusal(client, f'novacron-file-{command}', path='/../new', **arguments,
                           resolve={'root': str(root), 'beneath': True})
            expect(text.startswith('permission: '), text)


def names_of(rows: List[Dict[str, Any]]) -> List[str]:
    return [row['name'] for row in rows]


def a_long_folder_is_listed_in_pages(check: Check) -> None:
    """All of one moment, whatever becomes of the folder meanwhile."""
    names = {f'file-{number:05}-{"x" * (number % 90)}' for number in range(5000)}
    with files(check) as (client, agent):
        for name in names:
            (agent.files / name).touch()
        arguments: Dict[str, Any] = {'path': str(agent.files), 'max-bytes': 40000}
        seen: List[str] = []
        generations = set()
        for number in range(1000):
            line = client.ask(request('novacron-file-list', **arguments))
            expect(len(line) <= 40000, f'{len(line)} bytes')
            page = json.loads(line)['return']
            seen += names_of(rows_of(page))
            generations.add(page['generation'])
            if 'next' not in page:
                break
            arguments['cursor'] = page['next']
            (agent.files / f'new-{number}').touch()
            (agent.files / seen[-1]).unlink()
        expect(number > 5, f'{number} pages')
        expect(len(seen) == len(names) and set(seen) == names, f'{len(seen)} names')
        expect(len(generations) == 1, f'{generations}')


def a_folder_that_is_too_long_to_be_kept_is_listed_all_the_same(check: Check) -> None:
    """In parts, for which the agent need not even be the same."""
    names = {f'{number:05}' + 'x' * 240 for number in range(9000)}      # three parts
    with files(check) as (client, agent):
        for name in names:
            (agent.files / name).touch()
        arguments: Dict[str, Any] = {'path': str(agent.files), 'max-bytes': MIB,
                                     'columns': ['name', 'target']}
        page = client.call('novacron-file-list', **arguments)
        seen = names_of(rows_of(page))
        while 'next' in page:
            expect('generation' not in page, 'a part has a generation')
            if page['next'].startswith('@'):
                client.close()
                kill(agent)
                agent.start()
                client = agent.connect()
            page = client.call('novacron-file-list', **arguments, cursor=page['next'])
            seen += names_of(rows_of(page))
        client.close()
        expect(len(seen) == len(names) and set(seen) == names, f'{len(seen)} names')


def who_polls_a_folder_is_told_what_has_changed(check: Check) -> None:
    with files(check) as (client, agent):
        known: Dict[str, Dict[str, Any]] = {}
        generation, sizes = 'none', []
        dice = random.Random(7)
        for step in range(200):
            for _ in range(dice.choice((0, 0, 1, 5))):
                path = agent.files / f'file-{dice.randrange(40)}'
                if dice.random() < 0.3:
                    path.unlink(missing_ok=True)
                else:
                    path.write_bytes(bytes(dice.randrange(9)))
            page: Dict[str, Any] = {'next': None}
            arguments: Dict[str, Any] = {'since': generation}
            while 'next' in page:
                line = client.ask(request('novacron-file-list', path=str(agent.files), limit=3,
                                          **arguments))
                page = json.loads(line)['return']
                if page.get('reset'):
                    known = {}
                for name in page.get('removed', []):
                    del known[name]
                if 'columns' in page:
                    known.update({row['name']: row for row in rows_of(page)})
                else:
                    sizes.append(len(line))
                arguments = {'cursor': page.get('next')}
            generation = page['generation']
            there = {row['name']: row for row in client.rows('novacron-file-list',
                                                             path=str(agent.files))}
            expect(known == there, f'step {step}: {known} is not {there}')
        expect(len(sizes) > 20 and max(sizes) <= 60, f'unchanged: {sizes}')


def what_a_folder_does_not_tell_is_named(check: Check) -> None:
    agent = check.prepare()
    agent.user = None if os.geteuid() else 'nobody'
    with agent.start().connect() as client:
        folder = agent.folder / 'read'
        folder.mkdir()
        (folder / 'name').touch()
        folder.chmod(0o444)
        page = client.call('novacron-file-list', path=str(folder), columns=['name', 'uid'])
        expect(page['rows'] == [['name', None]] and
               page['partial'] == [{'column': 'uid', 'reason': 'no-permission'}], f'{page}')
        folder.chmod(0o755)
        page = client.call('novacron-file-list', path=str(folder), columns=['name', 'uid'],
                           since=page['generation'])
        expect(page['rows'] == [['name', os.geteuid()]] and 'partial' not in page, f'{page}')
        names = client.call('novacron-file-list', path=str(folder), columns=['name'])
        expect('partial' not in names, f'{names}')


def a_digest_tells_its_progress_and_can_be_stopped(check: Check) -> None:
    with files(check) as (client, agent):
        path = agent.files / 'data'
        path.write_bytes(os.urandom(3 * MIB + 5))
        result = succeeded(client, client.call('novacron-file-digest', path=str(path)))
        expect(result == {'sha256': digest(path.read_bytes()), 'size-bytes': 3 * MIB + 5},
               f'{result}')
        result = succeeded(client, client.call('novacron-file-digest', path=str(path), offset=7,
                                               count=1000))
        expect(result['sha256'] == digest(path.read_bytes()[7:1007]), f'{result}')
        with open(path, 'wb') as file:
            file.truncate(1 << 40)
        job = client.call('novacron-file-digest', path=str(path))
        expect(wait_until(lambda: client.call('novacron-job-wait', id=job['id'], wait_ms=100)
                          .get('progress', {}).get('current', 0) > 0), 'no progress')
        began = time.monotonic()
        with agent.connect(agent.folder / 'session') as other:
            other.call('guest-ping')
        client.call('novacron-job-cancel', id=job['id'])
        job = concluded(client, job)
        expect(job['outcome'] == 'cancelled' and job['progress']['total'] == 1 << 40, f'{job}')
        expect_cost(time.monotonic() - began < 2, 'it took its time to stop')


def a_tree_is_removed_and_nothing_else(check: Check) -> None:
    with files(check) as (client, agent):
        tree, other = agent.files / 'tree', agent.files / 'other'
        other.mkdir()
        (other / 'kept').touch()
        for number in range(300):
            folder = tree / str(number % 7) / str(number)
            folder.mkdir(parents=True)
            (folder / 'file').touch()
        (tree / 'link').symlink_to(other)
        os.mkfifo(tree / 'fifo')
        count = 1 + sum(1 for _ in tree.rglob('*'))
        result = succeeded(client, client.call('novacron-file-remove-tree', path=str(tree)))
        expect(result == {'count': count}, f'{result}, not {count}')
        expect(not tree.exists() and (other / 'kept').exists(), 'more or less was removed')
        for path, code in ((other / 'kept', 'not-found'), (agent.files / 'none', 'not-found')):
            job = concluded(client, client.call('novacron-file-remove-tree', path=str(path)))
            expect(job['error']['code'] == code, f'{job}')
        deep = tree
        for _ in range(300):
            deep = deep / 'd'
        deep.mkdir(parents=True)
        job = concluded(client, client.call('novacron-file-remove-tree', path=str(tree)))
        expect(job['error']['code'] == 'budget', f'{job}')


def a_slow_disk_delays_a_job_and_nobody_else(check: Check) -> None:
    """It is begun when its record is on the disk, told as concluded when its end is."""
    slow = ('strace', '-D', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync', '-e',
            'inject=fsync:delay_enter=400000')
    if not shutil.which(slow[0]) or not check.costs_count:
        raise Skip('no strace, or sanitizers, which it disturbs')
    with files(check, under=slow) as (client, agent):
        tree = agent.files / 'tree'
        tree.mkdir()
        began = time.monotonic()
        job = client.call('novacron-file-remove-tree', path=str(tree))
        expect(job['status'] == 'created' and tree.exists(), f'{job}')
        seen = []
        while job['status'] != 'concluded':
            asked = time.monotonic()
            job = client.call('novacron-job-wait', id=job['id'], wait_ms=0)
            expect(time.monotonic() - asked < 0.3, f'an answer took {time.monotonic() - asked} s')
            expect(job['status'] != 'created' or tree.exists(), 'removed without a record')
            if job['status'] not in seen:
                seen.append(job['status'])
            time.sleep(0.01)
        expect(time.monotonic() - began > 4 * 0.4, 'no file and no folder was synced')
        expect(seen[0] == 'created' and seen[-2:] == ['pending-finalize', 'concluded'], f'{seen}')
        expect(job['outcome'] == 'success' and not tree.exists(), f'{job}')


def a_piece_that_is_changed_while_it_is_read_is_refused(check: Check) -> None:
    slow = ('strace', '-D', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=pread64', '-e',
            'inject=pread64:delay_enter=400000')
    if not shutil.which(slow[0]) or not check.costs_count:
        raise Skip('no strace, or sanitizers, which it disturbs')
    with files(check, under=slow) as (client, agent):
        path = agent.files / 'file'
        path.write_bytes(b'old')
        time.sleep(0.05)        # the kernel's clock for files goes in steps
        version = client.call('novacron-file-read', path=str(path))['version']
        client.send(request('novacron-file-read', path=str(path), version=version))
        time.sleep(0.2)
        path.write_bytes(b'new')
        line = client.read_line(10)
        expect(b'plan-changed: ' in line, f'{line!r}')


def without_a_record_nothing_is_changed(check: Check) -> None:
    with files(check) as (client, agent):
        (agent.folder / 'data').touch()     # where its folder would be
        tree = agent.files / 'tree'
        tree.mkdir()
        job = concluded(client, client.call('novacron-file-remove-tree', path=str(tree)))
        expect(job['outcome'] == 'failed' and 'the record of the job' in job['error']['desc'],
               f'{job}')
        expect(tree.exists(), 'it was removed')
        (agent.folder / 'data').unlink()
        expect(succeeded(client, client.call('novacron-file-remove-tree', path=str(tree))) ==
               {'count': 1}, 'it cannot be tried again')


def what_is_blocked_upstream_is_blocked_here(check: Check) -> None:
    def enabled(*options: str, areas: str = 'file') -> Dict[str, bool]:
        with files(check, areas, *options) as (client, _):
            areas_told = client.call('novacron-capabilities')
        return {command['name']: command['enabled'] for area in areas_told
                if area['name'] == 'file' for command in area['commands']}

    everything = enabled()
    expect(all(everything.values()) and len(everything) == 17, f'{everything}')
    changing = {name for name, is_enabled in enabled(areas='').items() if not is_enabled}
    reading = {f'novacron-file-{name}' for name in ('stat', 'list', 'read', 'digest',
                                                    'upload-status')}
    expect(changing == set(everything) - reading, f'{changing}')
    for blocked, expected in (
            ('guest-file-open', set(everything)),
            ('guest-file-write', changing),
            ('guest-file-read', {f'novacron-file-{name}' for name in ('list', 'read', 'digest')})):
        off = {name for name, is_enabled in enabled(f'--block-rpcs={blocked}').items()
               if not is_enabled}
        expect(off == expected, f'{blocked}: {off}')


def bounds_are_kept(check: Check) -> None:
    with files(check) as (client, agent):
        path = agent.files / 'file'
        path.write_bytes(os.urandom(2 * MIB))
        line = client.ask(request('novacron-file-read', path=str(path), count=PIECE_MAX))
        expect(PIECE_MAX * 4 / 3 < len(line) <= 716800, f'{len(line)} bytes')
        expect(client.call('novacron-file-read', path=str(path))['count'] == 32768, 'default')
        broken = base64.encodebytes(bytes(PIECE_MAX)).decode()
        client.call('novacron-file-write', path=str(path), buf_b64=broken)
        for data in (bytes(PIECE_MAX + 1), bytes(2 * PIECE_MAX)):
            text = refusal(client, 'novacron-file-write', path=str(path), **piece(data))
            expect(text == 'bad-value: a piece has at most 524288 bytes', text)
        for arguments in ({'offset': 2**63}, {'offset': 2**64 - 1}, {'count': 524289}):
            text = refusal(client, 'novacron-file-read', path=str(path), **arguments)
            expect(text.startswith('bad-value: '), text)
        text = refusal(client, 'novacron-file-write', path=str(path), offset=2**62,
                       hole_bytes=2**63)
        expect(text.startswith('bad-value: '), text)
        text = refusal(client, 'novacron-file-stat', path='/' + 'x/' * 2500)
        expect(text.startswith('bad-value: '), text)


def replies_with_a_long_path_keep_their_bounds(check: Check) -> None:
    """Every byte of it is six on the wire."""
    with files(check) as (client, agent):
        bounds = {command['name']: command['reply-bound-bytes']
                  for area in client.call('novacron-capabilities') for command in area['commands']}
        folder = agent.files.joinpath(*['\x01' * 250] * 16)
        folder.mkdir(parents=True)
        (agent.files / 'link').symlink_to('\x01' * 4095)
        none = {'path': str(folder / 'none'), 'request-id': '\x01' * 256}
        concluded(client, client.call('novacron-file-digest', **none))
        for command, arguments in (
                ('novacron-file-stat', {'path': str(agent.files / 'link'), 'follow': False}),
                ('novacron-file-upload-begin', {'id': 'up', 'path': str(folder / 'target')}),
                ('novacron-file-upload-status', {'id': 'up'}), ('novacron-file-digest', none)):
            line = client.ask(request(command, **arguments))
            expect(b'"error": {"class"' not in line and 16384 < len(line) <= bounds[command],
                   f'{command}: {len(line)} bytes, {line[:80]!r}')


CHECKS = [
    an_upload_that_is_cut_at_any_byte_goes_on,
    one_upload_survives_many_cuts,
    a_file_with_holes_keeps_them,
    a_reader_sees_the_old_file_or_the_new_one,
    a_new_file_takes_over_permissions_and_owner,
    a_new_file_takes_over_acl_and_label,
    a_commit_that_may_not_keep_them_fails,
    a_file_system_without_attributes_will_do,
    an_upload_with_another_digest_is_not_committed,
    an_upload_that_finds_its_name_taken_is_as_it_was,
    a_name_of_a_request_is_short,
    a_temporary_file_of_somebody_else_is_not_written_to,
    uploads_are_bounded,
    an_upload_expires_when_nothing_has_come_for_long,
    an_upload_that_is_being_committed_does_not_expire,
    an_upload_begins_anew_after_a_restart_of_the_guest,
    what_is_no_file_is_turned_away_at_once,
    a_path_leads_no_further_than_it_may,
    a_long_folder_is_listed_in_pages,
    a_folder_that_is_too_long_to_be_kept_is_listed_all_the_same,
    who_polls_a_folder_is_told_what_has_changed, what_a_folder_does_not_tell_is_named,
    a_digest_tells_its_progress_and_can_be_stopped,
    a_tree_is_removed_and_nothing_else,
    a_slow_disk_delays_a_job_and_nobody_else,
    a_piece_that_is_changed_while_it_is_read_is_refused,
    without_a_record_nothing_is_changed,
    what_is_blocked_upstream_is_blocked_here,
    bounds_are_kept,
    replies_with_a_long_path_keep_their_bounds,
]
