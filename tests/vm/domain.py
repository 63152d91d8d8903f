# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest as libvirt defines and runs it: disks, ports, room for more CPUs and memory."""
import shutil
import struct
import time
from pathlib import Path
from typing import NamedTuple, Sequence

import image
from guest import AGENT_PORT, SECOND_PORT
from image import Kernel, run
from libvirtd import PATIENCE, Libvirtd, LibvirtFailed
from witness import WITNESS_PORT, Witness

NAME = 'guest'
ZONE = 'Asia/Kathmandu'         # never on summer time, and no whole number of hours
MAC = '52:54:00:12:34:56'
MODULES = ('virtio_blk', 'virtio_net', 'xfs', 'btrfs', 'fuse')
PLUGGED_MIB = 256
PAM = 'password required pam_unix.so sha512\naccount required pam_permit.so\n'


class Disk(NamedTuple):
    device: str
    type: str               # as mount(2) is told; '' is left to the test
    mebibytes: int
    make: Sequence[str]     # the command that makes the file system, without the file

    @property
    def place(self) -> str:
        return '/mnt/' + self.type


DISKS = (
    Disk('vda', 'ext4', 64, ('mke2fs', '-q', '-F', '-t', 'ext4')),
    Disk('vdb', 'xfs', 320, ('mkfs.xfs', '-q', '-f')),
    Disk('vdc', 'btrfs', 128, ('mkfs.btrfs', '-q', '-f')),
    Disk('vdd', '', 8, ('mkntfs', '-q', '-F', '-Q')),
)
MOUNTED = tuple(disk for disk in DISKS if disk.type)
PROGRAMS = ('mke2fs', 'mkfs.xfs', 'mkfs.btrfs', 'mkntfs', 'ntfs-3g', 'chpasswd', 'qemu-img',
            'libvirtd', 'virsh')


def accounting_record(user: str, seconds: int) -> bytes:
    """A login, as utmp(5) has it."""
    return struct.pack('=hxxi32s4s32s256shhiii16s20x', 7, 1, b'tty1', b't1', user.encode(), b'',
                       0, 0, 0, seconds, 0, b'')


def write_image(path: Path, kernel: Kernel, agent: Sequence[str]) -> None:
    archive = image.basis(kernel, {'qemu-ga': agent}, MODULES)
    for name in ('chpasswd', 'ntfs-3g'):
        archive.program(name, [found(name)])
    for module in ('pam_unix', 'pam_permit', 'pam_deny'):
        archive.library(next(Path('/lib').glob('*/security/%s.so' % module)))
    for service in ('chpasswd', 'other'):
        archive.file('etc/pam.d/' + service, PAM.encode())
    archive.file('etc/shadow', b'root:*:19000:0:99999:7:::\nalice:!:19000:0:99999:7:::\n', 0o640)
    archive.file('etc/nsswitch.conf', b'passwd: files\ngroup: files\nshadow: files\n')
    archive.file('etc/qemu/fsfreeze-hook', HOOK, 0o755)
    archive.directory('home/alice', owner=1000)
    archive.file('usr/share/zoneinfo/' + ZONE, Path('/usr/share/zoneinfo', ZONE).read_bytes())
    archive.link('etc/localtime', '/usr/share/zoneinfo/' + ZONE)
    archive.file('var/run/utmp', accounting_record('alice', 1700000000))
    archive.write(path)


# while /run/hook.wait exists the hook waits: so a test can stop what is under way
HOOK = b'''#!/bin/sh
echo "$1" >> /run/hook.log
while [ -e /run/hook.wait ]; do usleep 20000; done
'''


def found(program: str) -> str:
    path = shutil.which(program)
    assert path, program
    return path


def make_disks(directory: Path) -> None:
    for disk in DISKS:
        path = directory / (disk.device + '.raw')
        with path.open('wb') as file:
            file.truncate(disk.mebibytes << 20)
        run(*disk.make, str(path))


def description(directory: Path, kernel: Path, initramfs: Path) -> str:
    disks = ''.join('''
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' cache='unsafe' discard='unmap'/>
      <source file='{0}/{1}.qcow2'/><target dev='{1}' bus='virtio'/><serial>{1}</serial>
    </disk>'''.format(directory, disk.device) for disk in DISKS)
    ports = ''.join('''
    <channel type='unix'>
      <source mode='bind' path='%s/%s.sock'/><target type='virtio' name='%s'/>
    </channel>''' % (directory, name, port) for name, port in (
        ('agent', AGENT_PORT), ('second', SECOND_PORT), ('witness', WITNESS_PORT)))
    mounts = ','.join('%s:%s:%s' % (disk.device, disk.type, disk.place) for disk in MOUNTED)
    return '''
<domain type='qemu'>
  <name>{name}</name>
  <maxMemory slots='2' unit='MiB'>2048</maxMemory>
  <memory unit='MiB'>512</memory>
  <vcpu current='2'>4</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{kernel}</kernel>
    <initrd>{initramfs}</initrd>
    <cmdline>console=ttyS0 panic=-1 quiet modules={modules} mounts={mounts}</cmdline>
  </os>
  <features><acpi/></features>
  <cpu mode='custom' match='exact' check='none'>
    <model>qemu64</model><feature policy='require' name='rdrand'/>
    <numa><cell id='0' cpus='0-3' memory='512' unit='MiB'/></numa>
  </cpu>
  <pm><suspend-to-mem enabled='yes'/></pm>
  <devices>
    <emulator>{emulator}</emulator>{disks}{ports}
    <interface type='user'><mac address='{mac}'/><model type='virtio'/></interface>
    <serial type='file'><source path='{directory}/console.log'/></serial>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    <memballoon model='none'/>
  </devices>
</domain>
'''.format(name=NAME, kernel=kernel, initramfs=initramfs, directory=directory, disks=disks,
           ports=ports, mac=MAC, modules=','.join(MODULES), mounts=mounts,
           emulator=found('qemu-system-x86_64'))


DIMM = '''
<memory model='dimm'>
  <target><size unit='MiB'>%d</size><node>0</node></target>
</memory>
''' % PLUGGED_MIB


class Domain(Witness):
    """`shared` holds the kernel and the raw disks that the guest's own disks are based on."""

    def __init__(self, libvirtd: Libvirtd, shared: Path, kernel: Kernel,
                 agent: Sequence[str]) -> None:
        self.libvirtd = libvirtd
        self.directory = libvirtd.directory / 'guest'
        self.directory.mkdir()
        write_image(self.directory / 'initramfs', kernel, agent)
        for disk in DISKS:
            run('qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'raw',
                '-b', str(shared / (disk.device + '.raw')), str(self.disk(disk.device)))
        (self.directory / 'dimm.xml').write_text(DIMM)
        path = self.directory / 'guest.xml'
        path.write_text(description(self.directory, shared / 'kernel',
                                    self.directory / 'initramfs'))
        super().__init__(self.socket('witness'))

    def socket(self, name: str) -> str:
        return str(self.directory / (name + '.sock'))

    def disk(self, device: str) -> Path:
        return self.directory / (device + '.qcow2')

    def disk_in_use(self, device: str) -> Path:
        """A snapshot makes the guest go on with another file."""
        for line in self.libvirtd.must('domblklist', NAME).splitlines():
            if line.split()[:1] == [device]:
                return Path(line.split()[1])
        raise LibvirtFailed('no disk ' + device)

    def disk_bytes(self, device: str) -> int:
        """What the host has allocated for it."""
        return self.disk(device).stat().st_blocks * 512

    def boot(self) -> None:
        self.libvirtd.must('define', str(self.directory / 'guest.xml'))
        self.libvirtd.must('start', NAME)
        self.wait()

    def state(self) -> str:
        return self.libvirtd.must('domstate', NAME)

    def wait_for_state(self, state: str, seconds: float = PATIENCE) -> None:
        until = time.monotonic() + seconds
        while self.state() != state:
            if time.monotonic() > until:
                raise LibvirtFailed('the guest is not %s but %s' % (state, self.state()))
            time.sleep(0.1)

    def check_alive(self) -> None:
        if self.state() not in ('running', 'paused'):
            raise LibvirtFailed('the guest is %s\n%s' % (self.state(), self.console()))

    def console(self) -> str:
        path = self.directory / 'console.log'
        return path.read_text(errors='replace')[-2000:] if path.exists() else ''
