# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian guest under systemd: its disk, and the emulated machine that boots it.

The disk's file system is made from a folder, so that no loop device is needed. Modules are loaded
from the initramfs, and the root needs none.
"""
import time
from pathlib import Path
from typing import List

import image
from guest import Guest

MODULES = ('virtio_pci', 'virtio_blk', 'virtio_console', 'virtio_rng')
DISK_SIZE, DATA_SIZE = '1G', '32M'
DATA = '/dev/vdb'               # an empty ext4 file system

INIT = '''#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
%s
while ! [ -b /dev/vda ]; do /bin/busybox usleep 10000; done
/bin/busybox mount -t ext4 -o rw,noatime /dev/vda /root
for place in proc sys dev; do /bin/busybox mount --move /$place /root/$place; done
exec /bin/busybox switch_root /root /sbin/init
'''

# what tests/vm/init does there: one shell line in, its output and its status out
WITNESS = r'''#!/bin/sh
exec <> /dev/virtio-ports/test.witness.0 >&0
while read -r token line; do
    output=$(exec 2>&1 < /dev/null; eval "$line")
    status=$?
    printf '%s\n%s %d\n' "$output" "$token" $status
done
'''
# busybox has it, for less than a second
USLEEP = '''#!/bin/sh
exec sleep "$(printf 0.%06d "$1")"
'''
WITNESS_UNIT = r'''[Unit]
Description=test witness
DefaultDependencies=no
BindsTo=dev-virtio\x2dports-test.witness.0.device
After=dev-virtio\x2dports-test.witness.0.device
[Service]
ExecStart=/usr/local/sbin/witness
Environment=HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
'''
WITNESS_RULE = ('SUBSYSTEM=="virtio-ports", ATTR{name}=="test.witness.0", TAG+="systemd", '
                'ENV{SYSTEMD_WANTS}="witness.service"\n')
# they only cost time in a guest that lives for a minute
USELESS = ('systemd-timesyncd.service', 'apt-daily.timer', 'apt-daily-upgrade.timer',
           'dpkg-db-backup.timer', 'e2scrub_reap.service', 'e2scrub_all.timer', 'fstrim.timer',
           'systemd-pstore.service', 'systemd-logind.service')


def write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def add_witness(root: Path) -> None:
    write(root / 'usr/local/sbin/witness', WITNESS, 0o755)
    write(root / 'usr/local/bin/usleep', USLEEP, 0o755)
    write(root / 'etc/systemd/system/witness.service', WITNESS_UNIT)
    write(root / 'etc/udev/rules.d/61-witness.rules', WITNESS_RULE)
    write(root / 'etc/hostname', 'guest\n')
    for unit in USELESS:
        (root / 'etc/systemd/system' / unit).symlink_to('/dev/null')


def make_disk(root: Path, disk: Path) -> None:
    image.run('truncate', '-s', DISK_SIZE, str(disk))
    image.run('mke2fs', '-q', '-t', 'ext4', '-O', '^has_journal', '-d', str(root), str(disk))
    image.run('truncate', '-s', DATA_SIZE, str(disk) + '.data')
    image.run('mke2fs', '-q', '-t', 'ext4', str(disk) + '.data')


def make_initramfs(path: Path, kernel: image.Kernel) -> None:
    archive = image.Archive()
    for name in ('bin', 'dev', 'proc', 'root', 'sys'):
        archive.directory(name)
    archive.file('bin/busybox', image.BUSYBOX.read_bytes(), 0o755)
    files = image.module_files(kernel, MODULES)
    for name in files:
        archive.file('lib/modules/%s/%s' % (kernel.modules.name, name),
                     (kernel.modules / name).read_bytes())
    archive.file('lib/modules/%s/modules.dep' % kernel.modules.name,
                 (kernel.modules / 'modules.dep').read_bytes())
    load = '\n'.join('/bin/busybox modprobe %s' % name for name in MODULES)
    archive.file('init', (INIT % load).encode(), 0o755)
    archive.write(path)


class Machine(Guest):
    """Boots `disk`, which it changes."""

    def __init__(self, kernel: image.Kernel, disk: Path, directory: Path) -> None:
        self._disk = disk
        make_initramfs(directory / 'initramfs', kernel)
        super().__init__(kernel, directory / 'initramfs', directory)

    def wait_for_end(self, seconds: float) -> float:
        """How long it took until the guest was off."""
        began = time.monotonic()
        self._process.wait(seconds)
        return time.monotonic() - began

    def _command(self, kernel: image.Kernel, initramfs: Path) -> List[str]:
        command = super()._command(kernel, initramfs)
        command[command.index('-m') + 1] = '768'
        command[command.index('-append') + 1] += ' systemd.show_status=no'
        for name, path in (('root', str(self._disk)), ('data', str(self._disk) + '.data')):
            command += ['-drive', 'if=none,id=%s,format=raw,cache=unsafe,file=%s' % (name, path),
                        '-device', 'virtio-blk-pci,drive=' + name]
        return command
