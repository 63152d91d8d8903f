# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines that nobody would build, from a seed."""
from random import Random
from typing import List

from machine import Machine

DRIVERS = ['ata_piix', 'sym53c8xx', 'virtio-pci', 'ahci', 'nvme', 'xhci_hcd', 'ehci-pci',
           'pcieport', 'other', None]
ROOTS = ['pci{domain:04x}:{bus:02x}', 'platform/{bus:x}.pcie/pci{domain:04x}:00',
         'css{bus:x}/{bus:x}.1.{domain:04x}/{bus:x}.2.00{bus:02x}', 'platform/{bus:x}', 'css0',
         'pci', 'virtual/{bus}', 'virtual/block', 'LNXSYSTM:00']
STEPS = ['ata{a}', 'host{a}', 'target{a}:{b}:{c}', '{a}:{b}:{c}:{d}', 'virtio{a}', 'nvme',
         'usb{a}', 'target{a}', 'target{a}:{b}:{c}/{a}:{b}:{c}:{d}',
         'host{a}/target{a}:{b}:{c}/{a}:{b}:{c}:{d}',
         'ata{b}/host{a}/target{a}:{b}:{c}/{a}:{b}:{c}:{d}', 'atax', 'hostile', 'x']
NAMES = ['sd{}', 'vd{}a', 'nvme{}n1', 'dm-{}', 'md{}', 'loop{}', 'cciss!c{}d0', 'mmcblk{}']
PARTS = ['a', '/', '\\040', '\\134', '\\777', '\\04', '\\\\', '-', 'é', '#']
SIZES = ['8\n', '8\n', '8\n', '8\n', '0\n', '', '0', None]


def odd_line(random: Random, device: str) -> str:
    """Of the mount table: a word too many or too few, blanks and bytes in names. Fields stay
    apart by one blank each, as the kernel always has it, and numbers are numbers."""
    name = ''.join(random.choice(PARTS) for _ in range(random.randrange(1, 8)))
    words = ['30', '1', device, '/', '/none' + name, 'rw', 'shared:1', '-', 'ext4', '/dev/' + name,
             'rw']
    for _ in range(random.choice([0, 1, 1, 2])):
        place = random.randrange(len(words))
        if random.random() < 0.5:
            words.insert(max(place, 5), random.choice(['-', 'x', 'btrfs', '/']))
        else:
            del words[place]
    return ' '.join(words) + random.choice(['\n', '\n', '\n', ' \n', '\n\n'])


def functions(random: Random, machine: Machine, root: str) -> str:
    path = root
    for _ in range(random.choice([0, 1, 1, 1, 2, 3])):
        path += '/{:04x}:{:02x}:{:02x}.{}'.format(
            random.choice([0, 0, 1, 0xffff, 0x10000]), random.randrange(256),
            random.randrange(32), random.randrange(8))
        machine.drive('devices/' + path, random.choice(DRIVERS))
    return path


def way(random: Random, machine: Machine) -> str:
    path = random.choice(ROOTS).format(domain=random.choice([0, 1, 0xffff]),
                                       bus=random.randrange(256))
    if 'pci' in path:
        path = functions(random, machine, path)
    for _ in range(random.choice([0, 1, 1, 2])):
        path += '/' + random.choice(STEPS).format(
            a=random.randrange(12), b=random.randrange(3), c=random.randrange(20),
            d=random.randrange(300))
    for _ in range(random.choice([0, 0, 0, 2, 10])):
        kind = random.choice(['ata', 'host'])
        machine.make_folder(f'devices/{path.split("/ata")[0].split("/host")[0]}/'
                            f'{kind}{random.randrange(12)}')
    return 'devices/' + path


def build(random: Random, machine: Machine) -> None:
    made: List[str] = []
    for number in range(random.randrange(1, 9)):
        name = random.choice(NAMES).format(number)
        path = way(random, machine)
        path += random.choice(['/block/', '/block/', '/']) + name
        slaves = random.sample(made, random.randrange(len(made) + 1))
        properties = {key: random.choice(['', 'x', 'a b']) for key in ('ID_SERIAL', 'DM_NAME')
                      if random.random() < 0.3}
        joint = 'p' if name[-1].isdigit() else ''
        machine.disk(path, name=name, size=random.choice(SIZES), slaves=slaves,
                     has_node=random.random() < 0.9, properties=properties,
                     partitions=[f'{name}{joint}{i}' for i in range(random.choice([0, 0, 1, 3]))])
        made.append(path)
        if random.random() < 0.5:
            (machine.folder / 'dev' / name.replace('!', '-')).write_bytes(random.randbytes(512))
    for _ in range(random.choice([0, 0, 1, 5])):
        device = random.choice(['8:1', '8:2', '9:9', '4095:1', '0:7'])
        machine.add_to_table(odd_line(random, device))
