# SPDX-License-Identifier: GPL-2.0-or-later
"""The script that a client of libvirt plays to a guest, once for each agent.

Every exchange is written down for the comparison; what it did to the guest is asked of the
witness inside, not of the agent. The order matters: under QEMU 7.2's emulation a guest with a
plugged CPU does not come back from S3, and one that came back gets no hot-plug events until it is
booted again.
"""
import base64
import ctypes
import re
import time
from typing import Callable, Dict

from conversation import AgentError, request
from domain import DISKS, MAC, NAME, PLUGGED_MIB
from image import run as run_here
from session import PLACES, Session
from witness import expect

NUMBER = r'(?<=[ :])\d+'
COUNTERS = r'"(?!cpu"|major"|minor")[a-z0-9-]+":(-?\d+(?:\.\d+)?)'
KEYS = ('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFirst first@example',
        'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOther second@example')
FILL = 16 << 20
ALL = '%d filesystem(s)' % len(PLACES)


def connects(session: Session) -> None:
    client, guest = session.client, session.domain
    session.start_agent()
    expect(client.ask('guest-ping') == {}, 'guest-ping')
    info = client.ask('guest-info')
    commands = [command for command in info['supported_commands']
                if command['name'].startswith('guest-')]
    expect(len(commands) == 43, 'not all commands are there')
    expect(all(command['enabled'] for command in commands), 'some are disabled')
    client.must('qemu-agent-command', request('guest-get-host-name', {}), '--pretty')
    client.must('qemu-agent-command', request('guest-ping', {}), '--timeout', '5')
    try:
        client.ask('guest-nothing')
    except AgentError as error:
        expect('guest-nothing has not been found' in str(error), str(error))
    expect(guest.shell('hostname') == 'guest', 'the witness')


def suspends_to_memory_and_wakes(session: Session) -> None:
    client, guest = session.client, session.domain
    client.must('dompmsuspend', 'mem')
    guest.wait_for_state('pmsuspended')
    client.must('dompmwakeup')
    guest.wait_for_state('running')
    guest.wait_for("dmesg | grep -q 'PM: suspend exit'")
    guest.shell("dmesg | grep -q 'Waking up from system sleep state S3'")
    session.wait_until_answering()
    expect(client.ask('guest-ping') == {}, 'guest-ping after the wake-up')
    client.must_fail('dompmsuspend', 'hybrid')


def reboots(session: Session) -> None:
    client, guest = session.client, session.domain
    before = guest.shell('cat /proc/sys/kernel/random/boot_id')
    client.must('reboot', '--mode', 'agent')
    guest.close()
    session.wait_until_connected(False)
    guest.wait()
    expect(guest.shell('cat /proc/sys/kernel/random/boot_id') != before, 'the same boot')
    session.start_agent()
    expect(client.ask('guest-ping') == {}, 'guest-ping after the reboot')


def tells_about_the_guest(session: Session) -> None:
    client, guest = session.client, session.domain
    used = r'used-bytes +: (\d+)'
    everything = client.must('guestinfo', hidden=used)
    facts = dict(re.split(r' *: ', line, maxsplit=1) for line in everything.splitlines() if line)
    expect(facts['hostname'] == guest.shell('hostname'), 'hostname')
    expect(facts['os.kernel-release'] == guest.shell('uname -r'), 'kernel-release')
    expect(facts['timezone.name'] == guest.shell('date +%Z'), 'timezone.name')
    expect((facts['user.count'], facts['user.0.name']) == ('1', 'alice'), 'users')
    expect(facts['disk.count'] == str(len(DISKS)), 'disks')
    expect(facts['if.1.hwaddr'] == MAC, 'hwaddr')
    for number, place in enumerate(PLACES):
        name = 'fs.%d.' % number
        size, blocks, free, available = map(int, guest.shell(
            "stat -f -c '%%S %%b %%f %%a' %s" % place).split())
        expect(facts[name + 'mountpoint'] == place, 'mount points')
        expect(int(facts[name + 'total-bytes']) == size * (blocks - free + available), 'total')
        expect(abs(int(facts[name + 'used-bytes']) - size * (blocks - free)) < 1 << 20, 'used')
    for flag in ('user', 'os', 'timezone', 'hostname', 'filesystem', 'disk', 'interface'):
        part = client.must('guestinfo', '--' + flag, hidden=used)
        expect(part.splitlines()[0] in everything.splitlines(), 'guestinfo --' + flag)
    expect(client.must('domhostname', '--source', 'agent') == 'guest', 'domhostname')
    for words in ((), ('--full',)):
        addresses = client.must('domifaddr', '--source', 'agent', *words)
        for address in re.findall(r'inet6? (\S+)', guest.shell('ip addr')):
            expect(address in addresses, '%s is not in %s' % (address, addresses))
    shown = client.must('domfsinfo')
    expect(all(re.search(r'%s +vd. +%s' % (place, place.rpartition('/')[2]), shown)
               for place in PLACES), 'domfsinfo: ' + shown)


def answers_what_virsh_has_no_word_for(session: Session) -> None:
    client, guest = session.client, session.domain
    client.ask('guest-get-fsinfo', hidden=r'"used-bytes":(\d+)')
    client.ask('guest-get-disks')
    client.ask('guest-network-get-interfaces', hidden=r'"[rt]x-\w+":(\d+)')
    client.ask('guest-network-get-route', hidden=r'"(?:refcnt|use)":(\d+)')
    cpus = client.ask('guest-get-cpustats', hidden=COUNTERS)
    expect([each['cpu'] for each in cpus] == [0, 1], 'guest-get-cpustats')
    disks = client.ask('guest-get-diskstats', hidden=COUNTERS)
    expect([each['name'] for each in disks]
           == guest.shell("awk '{ print $3 }' /proc/diskstats").split(), 'guest-get-diskstats')
    client.ask('guest-get-load', hidden=COUNTERS)
    client.ask('guest-get-memory-blocks')
    client.ask('guest-get-memory-block-info')
    client.ask('guest-get-users')
    handle = client.ask('guest-file-open', path='/etc/hostname')
    text = client.ask('guest-file-read', handle=handle)['buf-b64']
    expect(base64.b64decode(text) == b'guest\n', 'guest-file-read')
    client.ask('guest-file-close', handle=handle)
    pid = client.ask('guest-exec', path='cat', input_data=text, capture_output=True,
                     hidden=NUMBER)['pid']
    until = time.monotonic() + 10
    while not session.quiet('guest-exec-status', pid=pid)['exited']:
        expect(time.monotonic() < until, 'cat does not end')


def sets_the_clock(session: Session) -> None:
    client, guest = session.client, session.domain

    def drift() -> float:
        return abs(int(guest.shell('date +%s')) - time.time())
    shown = int(client.must('domtime', hidden=NUMBER).split()[1])
    expect(abs(shown - int(guest.shell('date +%s'))) < 5, 'domtime shows %d' % shown)
    client.must('domtime', '--pretty', hidden=r'\d.*')
    client.must('domtime', '--time', '1000000000')
    expect(abs(int(guest.shell('date +%s')) - 1000000000) < 30, 'domtime --time')
    expect('2001' in guest.shell('hwclock -ru'), 'the hardware clock was not set')
    client.must('domtime', '--now')
    expect(drift() < 30, 'domtime --now')
    guest.shell('date -s @1100000000')
    client.must('domtime', '--sync')
    expect(drift() < 30, 'domtime --sync')
    try:
        client.ask('guest-set-time', time=4 * 10 ** 18)
    except AgentError as error:
        expect('Invalid time' in str(error), str(error))


def freezes_and_thaws(session: Session) -> None:
    client = session.client
    expect('Froze ' + ALL in client.must('domfsfreeze'), 'domfsfreeze')
    session.expect_hooks('freeze')
    session.begin_writes()
    session.expect_writable()
    expect(client.ask('guest-fsfreeze-status') == 'frozen', 'guest-fsfreeze-status')
    expect(client.ask('guest-ping') == {}, 'guest-ping')
    client.ask('guest-info')
    for words in (('domfsfreeze',), ('domfsinfo',), ('domtime', '--now')):
        expect('has been disabled' in client.must_fail(*words), ' '.join(words))
    expect('Thawed ' + ALL in client.must('domfsthaw'), 'domfsthaw')
    session.expect_writable(*PLACES)
    session.expect_hooks('thaw')
    expect(client.ask('guest-fsfreeze-status') == 'thawed', 'guest-fsfreeze-status')
    expect('Thawed 0' in client.must('domfsthaw'), 'a second domfsthaw')
    session.expect_hooks('thaw')


def freezes_one_mount_point(session: Session) -> None:
    client = session.client
    expect('Froze 1 ' in client.must('domfsfreeze', '--mountpoint', '/mnt/xfs'), 'domfsfreeze')
    session.begin_writes()
    session.expect_writable('/mnt/btrfs', '/mnt/ext4')
    expect('Thawed 1 ' in client.must('domfsthaw'), 'domfsthaw')
    session.expect_writable(*PLACES)
    client.must('domfsfreeze', '--mountpoint', '/mnt/nothing')
    expect(client.ask('guest-fsfreeze-status') == 'thawed', 'guest-fsfreeze-status')
    session.expect_hooks('freeze', 'thaw', 'freeze', 'thaw')


def trims(session: Session) -> None:
    client, guest = session.client, session.domain
    devices = [disk.device for disk in DISKS if disk.place in PLACES]
    guest.shell('for place in %s; do head -c %d /dev/urandom > $place/fill || exit; done; '
                'sync; '
                'rm /mnt/*/fill; sync' % (' '.join(PLACES), FILL), patience=60)
    before = [guest.disk_bytes(device) for device in devices]
    client.must('domfstrim')
    after = [guest.disk_bytes(device) for device in devices]
    for device, old, new in zip(devices, before, after):
        expect(old - new > FILL // 2, 'the image of %s had %d bytes, now %d'
               % (device, old, new))
    trimmed = client.ask('guest-fstrim', minimum=4096, hidden=NUMBER)['paths']
    expect([each['path'] for each in trimmed] == [*reversed(PLACES)], 'guest-fstrim')


def snapshots(session: Session) -> None:
    """What was written, but not synced, is in the quiesced snapshot, which needs no recovery."""
    client, guest = session.client, session.domain
    for name, words in (('plain', ()), ('quiesced', ('--quiesce',))):
        disk = guest.disk_in_use('vda')
        guest.shell('echo %s > /mnt/ext4/mark' % name)
        client.must('snapshot-create-as', name, '--disk-only', '--no-metadata', *words)
        expect(guest.disk_in_use('vda') != disk, 'no new overlay')
        copy = guest.directory / 'copy.raw'
        run_here('qemu-img', 'convert', '-U', '-O', 'raw', str(disk), str(copy))
        needs_recovery = 'needs_recovery' in run_here('dumpe2fs', '-h', str(copy))
        expect(needs_recovery == (name == 'plain'), '%s: needs_recovery' % name)
    mark = run_here('debugfs', '-R', 'cat /mark', str(copy))
    expect(mark == 'quiesced\n', 'in the snapshot: %r' % mark)
    session.expect_hooks('freeze', 'thaw')
    expect(client.ask('guest-fsfreeze-status') == 'thawed', 'guest-fsfreeze-status')
    session.begin_writes()
    session.expect_writable(*PLACES)


def takes_cpus_off_and_on(session: Session) -> None:
    client, guest = session.client, session.domain

    def online() -> str:
        return guest.shell('cat /sys/devices/system/cpu/online')
    client.must('guestvcpus')
    for words, cpus in ((('guestvcpus', '--disable', '1'), '0'),
                        (('guestvcpus', '--enable', '1'), '0-1'),
                        (('setvcpus', '1', '--guest'), '0'),
                        (('setvcpus', '2', '--guest'), '0-1')):
        client.must(*words)
        expect(online() == cpus, '%s: online are %s' % (' '.join(words), online()))
    client.must_fail('guestvcpus', '--disable', '0')
    client.must('vcpucount', '--guest')
    # a plugged CPU waits to be put to use
    client.must('setvcpus', '3', '--live')
    guest.wait_for('[ -e /sys/devices/system/cpu/cpu2/online ]')
    expect(online() == '0-1', 'the plugged CPU is online at once')
    client.must('guestvcpus')
    client.must('setvcpus', '3', '--guest')
    expect(online() == '0-2', 'setvcpus --guest: online are ' + online())
    client.ask('guest-get-vcpus')


def puts_plugged_memory_to_use(session: Session) -> None:
    client, guest = session.client, session.domain

    def total() -> int:
        return int(guest.shell("awk '/MemTotal/ { print $2 }' /proc/meminfo")) >> 10
    before = total()
    block = int(guest.shell('cat /sys/devices/system/memory/block_size_bytes'), 16)
    expect(client.ask('guest-get-memory-block-info') == {'size': block}, 'block size')
    client.must('attach-device', str(guest.directory / 'dimm.xml'), '--live')
    count = (PLUGGED_MIB << 20) // block
    guest.wait_for('[ $(grep -l offline /sys/devices/system/memory/*/state | wc -l) = %d ]' % count)
    blocks = client.ask('guest-get-memory-blocks')
    offline = [each['phys-index'] for each in blocks if not each['online']]
    expect(len(offline) == count, 'offline blocks: %s' % offline)
    expect(total() == before, 'the memory is in use at once')
    client.ask('guest-set-memory-blocks', mem_blks=[
        {'phys-index': index, 'online': True} for index in [*offline, 9999]])
    expect(total() - before == PLUGGED_MIB, 'more memory: %d MiB' % (total() - before))


def sets_passwords(session: Session) -> None:
    client, guest = session.client, session.domain

    def stored() -> str:
        return guest.shell("sed -n 's/^alice:\\([^:]*\\):.*/\\1/p' /etc/shadow")
    crypt = ctypes.CDLL('libcrypt.so.1').crypt
    crypt.restype = ctypes.c_char_p
    password = "it's: a password"
    client.must('set-user-password', 'alice', password)
    expect(stored() == crypt(password.encode(), stored().encode()).decode(),
           'in the shadow file: ' + stored())
    crypted = '$6$salt$' + 'x' * 86
    client.must('set-user-password', 'alice', crypted, '--encrypted')
    expect(stored() == crypted, 'in the shadow file: ' + stored())
    client.must_fail('set-user-password', 'nobody-here', password, hidden=r'line (\d+)')
    expect(stored() == crypted, 'in the shadow file: ' + stored())


def sets_ssh_keys(session: Session) -> None:
    client, guest = session.client, session.domain

    def expect_keys(*keys: str) -> None:
        lines = guest.shell('cat /home/alice/.ssh/authorized_keys').split('\n')
        expect(lines == list(keys or ['']), 'authorized_keys: %s' % lines)
    one, other = (write_keys(session, name, key) for name, key in zip(('one', 'other'), KEYS))
    client.must_fail('get-user-sshkeys', 'alice')
    client.must('set-user-sshkeys', 'alice', '--file', one)
    expect_keys(KEYS[0])
    for path, mode in (('.ssh', '700'), ('.ssh/authorized_keys', '600')):
        found = guest.shell('stat -c "%%U:%%G %%a" /home/alice/%s' % path)
        expect(found == 'alice:alice ' + mode, '%s: %s' % (path, found))
    client.must('set-user-sshkeys', 'alice', '--file', other)
    expect_keys(*KEYS)
    shown = client.must('get-user-sshkeys', 'alice')
    expect(all(key in shown for key in KEYS), 'get-user-sshkeys: ' + shown)
    client.must('set-user-sshkeys', 'alice', '--file', one, '--remove')
    expect_keys(KEYS[1])
    client.must('set-user-sshkeys', 'alice', '--file', one, '--reset')
    expect_keys(KEYS[0])
    client.must('set-user-sshkeys', 'alice', '--reset')
    expect_keys()
    client.must_fail('get-user-sshkeys', 'nobody-here')


def write_keys(session: Session, name: str, key: str) -> str:
    path = session.domain.directory / name
    path.write_text(key)        # virsh takes what follows a newline for one more key
    return str(path)


def is_killed_and_restarted(session: Session) -> None:
    client = session.client
    session.kill_agent()
    client.must_fail('domtime')
    session.start_agent()
    client.must('domtime', hidden=NUMBER)
    session.stop_agent()
    client.must_fail('domtime')
    session.start_agent()
    client.must('domtime', hidden=NUMBER)


def does_not_answer_for_a_while(session: Session) -> None:
    client, guest = session.client, session.domain
    assert session.agent is not None
    client.must('guest-agent-timeout', '--timeout', '1')
    guest.shell('kill -STOP %d' % session.agent.pid)
    client.must_fail('domtime')
    client.must_fail('qemu-agent-command', request('guest-ping', {}), '--timeout', '1')
    guest.shell('kill -CONT %d' % session.agent.pid)
    client.must('guest-agent-timeout', '--timeout', '-2')
    client.must('domtime', hidden=NUMBER)


def sees_libvirtd_restarted(session: Session) -> None:
    client, libvirtd = session.client, session.libvirtd
    handle = client.ask('guest-file-open', path='/run/kept', mode='w')
    libvirtd.stop()
    libvirtd.start()
    session.wait_until_answering()
    client.must('domtime', hidden=NUMBER)
    client.ask('guest-file-write', handle=handle, buf_b64='a2VwdAo=')
    client.ask('guest-file-close', handle=handle)
    expect(session.domain.shell('cat /run/kept') == 'kept', 'the handle was lost')


def loses_its_channel_while_it_works(session: Session) -> None:
    """The manager dies while file systems freeze; the next one finds them frozen."""
    client, guest, libvirtd = session.client, session.domain, session.libvirtd
    session.hold_hook()
    request_under_way = libvirtd.begin('domfsfreeze', NAME)
    session.wait_for_hook()
    libvirtd.kill()
    request_under_way.communicate()
    session.release_hook()
    guest.wait_for('[ -e /mnt/ext4/state/qga.state.isfrozen ]')
    libvirtd.start()
    session.wait_until_answering()
    expect(client.ask('guest-fsfreeze-status') == 'frozen', 'guest-fsfreeze-status')
    expect('Thawed ' + ALL in client.must('domfsthaw'), 'domfsthaw')
    session.begin_writes()
    session.expect_writable(*PLACES)
    session.expect_hooks('freeze', 'thaw')


def loses_its_channel_amid_an_answer(session: Session) -> None:
    """The next manager gets the rest of that answer, or not, and its own ones in any case."""
    client, libvirtd = session.client, session.libvirtd
    handle = session.quiet('guest-file-open', path='/dev/zero')
    text = request('guest-file-read', {'handle': handle, 'count': 5 << 20})
    under_way = libvirtd.begin('qemu-agent-command', NAME, text)
    time.sleep(0.1)
    libvirtd.kill()
    under_way.communicate()
    libvirtd.start()
    session.wait_until_answering()
    client.must('domtime', hidden=NUMBER)
    session.quiet('guest-file-close', handle=handle)


def shuts_down(session: Session) -> None:
    client, guest = session.client, session.domain
    client.must('shutdown', '--mode', 'agent')
    guest.wait_for_state('shut off')
    client.must('domstate', '--reason')
    expect('init: poweroff' in guest.console(), 'the console ends so: ' + guest.console()[-200:])
    session.agent = None


STEPS: Dict[str, Callable[[Session], None]] = {
    function.__name__.replace('_', ' '): function for function in (
        connects,
        suspends_to_memory_and_wakes,
        reboots,
        tells_about_the_guest,
        answers_what_virsh_has_no_word_for,
        sets_the_clock,
        freezes_and_thaws,
        freezes_one_mount_point,
        trims,
        snapshots,
        takes_cpus_off_and_on,
        puts_plugged_memory_to_use,
        sets_passwords,
        sets_ssh_keys,
        is_killed_and_restarted,
        does_not_answer_for_a_while,
        sees_libvirtd_restarted,
        loses_its_channel_while_it_works,
        loses_its_channel_amid_an_answer,
    )}
END = {'shuts down': shuts_down}
