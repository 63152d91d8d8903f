# SPDX-License-Identifier: GPL-2.0-or-later
"""What an operator does with novacron-* commands, over libvirt's port and over the second one.

The witness, not the agent, says what is true in the guest.
"""
import hashlib
import json
import os
import pty
import random
import signal
import struct
import termios
import time
from fcntl import ioctl
from functools import partial
from pathlib import Path
from typing import Callable, Dict

from console import PORTS, SHARED, Console, finish, kill
from conversation import request
from domain import DISKS, MAC, NAME
from session import PLACES
from witness import expect

MIB = 1 << 20
TRAP = 'trap "echo told; exit 9" TERM; echo ready; while :; do usleep 20000; done'


def random_file(console: Console, name: str, size: int) -> str:
    """A new file in the console's folder; its digest."""
    data = random.randbytes(size)
    (console.folder / name).write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def digest_in_guest(console: Console, path: str) -> str:
    return console.session.domain.shell('sha256sum ' + path).split()[0]


def digest_here(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# Programs

def tells_how_a_program_ends(console: Console, port: str) -> None:
    for script, status in (('exit 0', 0), ('exit 7', 7), ('kill -9 $$', 137)):
        done = console.run(port, 'exec', 'sh', '-c', script)
        expect(done.returncode == status, '%s: %d, %r' % (script, done.returncode, done.stderr))
    done = console.run(port, 'exec', '/nothing')
    expect(done.returncode == 1 and b'not-found' in done.stderr, 'a program that is not there')


def keeps_output_and_errors_apart(console: Console, port: str) -> None:
    done = console.run(port, 'exec', 'sh', '-c', 'uname -n; echo error >&2; id -u')
    expect((done.stdout, done.stderr) == (b'guest\n0\n', b'error\n'),
           '%r, %r' % (done.stdout, done.stderr))


def passes_input_on(console: Console, port: str) -> None:
    data = random.randbytes(3 * MIB + 5)
    done = console.run(port, 'exec', '-i', 'cat', stdin=data)
    expect(done.returncode == 0 and done.stdout == data,
           '%d, %d bytes, %r' % (done.returncode, len(done.stdout), done.stderr))


def passes_signals_on(console: Console, port: str) -> None:
    process = console.begin(port, 'exec', 'sh', '-c', TRAP)
    assert process.stdout
    expect(process.stdout.readline() == b'ready\n', 'it does not start')
    process.send_signal(signal.SIGTERM)
    status, out, err = finish(process)
    expect((status, out) == (9, b'told\n'), '%d, %r, %r' % (status, out, err))


def gives_a_terminal(console: Console, port: str) -> None:
    ours, theirs = pty.openpty()
    ioctl(ours, termios.TIOCSWINSZ, struct.pack('4H', 33, 77, 0, 0))
    process = console.begin(port, 'exec', '-t', 'sh', '-c',
                            'tty; stty size; read word; echo "<$word>"', stdin=theirs)
    os.close(theirs)
    os.write(ours, b'typed\r')
    status, out, err = finish(process)
    os.close(ours)
    lines = out.decode().splitlines()       # what is typed is echoed, sooner or later
    expect(status == 0 and '33 77' in lines and lines[-1] == '<typed>'
           and any(line.startswith('/dev/pts/') for line in lines),
           '%d, %s, %r' % (status, lines, err))


# Files

def copies_both_ways(console: Console, port: str) -> None:
    digest = random_file(console, 'there', 3 * MIB + 7)
    (console.folder / 'there').chmod(0o640)
    console.must(port, 'cp', 'there', 'guest:/srv/copy')
    expect(digest_in_guest(console, '/srv/copy') == digest, 'in the guest it is another file')
    expect(console.session.domain.shell('stat -c %a /srv/copy') == '640', 'its mode')
    console.must(port, 'cp', 'guest:/srv/copy', 'back')
    expect(digest_here(console.folder / 'back') == digest, 'back here it is another file')


def goes_on_with_an_upload_that_was_cut(console: Console, port: str) -> None:
    """The temporary file beside the target becomes the target."""
    guest = console.session.domain
    digest = random_file(console, 'large', 8 * MIB)
    guest.shell('rm -rf /srv/cut; mkdir /srv/cut')
    process = console.begin(port, 'cp', 'large', 'guest:/srv/cut/copy')
    guest.wait_for('[ $(stat -c %%s $(find /srv/cut -type f)) -ge %d ]' % MIB)
    kill(process)
    inode, size, name = guest.shell('stat -c "%i %s %n" $(find /srv/cut -type f)').split()
    expect(name != '/srv/cut/copy' and int(size) < 8 * MIB, '%s of %s bytes' % (name, size))
    console.must(port, 'cp', 'large', 'guest:/srv/cut/copy')
    expect(digest_in_guest(console, '/srv/cut/copy') == digest, 'it is another file')
    expect(guest.shell('stat -c %i /srv/cut/*; find /srv/cut -type f').split()
           == [inode, '/srv/cut/copy'], 'it did not go on with what was there')
    guest.shell('rm -r /srv/cut')


def goes_on_with_a_download_that_was_cut(console: Console, port: str) -> None:
    guest, folder = console.session.domain, console.folder / 'cut'
    guest.shell('head -c %d /dev/urandom > /srv/large' % (8 * MIB))
    folder.mkdir()
    process = console.begin(port, 'cp', 'guest:/srv/large', 'cut/copy')
    until = time.monotonic() + 30
    while sum(path.stat().st_size for path in folder.iterdir()) < MIB:
        expect(time.monotonic() < until, 'no beginning of a copy')
        time.sleep(0.001)
    kill(process)
    rest = next(folder.iterdir())
    inode = rest.stat().st_ino
    expect(rest.name != 'copy' and rest.stat().st_size < 8 * MIB, 'it was quicker: %s' % rest)
    console.must(port, 'cp', 'guest:/srv/large', 'cut/copy')
    expect([path.name for path in folder.iterdir()] == ['copy'], 'something is left')
    copy = folder / 'copy'
    expect(digest_here(copy) == digest_in_guest(console, '/srv/large'), 'it is another file')
    expect(copy.stat().st_ino == inode, 'it did not go on with what was there')
    copy.unlink()
    folder.rmdir()
    guest.shell('rm /srv/large')


# Looking around

def lists_what_there_is(console: Console, port: str) -> None:
    guest = console.session.domain
    guest.shell('mkdir -p /srv/list; echo some > /srv/list/file; ln -sf file /srv/list/link')
    listed = console.must(port, 'ls', '/srv/list', '-o', 'name').split()
    expect(listed == ['NAME', 'file', 'link'], 'ls: %s' % listed)
    systems = console.must(port, 'fs', '-o', 'mounted').split()
    expect(set(PLACES) <= set(systems), 'fs: %s' % systems)
    interfaces = console.must(port, 'net')
    expect(MAC in interfaces and '10.0.2.15' in interfaces, 'net: ' + interfaces)
    disks = console.must(port, 'disks')
    expect(all('/dev/' + disk.device in disks for disk in DISKS), 'disks: ' + disks)


def follows_a_job(console: Console, port: str) -> None:
    """A digest, which the agent works out by itself."""
    console.session.domain.shell('head -c %d /dev/urandom > /srv/large' % (4 * MIB))
    text = request('novacron-file-digest', {'path': '/srv/large'})
    job = json.loads(console.must(port, 'raw', text))['return']['id']
    expect(job in console.must(port, 'jobs'), 'it is not in the list')
    console.must(port, 'jobs', 'wait', job)
    result = console.must(port, 'jobs', 'result', job)
    expect(digest_in_guest(console, '/srv/large') in result, 'the result: ' + result)
    console.must(port, 'jobs', 'dismiss', job)
    expect(job not in console.must(port, 'jobs'), 'it is still in the list')


# Sharing

def virsh_answers(console: Console) -> None:
    libvirtd = console.session.libvirtd
    expect(libvirtd.must('qemu-agent-command', NAME, request('guest-ping', {}))
           == '{"return":{}}', 'guest-ping through virsh')
    expect('os.id' in libvirtd.must('guestinfo', NAME, '--os'), 'guestinfo')


def virsh_is_answered_meanwhile(console: Console, port: str) -> None:
    """Beside a copy over the port, and a program that prints over libvirt's: its users take turns,
    those of the second port wait for nobody."""
    digest = random_file(console, 'beside', 8 * MIB)
    program = console.begin(SHARED, 'exec', 'sh', '-c',
                            'while [ ! -e /run/enough ]; do echo line; usleep 50000; done')
    assert program.stdout
    expect(program.stdout.readline() == b'line\n', 'the program does not start')
    copy, turns = console.begin(port, 'cp', 'beside', 'guest:/srv/beside'), 0
    while copy.poll() is None:
        virsh_answers(console)
        turns += 1
    status, _, err = finish(copy)
    expect(status == 0 and turns > 1, 'cp: %r; %d turns' % (err, turns))
    expect(digest_in_guest(console, '/srv/beside') == digest, 'it is another file')
    console.session.domain.shell('touch /run/enough')
    status, out, err = finish(program)
    expect(status == 0 and set(out.split()) <= {b'line'}, '%d, %r' % (status, err))
    console.session.domain.shell('rm /run/enough /srv/beside')


CASES: Dict[str, Callable[[Console], None]] = {
    '%s over %s' % (function.__name__.replace('_', ' '), port): partial(function, port=port)
    for port in PORTS for function in (
        tells_how_a_program_ends,
        keeps_output_and_errors_apart,
        passes_input_on,
        passes_signals_on,
        gives_a_terminal,
        copies_both_ways,
        goes_on_with_an_upload_that_was_cut,
        goes_on_with_a_download_that_was_cut,
        lists_what_there_is,
        follows_a_job,
        virsh_is_answered_meanwhile,
    )}
