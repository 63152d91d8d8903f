# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines worth having: one of each kind of disk, and what is odd or missing."""
import os
import shutil
from typing import Callable, Dict, Iterable, Optional, Sequence, Tuple

from machine import Machine

VIRTUAL = 'devices/virtual/block'
Case = Callable[[Machine], None]
CASES: Dict[str, Case] = {}


def case(build: Case) -> Case:
    CASES[build.__name__.replace('_', ' ')] = build
    return build


# What is below /sys/devices on the way to a disk, the drivers of PCI functions on it, and what else
# is there. C is the controller: each way has a PCI domain of its own.
Way = Tuple[str, Dict[str, Optional[str]], Sequence[str]]
C = 'pci@:00/@:00:1f.1'
BRIDGE = 'pci@:00/@:00:01.0'
BEHIND = BRIDGE + '/@:01:02.3'
DEEP = BEHIND + '/@:02:00.0'
VMD = 'pci@:00/@:00:0e.0'
ARM = 'platform/4010000000.pcie/pci@:00/@:00:01.0'
MMIO = 'platform/a003e00.virtio_mmio/virtio1'


def ports(kind: str, numbers: Iterable[int]) -> Sequence[str]:
    return [f'{C}/{kind}{number}' for number in numbers]


WAYS: Sequence[Way] = [
    (C + '/ata1/host0/target0:0:1/0:0:1:0', {C: 'ata_piix'}, ports('ata', [2])),
    (C + '/ata2/host1/target1:0:1/1:0:1:0', {C: 'ata_piix'}, ports('ata', [1])),
    (C + '/ata12/host1/target1:0:1/1:0:1:0', {C: 'ata_piix'}, ports('ata', [2, 3])),
    (C + '/host5/target5:0:1/5:0:1:0', {C: 'ata_piix'}, ports('host', [4])),
    (C + '/host5/target5:0:1/5:0:1:0', {C: 'ata_piix'}, ports('host', [4]) + ports('ata', [1])),
    (C + '/ata5/host5/target5:0:1/5:0:1:0', {C: 'ata_piix'},
     ports('host', [4]) + ports('ata', [1])),
    (C + '/ata9/host5/target5:0:1/5:0:1:0', {C: 'ata_piix'}, ports('ata', range(1, 9))),
    (C + '/ata1/x', {C: 'ata_piix'}, ()),
    (C + '/other/target5:0:1/5:0:1:0', {C: 'ata_piix'}, ()),
    (C + '/ata3/host2/target2:0:0/2:0:0:0', {C: 'ahci'}, ports('ata', range(1, 7))),
    (C + '/ata10/host2/target2:0:0/2:0:0:0', {C: 'ahci'}, ports('ata', range(8, 14))),
    (C + '/ata9/host2/target2:0:0/2:0:0:0', {C: 'ahci'}, ports('ata', range(1, 33))),
    (C + '/ata2/host2/target2:0:0/2:0:0:0', {C: 'ahci'}, ports('ata', range(1, 33))),
    (C + '/ata2/host2/target2:0:0/2:0:0:0', {C: 'ahci'}, [C + '/ata', C + '/atax', C + '/ata1x']),
    (C + '/host2/target2:0:0/2:0:0:0', {C: 'ahci'}, ports('host', range(1, 4))),
    (C + '/other/target2:0:0/2:0:0:0', {C: 'ahci'}, ()),
    (C + '/ata3/link3/dev3.0/host2/target2:0:4/2:0:4:0', {C: 'ahci'}, ()),
    (C + '/host2/target2:3:5/2:3:5:7', {C: 'sym53c8xx'}, ()),
    (C + '/host2', {C: 'sym53c8xx'}, ()),
    (C + '/virtio3', {C: 'virtio-pci'}, ()),
    (C + '/virtio3/host2/target2:3:5/2:3:5:7', {C: 'virtio-pci'}, ()),
    (C + '/virtio3/host12/target12:0:255/12:0:255:16383', {C: 'virtio-pci'}, ()),
    (C + '/virtio3/host2/target2:0:a/2:0:a:f', {C: 'virtio-pci'}, ()),
    (C + '/virtio3/host2/target2:0:1/else', {C: 'virtio-pci'}, ()),
    (C + '/nvme/nvme0', {C: 'nvme'}, ()),
    (C + '/usb1/1-1/1-1:1.0/host2/target2:0:0/2:0:0:0', {C: 'xhci_hcd'}, ()),
    (C + '/usb1/1-1/1-1:1.0/host2/target2:0:0/2:0:0:0', {C: 'ehci-pci'}, ()),
    (C + '/usb1/1-1/1-1:1.0/host2/target2:0:0/2:0:0:0', {C: 'uhci_hcd'}, ()),
    (C + '/host2/target2:0:0/2:0:0:0', {C: 'megaraid_sas'}, ()),
    (C + '/host2/target2:0:0/2:0:0:0', {C: None}, ()),
    (BEHIND + '/virtio1', {BRIDGE: 'pcieport', BEHIND: 'virtio-pci'}, ()),
    (BEHIND + '/virtio1', {BEHIND: 'virtio-pci'}, ()),
    (BEHIND + '/virtio1', {BRIDGE: 'pcieport', BEHIND: 'other'}, ()),
    (BEHIND + '/ata1/host0/target0:0:0/0:0:0:0', {BRIDGE: 'ahci', BEHIND: 'virtio-pci'}, ()),
    (DEEP + '/virtio1', {BRIDGE: 'pcieport', BEHIND: 'pcieport', DEEP: 'virtio-pci'}, ()),
    ('pci@:ff/@:fe:1e.7/virtio1', {'pci@:ff/@:fe:1e.7': 'virtio-pci'}, ()),
    ('pci@:00/virtio1', {}, ()),
    ('pci@:00', {}, ()),
    (VMD + '/pci10000:e0/10000:e0:06.0/10000:e1:00.0/nvme/nvme0',
     {VMD: 'vmd', VMD + '/pci10000:e0/10000:e0:06.0/10000:e1:00.0': 'nvme'}, ()),
    ('LNXSYSTM:00/' + C + '/virtio1', {'LNXSYSTM:00/' + C: 'virtio-pci'}, ()),
    (ARM + '/virtio1', {ARM: 'virtio-pci'}, ()),
    (ARM + '/virtio1/host3/target3:0:1/3:0:1:2', {ARM: 'virtio-pci'}, ()),
    (ARM + '/nvme/nvme0', {ARM: 'nvme'}, ()),
    (MMIO, {}, ()),
    (MMIO + '/host0/target0:2:3/0:2:3:4', {}, ()),
    (MMIO + '/host0/target0:2:3/else', {}, ()),
    ('platform/a.mmc/mmc_host/mmc0/mmc0:0001', {}, ()),
    ('platform/a.sata/ata1/host0/target0:0:0/0:0:0:0', {}, ()),
    ('virtio1', {}, ()),
    ('css0/0.0.0003/0.0.1234/virtio1', {}, ()),
    ('css0/0.0.000a/0.0.abcd/virtio1/host0/target0:2:3/0:2:3:4', {}, ()),
    ('css1/1.3.0003/1.3.1234/virtio1', {}, ()),
    ('css0/0.0.0003/1.2.1234/virtio1', {}, ()),
    ('cssfe/fe.1.00ff/fe.1.0001/virtio1', {}, ()),
    ('css0/0.0.0003/0.0.1234', {}, ()),
    ('css0/0.0.zz/0.0.1234/virtio1', {}, ()),
    ('css0/0.0.0003/else/virtio1', {}, ()),
    ('css0/0.0.0003/0.0.1234/host0/rport-0:0-0/target0:0:0/0:0:0:1', {}, ()),
    ('vio/71000002/host0/target0:0:1/0:0:1:0', {}, ()),
    ('vbd-51712', {}, ()),
    ('platform/host3/session1/target3:0:0/3:0:0:1', {}, ()),
    ('virtual/nvme-fabrics/ctl/nvme0', {}, ()),
    ('virtual/nvme-subsystem/nvme-subsys0', {}, ()),
]


def build_way(machine: Machine, way: Way, number: int, has_node: bool) -> None:
    path, drivers, others = way

    def place(text: str) -> str:
        return 'devices/' + text.replace('@', f'{number:04x}')

    for function, driver in drivers.items():
        machine.drive(place(function), driver)
    for other in others:
        machine.make_folder(place(other))
    name = f'sd{number}x'
    machine.disk(f'{place(path)}/block/{name}', name=name, has_node=has_node,
                 partitions=[f'{name}1'] if number % 3 == 0 else [])


@case
def every_kind_of_disk(machine: Machine) -> None:
    for number, way in enumerate(WAYS, 1):
        build_way(machine, way, number, has_node=True)


@case
def every_kind_of_disk_without_nodes(machine: Machine) -> None:
    for number, way in enumerate(WAYS, 1):
        build_way(machine, way, number, has_node=False)


def virtio(machine: Machine, name: str, slot: int, **more: object) -> str:
    function = f'devices/pci0000:00/0000:00:{slot:02x}.0'
    machine.drive(function, 'virtio-pci')
    return machine.disk(f'{function}/virtio{slot}/block/{name}', name=name, **more)


def mapped(machine: Machine, name: str = 'dm-0', **more: object) -> str:
    return machine.disk(f'{VIRTUAL}/{name}', **more)


@case
def nothing(machine: Machine) -> None:
    del machine


@case
def a_stack(machine: Machine) -> None:
    disks = [virtio(machine, f'vd{letter}', 2 + i) for i, letter in enumerate('abc')]
    array = mapped(machine, 'md0', slaves=disks[:2], partitions=['md0p1', 'md0x'])
    volume = mapped(machine, 'dm-0', slaves=[array, disks[2], disks[0]],
                    properties={'DM_NAME': 'vg-lv', 'ID_SERIAL': 'none'})
    mapped(machine, 'dm-1', slaves=[volume], properties={'DM_NAME': ''})


@case
def a_partition_below(machine: Machine) -> None:
    disk = virtio(machine, 'vda', 2, partitions=['vda1', 'vda2'])
    mapped(machine, slaves=[disk + '/vda1'])


@case
def links_that_lead_nowhere(machine: Machine) -> None:
    path = mapped(machine, slaves=[virtio(machine, 'vda', 2)])
    machine.link(f'{path}/slaves/gone', '../../nowhere')
    machine.link(f'{path}/slaves/away', '/sys/nowhere/else')
    machine.link('block/gone', '../devices/nowhere')
    machine.link('dev/block/9:9', '../../devices/nowhere')
    machine.mount('9:9')


@case
def other_ways_to_link(machine: Machine) -> None:
    disk = virtio(machine, 'vda', 2)
    path = mapped(machine)
    machine.link(f'{path}/slaves/absolute', '/sys/' + disk)
    machine.link(f'{path}/slaves/.hidden', '/sys/' + disk)
    machine.link(f'{path}/slaves/twice', 'absolute')
    machine.link_to('block/alias', disk)
    machine.link_to('block/.hidden', disk)


@case
def files_and_folders_among_links(machine: Machine) -> None:
    path = mapped(machine, slaves=[virtio(machine, 'vda', 2)])
    machine.file(f'{path}/slaves/plain')
    machine.make_folder(f'{path}/slaves/folder')
    machine.file('block/plain')
    machine.file('block/folder/size', '8\n')


@case
def no_folder_of_slaves(machine: Machine) -> None:
    mapped(machine, slaves=None)
    virtio(machine, 'vda', 2, slaves=None)


@case
def a_file_for_slaves(machine: Machine) -> None:
    machine.file(mapped(machine, slaves=None) + '/slaves')


@case
def a_slave_that_is_a_ring(machine: Machine) -> None:
    machine.link(mapped(machine) + '/slaves/ring', 'ring')


@case
def a_device_that_is_a_ring(machine: Machine) -> None:
    virtio(machine, 'vda', 2)
    machine.link('dev/block/9:9', '9:9')
    machine.mount('9:9')


@case
def two_devices_that_are_rings(machine: Machine) -> None:
    for device in ('9:9', '9:8', '9:10'):
        machine.link(f'dev/block/{device}', device)
        machine.mount(device)


@case
def devices_elsewhere(machine: Machine) -> None:
    targets = ['/etc', '/', '/dev/null', '../..', '/no' + 'x' * 200 + '/' + 'y' * 250]
    for minor, target in enumerate(targets):
        machine.link(f'dev/block/9:{minor}', target)
        machine.mount(f'9:{minor}')
    machine.file('dev/block/10:1')
    machine.make_folder('dev/block/10:2')
    for device in ('10:1', '10:2', '10:3', '4095:1048575', '5000:5000000'):
        machine.mount(device)


@case
def sizes(machine: Machine) -> None:
    texts = ['0\n', '0', '', None, '00\n', '-1\n', '0\n1', '0 \n', ' 0\n', '18446744073709551616\n']
    for slot, size in enumerate(texts, 2):
        virtio(machine, f'vd{slot}', slot, size=size)
    machine.make_folder(virtio(machine, 'vdx', 30, size=None) + '/size')


@case
def names_of_partitions(machine: Machine) -> None:
    virtio(machine, 'cciss!c0d0', 2, partitions=['cciss!c0d0p1'])
    path = virtio(machine, 'nvme0n1', 3, partitions=[
        'nvme0n1p1', 'nvme0n1p', 'nvme0n12', 'nvme0n1p2x', 'nvme0n1q1', 'nvme0n1pp1', 'nvme0n1-1',
        'nvme0n2p1', 'xnvme0n1p1'])
    machine.file(f'{path}/nvme0n1p7')
    machine.make_folder(f'{path}/nvme0n1p8')
    machine.file(f'{path}/nvme0n1p9/uevent', 'DEVNAME=other\n')
    machine.link_to(f'{path}/nvme0n1p6', path)
    virtio(machine, 'mmcblk0', 4, partitions=['mmcblk0p1', 'mmcblk0boot0', 'mmcblk0²', 'mmcblk0٣'])
    mapped(machine, 'loop0', partitions=['loop0p1', 'loop0p2'])
    mapped(machine, 'ram0', partitions=['ram01'])


@case
def long_names(machine: Machine) -> None:
    disk = virtio(machine, 'v' * 200, 2, partitions=['v' * 200 + '1'])
    mapped(machine, 'd' * 230, slaves=[disk])


@case
def properties(machine: Machine) -> None:
    values = ['', 'abc', 'a b', 'é"\\x', ' ', 'x' * 500]
    for slot, value in enumerate(values, 2):
        virtio(machine, f'vd{slot}', slot, properties={'ID_SERIAL': value, 'DM_NAME': value},
               partitions=[f'vd{slot}1'])
        mapped(machine, f'dm-{slot}', properties={'ID_SERIAL': value, 'DM_NAME': value})
    virtio(machine, 'vdx', 20, properties={'ID_SERIAL_SHORT': 'short'})
    virtio(machine, 'vdy', 21, properties={'ID_SERIAL': 'kept'}, has_node=False)
    mapped(machine, 'dm-x', properties={'DM_NAME': 'kept'}, has_node=False)


@case
def the_health_of_nvme_disks(machine: Machine) -> None:
    logs = [bytes(range(256)) * 2, b'\xff' * 512, bytes(512), b'short', None]
    for number, log in enumerate(logs):
        function = f'devices/pci0000:00/0000:00:{number + 2:02x}.0'
        machine.drive(function, 'nvme')
        machine.disk(f'{function}/nvme/nvme{number}/nvme{number}n1',
                     partitions=[f'nvme{number}n1p1'])
        if log is not None:
            (machine.folder / f'dev/nvme{number}n1').write_bytes(log)
    machine.disk('devices/virtual/nvme-subsystem/nvme-subsys0/nvme9n1')
    virtio(machine, 'nvme8n1', 20)
    for name in ('nvme9n1', 'nvme8n1'):
        (machine.folder / 'dev' / name).write_bytes(bytes(512))


@case
def no_folder_of_disks(machine: Machine) -> None:
    os.rmdir(machine.sys / 'block')


@case
def a_file_for_the_folder_of_disks(machine: Machine) -> None:
    os.rmdir(machine.sys / 'block')
    machine.file('block')


@case
def nothing_in_sys(machine: Machine) -> None:
    virtio(machine, 'vda', 2)
    for path in machine.sys.iterdir():
        shutil.rmtree(path)


@case
def other_lines_of_the_mount_table(machine: Machine) -> None:
    virtio(machine, 'vda', 2)
    machine.set_table(
        '30 1 8:1 / /first rw - ext4 /dev/vda rw\n'
        '31 1 8:1 / /again rw - ext4 /dev/vda rw\n'
        '\n-\nx\n32 1 8:2\n32 1 8:2 /\n32 1 8:2 / /x\n32 1 8:2 / /x rw\n32 1 8:2 / /x rw -\n'
        '32 1 8:2 / /x rw - ext4\n32 1 8:2 / /x rw - ext4 \n32 1 8:2 / /x rw - ext4 y\n'
        '32 1 8:2 / /x rw -  y rw\n32 1 8:2 / /x rw - ext4  rw\n32 1 8 / /x rw - ext4 y rw\n'
        'x 1 8:2 / /x rw - ext4 y rw\n32 x 8:2 / /x rw - ext4 y rw\n'
        '33 1 8:3 / /m - ext4 y rw\n34 1 8:4 / /m rw x - y - ext4 y rw\n'
        '35 1 8:5 / /a\\040b\\011c\\012d\\134e\\043f\\\\g\\q\\04\\777\\400\\ rw - ext4 y rw\n'
        '36 1 8:6 / relative rw - ex\\040t4 y rw\n37 1 8:7 / /é\x01\x7f rw - ext4 y \n'
        '38 1 0:5 / /proc rw - proc proc rw\n39 1 0:6 / /b rw - btrfs /dev/nowhere rw\n'
        '40 1 0:7 / /c rw - btrfs /etc/passwd rw\n41 1 0:8 / /d rw - btrfs /dev/null rw\n'
        '42 1 0:9 / /e rw - btrfs /etc rw\n43 1 4096:1 / /no/such rw - xfs y rw')
