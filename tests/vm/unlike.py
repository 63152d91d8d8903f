# SPDX-License-Identifier: GPL-2.0-or-later
"""Steps that qemu-ga is meant to fail: it hangs, or stays frozen, where our agent does not.

Both agents get the same commands, so what a client sees of it stands in the table of differences.
"""
import signal
import time
from typing import Any, Callable, Dict, List

from channel import Channel
from domain import NAME
from guest import SECOND_PORT
from libvirtd import Result
from session import PLACES, Session
from witness import expect

DEADLINE = 5.0          # seconds; a loaded machine must get some things done before
DEADLINE_CONFIG = '[novacron]\nfsfreeze-deadline-ms=%d\n' % (DEADLINE * 1000)
SECOND_CONFIG = '[novacron]\nsessions=virtio-serial:/dev/virtio-ports/%s\n' % SECOND_PORT
NTFS = '/mnt/ntfs'
PROMPT = 5.0            # seconds; a hung agent would take all of them


def lists_a_file_system_whose_server_hangs(session: Session) -> None:
    guest = session.domain
    guest.shell('mkdir -p {0}; ntfs-3g /dev/vdd {0}; grep -q "{0} fuseblk" /proc/mounts'
                .format(NTFS))
    try:
        session.restart_agent(SECOND_CONFIG)
        expect('total-bytes' in entry_of(session.quiet('guest-get-fsinfo')), 'no sizes')
        guest.shell('kill -STOP $(pidof ntfs-3g)')
        look_at_hung_server(session)
        guest.shell('kill -CONT $(pidof ntfs-3g)')
        session.wait_until_answering()
        session.client.must('domfsinfo')
        expect('total-bytes' in entry_of(session.quiet('guest-get-fsinfo')), 'no sizes')
        session.restart_agent()
    finally:
        guest.status('kill -CONT $(pidof ntfs-3g); umount ' + NTFS)


def entry_of(answer: List[Dict[str, Any]]) -> Dict[str, Any]:
    return next(each for each in answer if each['mountpoint'] == NTFS)


def look_at_hung_server(session: Session) -> None:
    client = session.client
    client.must('guest-agent-timeout', '--timeout', '%d' % PROMPT)
    shown = client.virsh('domfsinfo')
    client.virsh('domhostname', '--source', 'agent')
    client.must('guest-agent-timeout', '--timeout', '-2')
    if not session.is_ours:
        return
    expect(shown.status == 0 and NTFS in shown.output, 'domfsinfo: ' + shown.output)
    expect('Froze %d' % len(PLACES) in session.libvirtd.must('domfsfreeze', NAME), 'domfsfreeze')
    session.libvirtd.must('domfsthaw', NAME)
    with Channel(session.domain.socket('second')) as second:
        second.sync()
        began = time.monotonic()
        expect('total-bytes' not in entry_of(session.quiet('guest-get-fsinfo')), 'sizes, whence?')
        expect(time.monotonic() - began < PROMPT, 'fsinfo took %.1f s' % (time.monotonic() - began))
        expect(session.quiet('guest-ping') == {}, 'guest-ping on the same session')
        expect(second.call('guest-ping') == {}, 'guest-ping on the other session')


def thaws_at_its_deadline(session: Session) -> None:
    client, guest = session.client, session.domain
    guest.shell('rm -f /run/hook.log')
    session.restart_agent(DEADLINE_CONFIG)
    client.must('domfsfreeze')
    frozen = time.monotonic()
    session.begin_writes()
    session.expect_writable()
    pass_deadline(session)
    expect(time.monotonic() - frozen > DEADLINE - 1, 'that was too soon')
    session.expect_hooks('freeze', 'thaw')
    client.ask('guest-fsfreeze-status')
    client.virsh('domfsthaw')
    session.expect_writable(*PLACES)
    guest.shell('[ ! -e /mnt/ext4/state/qga.state.isfrozen ]')
    client.must('domfsthaw')
    session.expect_hooks('thaw', 'thaw')
    client.must('domfsfreeze')      # and the next one is as good as the first
    client.must('domfsthaw')
    session.expect_hooks('freeze', 'thaw')
    session.restart_agent()


def pass_deadline(session: Session) -> None:
    """Wait for it, and see whether the writes of begin_writes() get through."""
    if session.is_ours:
        session.expect_writable(*PLACES)
    else:
        time.sleep(DEADLINE + 1)
        session.expect_writable()


def fails_a_snapshot_slower_than_its_deadline(session: Session) -> None:
    """The hook holds the freeze up until libvirtd is stopped: so libvirtd learns that the guest is
    frozen, and takes the snapshot, when it is frozen no longer."""
    client, guest, libvirtd = session.client, session.domain, session.libvirtd
    words = ('snapshot-create-as', NAME, 'late', '--disk-only', '--no-metadata', '--quiesce')
    session.restart_agent(DEADLINE_CONFIG)
    session.hold_hook()
    under_way = libvirtd.begin(*words)
    session.wait_for_hook()
    libvirtd.signal(signal.SIGSTOP)
    try:
        session.release_hook()
        session.wait_until_frozen()
        session.begin_writes()
        pass_deadline(session)
    finally:
        libvirtd.signal(signal.SIGCONT)
    output = under_way.communicate()[0]
    client.write_down(' '.join(words), Result(under_way.returncode, output.strip()))
    expect((under_way.returncode == 0) != session.is_ours, 'the snapshot: ' + output)
    session.expect_writable(*PLACES)
    client.ask('guest-fsfreeze-status')
    # in time, all is well
    client.must('snapshot-create-as', 'timely', '--disk-only', '--no-metadata', '--quiesce')
    session.restart_agent()


def thaws_at_its_deadline_though_it_was_killed(session: Session) -> None:
    client, guest = session.client, session.domain
    session.restart_agent(DEADLINE_CONFIG)
    client.must('domfsfreeze')
    session.kill_agent()
    session.begin_writes()
    session.expect_writable()
    pass_deadline(session)
    guest.status('for place in %s; do fsfreeze --unfreeze $place; done' % ' '.join(PLACES))
    session.expect_writable(*PLACES)
    guest.shell('rm -f /run/hook.log')
    session.start_agent()
    session.expect_hooks('thaw')
    client.ask('guest-fsfreeze-status')
    client.virsh('domfsthaw')
    client.must('domfsthaw')
    expect(client.ask('guest-fsfreeze-status') == 'thawed', 'guest-fsfreeze-status')


UNLIKE: Dict[str, Callable[[Session], None]] = {
    function.__name__.replace('_', ' '): function for function in (
        lists_a_file_system_whose_server_hangs,
        thaws_at_its_deadline,
        fails_a_snapshot_slower_than_its_deadline,
        thaws_at_its_deadline_though_it_was_killed,
    )}
