# SPDX-License-Identifier: GPL-2.0-or-later
"""The RPM, installed in a root by rpm and started there by udev."""
import bz2
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, List

import image
import materials
from channel import request
from files import DEADLINE
from machine import Machine, add_witness, make_disk
from materials import run
from swap import Story as Swap
from witness import expect

POLICY = '/usr/share/selinux/packages/novacron-guest-agent.pp'
# as Fedora and RHEL have them
PATHS = ('/etc/qemu-ga/fsfreeze-hook.d', '/etc/qemu/qemu-ga.conf', '/etc/sysconfig/qemu-ga',
         '/etc/qemu-ga/fsfreeze-hook', '/usr/bin/qemu-ga', '/usr/share/man/man8/qemu-ga.8')


class Story(Swap):
    def __init__(self, packages: materials.Packages, folder: Path) -> None:
        self.packages = packages
        self.folder = folder
        root = materials.unpack_root(folder / 'root')
        add_witness(root)
        # the root is Debian's, whose libraries rpm knows nothing about
        run('rpm', '--root', str(root), '--force-debian', '--nodeps', '--install',
            str(packages.rpm))
        sysconfig = root / 'etc/sysconfig/qemu-ga'
        sysconfig.write_text(sysconfig.read_text().replace(
            'FILTER_RPC_ARGS=', 'FILTER_RPC_ARGS=--block-rpcs=guest-exec,guest-file-open'))
        make_disk(root, folder / 'disk')
        self.guest = Machine(image.find_kernel(), folder / 'disk', folder)

    def names_and_paths(self) -> str:
        def query(what: str, package: Path = self.packages.rpm) -> List[str]:
            return run('rpm', '-qp', what, str(package)).split('\n')
        missing = set(PATHS) - set(query('--list'))
        expect(not missing, 'lacks %s' % missing)
        expect('qemu-guest-agent = 2:11.1.3' in query('--provides'), 'provides')
        expect('qemu-guest-agent' in query('--conflicts'), 'conflicts')
        expect(POLICY in query('--list', self.packages.policy), 'no policy module')
        return ''

    def its_policy_module_links(self) -> str:
        """With a whole policy, whose rules of what is never allowed are obeyed."""
        place = self.folder / 'policy'
        for name in ('module', 'debian'):
            (place / name).mkdir(parents=True)
        archive = subprocess.run(['rpm2cpio', str(self.packages.policy)], check=True,
                                 stdout=subprocess.PIPE).stdout
        subprocess.run([str(image.BUSYBOX), 'cpio', '-id'], input=archive, cwd=place / 'module',
                       check=True, stderr=subprocess.DEVNULL)
        run('dpkg-deb', '-x', str(materials.downloaded(materials.POLICY)), str(place / 'debian'))
        base = next(place.glob('debian/usr/share/selinux/default/base.pp.bz2'))
        (place / 'base.pp').write_bytes(bz2.decompress(base.read_bytes()))
        shutil.copy(Path(__file__).parent / 'fedora.te', place)
        run('make', '-f', '/usr/share/selinux/devel/Makefile', 'fedora.pp', cwd=place)
        run('semodule_link', '-o', 'linked.pp', 'base.pp', 'fedora.pp', 'module' + POLICY,
            cwd=place)
        run('semodule_expand', 'linked.pp', 'policy', cwd=place)
        module = (place / 'linked.pp').read_bytes()
        expect(b'fsfreeze-hooks(/.*)?\tsystem_u:object_r:virt_qemu_ga_unconfined_exec_t:s0'
               in module, 'no label for the hooks')
        return '%d bytes' % (place / 'policy').stat().st_size

    def the_agent_answers(self) -> str:
        began = time.monotonic()
        with self.channel() as channel:
            info = channel.call('guest-info')
        program = self.guest.shell('readlink /proc/%d/exe' % self.main_pid())
        expect(program == '/usr/bin/qemu-ga', 'it runs from ' + program)
        expect(DEADLINE in self.guest.shell('cat /etc/qemu/qemu-ga.conf'), 'no deadline')
        return '%s after %.1f s' % (info['version'], time.monotonic() - began)

    def the_environment_file_filters_commands(self) -> str:
        with self.channel() as channel:
            commands = channel.call('guest-info')['supported_commands']
        blocked = {command['name'] for command in commands
                   if not command['enabled'] and command['name'].startswith('guest-')}
        expect(blocked == {'guest-exec', 'guest-file-open'}, 'blocked: %s' % blocked)
        return ', '.join(sorted(blocked))

    def the_hook_is_where_it_is_looked_for(self) -> str:
        words = self.guest.shell("tr '\\0' ' ' < /proc/%d/cmdline" % self.main_pid())
        expect('-F/etc/qemu-ga/fsfreeze-hook' in words.split(), 'started as ' + words)
        self.guest.shell('/etc/qemu-ga/fsfreeze-hook freeze && /etc/qemu-ga/fsfreeze-hook thaw')
        return ''

    def hardened_it_still_shuts_the_guest_down(self) -> str:
        example = self.guest.shell('ls /usr/share/doc/novacron-guest-agent-*/hardening.conf')
        self.harden(example)
        with self.channel() as channel:
            channel.send(request('guest-shutdown', mode='powerdown'))
            return 'off after %.1f s' % self.guest.wait_for_end(60)

    CASES: List[Callable[[Any], str]] = [
        names_and_paths,
        its_policy_module_links,
        the_agent_answers,
        the_environment_file_filters_commands,
        the_hook_is_where_it_is_looked_for,
        hardened_it_still_shuts_the_guest_down,
    ]
