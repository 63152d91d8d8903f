# SPDX-License-Identifier: GPL-2.0-or-later
"""A running guest: QEMU's agent, ours over it, an upgrade, and back; never a reboot.

The agents are asked through the port, as the host asks them; the witness, not an agent, says what
is true in the guest.
"""
import base64
import time
from pathlib import Path
from typing import Any, Callable, List

import image
import materials
from channel import Channel
from lib.suite import ROOT
from machine import DATA, Machine, add_witness, make_disk
from materials import AGENT, QEMU
from witness import expect

# What a program that guest-exec starts finds around it, except what is another one every time.
SURROUNDINGS = r'''
id; pwd; umask; ulimit -a; nice
grep -E '^(Cap|NoNew|Seccomp|SigBlk|Groups|Umask|Cpus_allowed:)' /proc/self/status
cat /proc/self/oom_score_adj /proc/self/mountinfo; sed 's/^0:://' /proc/self/cgroup
for space in /proc/self/ns/*; do readlink $space; done
env | grep -vE '^(INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_EXEC_PID|_)=' | sort
ls /proc/$$/fd | wc -l
touch /usr/probe /etc/probe /root/probe /tmp/probe && rm /usr/probe /etc/probe /root/probe
'''
WAY_BACK = "    apt-get install '%s=*'" % QEMU
HARDENING = '/usr/share/doc/novacron-guest-agent/examples/hardening.conf'
DROP_INS = '/etc/systemd/system/qemu-guest-agent.service.d'


class Story:
    def __init__(self, packages: materials.Packages, folder: Path) -> None:
        root = materials.unpack_root(folder / 'root')
        add_witness(root)
        # README.Debian and the examples are what an operator reads
        (root / 'etc/dpkg/dpkg.cfg.d').mkdir(parents=True, exist_ok=True)
        (root / 'etc/dpkg/dpkg.cfg.d/zz-doc').write_text('path-include=/usr/share/doc/novacron*\n')
        materials.add_repository(root, 'repo', [packages.agent, materials.qemu_package()])
        materials.add_repository(root, 'next', [materials.newer(packages.agent, folder)])
        materials.use_repositories(root, 'repo')
        for words in (('update',), ('-y', 'install', QEMU)):
            materials.run('chroot', str(root), 'apt-get', *words, LC_ALL='C',
                          DEBIAN_FRONTEND='noninteractive')
        make_disk(root, folder / 'disk')
        kernel = image.find_kernel()
        self.surroundings = ''
        self.guest = Machine(kernel, folder / 'disk', folder)

    def __enter__(self) -> 'Story':
        began = time.monotonic()
        self.guest.__enter__()
        self.guest.wait(150)
        self.boot_id = self.guest.shell('cat /proc/sys/kernel/random/boot_id')
        print('guest up after %.1f s' % (time.monotonic() - began), flush=True)
        return self

    def __exit__(self, *unused: object) -> None:
        self.guest.__exit__()

    def channel(self, seconds: float = 60) -> Channel:
        """To whatever agent answers."""
        until = time.monotonic() + seconds
        while True:
            channel = Channel(self.guest.socket('agent'))
            try:
                channel.sync(patience=1)
                return channel
            except (OSError, TimeoutError):
                channel.close()
                if time.monotonic() > until:
                    state = self.guest.status('systemctl status qemu-guest-agent')[1]
                    raise AssertionError('no agent answers: ' + state) from None

    def execute(self, channel: Channel, script: str) -> str:
        pid = channel.call('guest-exec', path='/bin/sh', arg=['-c', script],
                           capture_output=True)['pid']
        while True:
            status = channel.call('guest-exec-status', pid=pid)
            if status['exited']:
                output = base64.b64decode(status.get('out-data', '')).decode()
                errors = base64.b64decode(status.get('err-data', '')).decode()
                expect(status.get('exitcode') == 0, '%s: %s%s' % (status, output, errors))
                return output
            time.sleep(0.05)

    def main_pid(self) -> int:
        return int(self.guest.shell('systemctl show -P MainPID qemu-guest-agent'))

    def expect_agent(self, is_ours: bool) -> str:
        """The one that is installed is the one that runs and answers, and nobody has rebooted."""
        with self.channel() as channel:
            version = channel.call('guest-info')['version']
        said = self.guest.shell('/proc/%d/exe --version' % self.main_pid())
        expect(('NovaCron' in said) == is_ours, 'the agent that runs says ' + said)
        expect(version in said, 'the agent that answers says %s, the other %s' % (version, said))
        program = self.guest.shell('readlink /proc/%d/exe' % self.main_pid())
        expect(program == '/usr/sbin/qemu-ga', 'it runs from ' + program)
        boot_id = self.guest.shell('cat /proc/sys/kernel/random/boot_id')
        expect(boot_id == self.boot_id, 'the guest was rebooted')
        return version

    def apt(self, *words: str) -> str:
        return self.guest.shell('apt-get -qy ' + ' '.join(words), patience=120)

    def qemus_agent_answers(self) -> str:
        version = self.expect_agent(is_ours=False)
        with self.channel() as channel:
            self.surroundings = self.execute(channel, SURROUNDINGS)
        return version

    def ours_replaces_it_at_once(self) -> str:
        self.apt('install', AGENT)
        state = self.guest.shell('systemctl is-enabled qemu-guest-agent; '
                                 'systemctl is-system-running')
        expect(state.split() == ['enabled', 'running'], 'state: ' + state)
        return self.expect_agent(is_ours=True)

    def programs_find_what_qemus_unit_gives_them(self) -> str:
        with self.channel() as channel:
            ours = self.execute(channel, SURROUNDINGS)
        theirs = set(self.surroundings.splitlines())
        differences = theirs.symmetric_difference(ours.splitlines())
        expect(not differences, 'differences: %s' % differences)
        return '%d facts' % len(theirs)

    def the_old_name_evicts_nobody(self) -> str:
        before = self.main_pid()
        said = self.apt('install', QEMU)
        expect(self.main_pid() == before, 'the agent was restarted')
        self.expect_agent(is_ours=True)
        return said.splitlines()[-1]

    def a_killed_agent_comes_back(self) -> str:
        for _ in range(6):      # more often than systemd would have it in ten seconds
            before = self.main_pid()
            self.guest.shell('kill -9 %d' % before)
            began = time.monotonic()
            self.channel(20).close()
            expect(self.main_pid() != before, 'it is still the same')
        return 'the last time after %.1f s' % (time.monotonic() - began)

    def an_upgrade_leaves_running_programs_alone(self) -> str:
        """One of them is the upgrade itself."""
        before = self.main_pid()
        self.guest.shell("printf '%s' > /etc/apt/sources.list"
                         % materials.source_lines('repo', 'next').replace('\n', '\\n'))
        with self.channel() as channel:
            child = channel.call('guest-exec', path='/bin/sh', arg=[
                '-c', 'while :; do sleep 0.2; echo >> /tmp/alive; done'])['pid']
            channel.call('guest-exec', path='/bin/sh', arg=[
                '-c', '(apt-get update && apt-get -y install novacron-guest-agent) '
                '> /tmp/upgrade.log 2>&1; echo $? > /tmp/upgrade.new; '
                'mv /tmp/upgrade.new /tmp/upgrade'])
        self.guest.wait_for('[ -e /tmp/upgrade ]', 100)
        status = self.guest.shell('cat /tmp/upgrade')
        expect(status == '0', self.guest.shell('cat /tmp/upgrade.log'))
        version = self.guest.shell('dpkg-query -W -f=%s novacron-guest-agent'
                                   % "'${db:Status-Abbrev}${Version}'")
        expect(version.startswith('ii ') and version.endswith('+next'), 'installed: ' + version)
        expect(self.main_pid() != before, 'the agent was not restarted')
        self.expect_agent(is_ours=True)
        lines = int(self.guest.shell('kill -0 %d && wc -l < /tmp/alive' % child))
        time.sleep(0.6)
        more = int(self.guest.shell('wc -l < /tmp/alive; kill %d' % child))
        expect(more > lines, 'the program no longer runs')
        return version.split()[1]

    def an_upgrade_leaves_what_is_frozen_frozen(self) -> str:
        self.guest.shell('mount %s /mnt; ls /mnt' % DATA)
        with self.channel() as channel:
            frozen = channel.call('guest-fsfreeze-freeze-list', mountpoints=['/mnt'])
            expect(frozen == 1, '%s frozen' % frozen)
        before = self.main_pid()
        self.guest.shell('(touch /mnt/written; touch /tmp/written) > /dev/null 2>&1 &')
        began = time.monotonic()
        self.apt('install', '--reinstall', AGENT)
        elapsed = time.monotonic() - began
        expect(self.main_pid() != before, 'the agent was not restarted')
        with self.channel() as channel:
            status = channel.call('guest-fsfreeze-status')
            expect(status == 'frozen', 'status ' + status)
            expect(self.guest.status('test -e /tmp/written')[0] == 1, 'it was thawed meanwhile')
            thawed = channel.call('guest-fsfreeze-thaw')
            expect(thawed == 1, '%s thawed' % thawed)
        self.guest.wait_for('[ -e /tmp/written ]')
        self.guest.shell('umount /mnt')
        return 'upgraded in %.1f s' % elapsed

    def harden(self, example: str) -> None:
        self.guest.shell('mkdir -p {0}; cp {1} {0}; systemctl daemon-reload; '
                         'systemctl restart qemu-guest-agent'.format(DROP_INS, example))

    def hardening_blocks_programs_and_nothing_else(self) -> str:
        asked = ('guest-get-osinfo', 'guest-get-host-name', 'guest-get-timezone',
                 'guest-get-fsinfo', 'guest-network-get-interfaces', 'guest-get-vcpus',
                 'guest-get-disks', 'guest-get-memory-blocks')

        def answers() -> List[Any]:
            with self.channel() as channel:
                enabled = {command['name']
                           for command in channel.call('guest-info')['supported_commands']
                           if command['enabled']}
                return [enabled, *(shape(channel.call(name)) for name in asked if name in enabled)]
        before = answers()
        self.harden(HARDENING)
        after = answers()
        blocked = {name for name in before[0] - after[0]
                   if not name.startswith('novacron-exec-')}   # guest-exec's block is theirs
        expect(blocked == {'guest-exec'}, 'blocked: %s' % blocked)
        for name, plain, confined in zip(asked, before[1:], after[1:]):
            expect(plain == confined, '%s: %s, confined %s' % (name, plain, confined))
        with self.channel() as channel:
            channel.write_file('/tmp/written', b'by the agent')
            expect(channel.read_file('/etc/hostname') == b'guest\n', 'reads no file')
            now = channel.call('guest-get-time')
            channel.call('guest-set-time', time=now)
            channel.call('guest-set-user-password', username='root', crypted=False,
                         password=base64.b64encode(b'secret').decode())
            channel.call('guest-ssh-add-authorized-keys', username='root', keys=['ssh-rsa A x'])
            self.guest.shell("grep -q 'ssh-rsa A x' /root/.ssh/authorized_keys")
            self.guest.shell('mount %s /mnt' % DATA)
            for command, arguments in (('guest-fsfreeze-freeze-list', {'mountpoints': ['/mnt']}),
                                       ('guest-fsfreeze-thaw', {})):
                expect(channel.call(command, **arguments) == 1, command)
            self.guest.shell('umount /mnt')
        filtered = self.guest.shell('grep Seccomp: /proc/%d/status' % self.main_pid())
        expect(filtered.split()[1] == '2', 'no filter of system calls: ' + filtered)
        self.guest.shell('rm -r %s; systemctl daemon-reload; systemctl restart qemu-guest-agent'
                         % DROP_INS)
        return '%d answers the same' % (len(after) - 1)

    def the_way_back_is_as_the_manual_says(self) -> str:
        manual = self.guest.shell('cat /usr/share/doc/novacron-guest-agent/README.Debian')
        for name, text in (('README.Debian', manual), ('README', (ROOT / 'README.md').read_text()),
                           ('operating.md', (ROOT / 'contrib/doc/operating.md').read_text())):
            expect(WAY_BACK in text.splitlines(), name + ' does not say ' + WAY_BACK)
        self.guest.shell(WAY_BACK.replace('apt-get', 'apt-get -qy'), patience=120)
        return self.expect_agent(is_ours=False)

    def it_can_be_swapped_again_and_removed(self) -> str:
        self.apt('install', AGENT)
        self.expect_agent(is_ours=True)
        self.apt('remove', AGENT)
        left = self.guest.status('grep -lx qemu-ga /proc/[0-9]*/comm')[1]
        expect(left == '', 'an agent still runs: ' + left)
        self.apt('install', QEMU)
        return self.expect_agent(is_ours=False)

    def purged_in_one_go_it_also_gives_way(self) -> str:
        self.apt('install', AGENT)
        self.apt('install', '--purge', "'%s=*'" % QEMU)
        return self.expect_agent(is_ours=False)

    CASES: List[Callable[[Any], str]] = [
        qemus_agent_answers,
        ours_replaces_it_at_once,
        programs_find_what_qemus_unit_gives_them,
        the_old_name_evicts_nobody,
        a_killed_agent_comes_back,
        an_upgrade_leaves_running_programs_alone,
        an_upgrade_leaves_what_is_frozen_frozen,
        hardening_blocks_programs_and_nothing_else,
        the_way_back_is_as_the_manual_says,
        it_can_be_swapped_again_and_removed,
        purged_in_one_go_it_also_gives_way,
    ]


def shape(answer: Any) -> Any:
    """Without what changes by itself: counters and sizes."""
    if isinstance(answer, dict):
        return {name: shape(value) for name, value in answer.items()
                if name not in ('statistics', 'used-bytes', 'total-bytes')}
    if isinstance(answer, list):
        return [shape(value) for value in answer]
    return answer
