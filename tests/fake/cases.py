# SPDX-License-Identifier: GPL-2.0-or-later
"""Seeded trees: as the kernel makes them, with odd numbers, cut short, garbled, or not there.

Not made are the trees that upstream dies of or reads beyond its buffers for: no processor at all,
no table of routes, names of 64 bytes and more, interfaces of IPv6 routes with names that Linux
does not allow, and IPv6 addresses of odd length.
"""
import json
import random
import re
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from tree import Content, Link, Tree

CPU, MEMORY = 'system/cpu', 'system/memory'
NAME_MAX = 15           # what may come to stand in the place of an interface's name
LIMITS = [0, 1, 9, 10, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**63 - 1, 2**63,
          2**64 // 1000, 2**64 // 1000 + 1, 2**64 - 1, 2**64, 10**30]
ODD_WORDS = [b'x', b'-', b'+', b'0x10', b'1.5', b'1e3', b'12x', b'\xff', b'\xc3\xa9', b'_', b',']
ODD_VALUES = [None, True, 0, 2**63, 2**64 - 1, -1, 1.5, 'online', '', [], [1], {}, {'online': True}]
BLANKS = [b' ', b'\t', b'  ', b' \t ', b'\v', b'\f', b'\r']
NAMES = [b'lo', b'eth0', b'enp1s0', b'*', b'a', b'x' * 15, b'br-1.2', b'\xc3\xa9th', b'e\xff0']
ROUTE_TITLE = (b'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow'
               b'\tIRTT' + b' ' * 55 + b'\n')
DEV_TITLE = (b'Inter-|   Receive' + b' ' * 48 + b'|  Transmit\n face |bytes    packets errs drop '
             b'fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier '
             b'compressed\n')


class Case(NamedTuple):
    name: str
    tree: Tree
    requests: List[bytes]


def request(command: str, **arguments: Any) -> bytes:
    value: Dict[str, Any] = {'execute': command}
    if arguments:
        value['arguments'] = {name.replace('_', '-'): what for name, what in arguments.items()}
    return json.dumps(value).encode()


class Maker:
    def __init__(self, rng: random.Random):
        self.rng = rng
        self.is_odd = rng.random() < 0.6

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def odd(self, share: float) -> bool:
        return self.is_odd and self.chance(share)

    # Numbers and columns.

    def number(self) -> bytes:
        rng = self.rng
        if self.odd(0.1):
            number = rng.choice(LIMITS) * rng.choice((1, 1, 1, -1))
            return b'%s%d' % (b'+' if number >= 0 and self.chance(0.2) else b'', number)
        if self.odd(0.03):
            return rng.choice(ODD_WORDS)
        if self.odd(0.03):
            return b'0' * rng.randrange(1, 30) + b'%d' % rng.randrange(100)
        return b'%d' % rng.randrange(10 ** rng.randrange(1, 13))

    def hexadecimal(self, digits: int) -> bytes:
        if self.odd(0.1):
            return b'%x' % self.rng.choice(LIMITS)
        if self.odd(0.03):
            return self.rng.choice(ODD_WORDS)
        return b'%0*x' % (digits, self.rng.randrange(16 ** digits))

    def columns(self, words: List[bytes]) -> bytes:
        """A line of these words, now and then with one too many or too few."""
        if self.odd(0.1) and words:
            del words[self.rng.randrange(len(words))]
        if self.odd(0.05):
            words.insert(self.rng.randrange(len(words) + 1), self.number()[:NAME_MAX])
        blank = self.rng.choice(BLANKS) if self.odd(0.2) else b' '
        return blank * self.rng.choice((0, 1, 3)) + blank.join(words) + b'\n'

    # Files.

    def garbled(self, text: bytes, byte_wise: bool = True) -> Content:
        """The text, or what is left of it."""
        if not self.odd(0.35):
            return text
        lines = text.splitlines(True)
        place = self.rng.randrange(len(lines)) if lines else 0
        choice = self.rng.randrange(10)
        if choice == 0:
            return b''
        if choice == 1:
            return text[:self.rng.randrange(len(text) + 1)] if byte_wise else text.rstrip(b'\n')
        if choice == 2:
            lines[place:place] = [bytes(self.rng.randrange(256) for _ in range(20)) + b'\n']
        elif choice == 3:
            lines[place:place + 1] = [b'\0' + line for line in lines[place:place + 1]]
        elif choice == 4:
            lines[place:place + 1] = [line[:-1] + b'\0 9 9 9\n' for line in lines[place:place + 1]]
        elif choice == 5:
            lines[place:place] = [b'\n', b' \n']
        elif choice == 6:
            lines[place:place] = [b'\t' * 9000 + b'\n']
        elif choice == 7 and byte_wise and text:
            spot = self.rng.randrange(len(text))
            return text[:spot] + bytes([self.rng.randrange(256)]) + text[spot + 1:]
        elif choice == 8:
            del lines[place:place + 1]
        return b''.join(lines)

    def file(self, text: bytes, byte_wise: bool = True) -> Content:
        """None for a folder of that name."""
        if self.odd(0.04):
            return self.rng.choice((None, Link('nowhere'), Link('/dev/null')))
        return self.garbled(text, byte_wise)

    def stat(self) -> Case:
        n_columns = self.rng.choice((4, 5, 6, 7, 8, 9, 10, 10, 10, 12))
        lines = [self.columns([b'cpu', *(self.number() for _ in range(n_columns))])]
        for index in range(self.rng.randrange(5)):
            name = b'cpu%d' % index
            if self.odd(0.1):
                name = b'cpu' + self.rng.choice((self.number(), b'', b'0_1', b'freq'))
            # The age of a kernel is one; only upstream's stack says what softirq is without irq.
            lines.append(self.columns([name, *(self.number() for _ in range(n_columns))]))
        lines.append(b'intr ' + b'0 ' * self.rng.choice((10, 20000)) + b'\n')
        lines.append(b'ctxt 1\nbtime 2\n')
        return Case('stat', {'proc/stat': self.file(b''.join(lines))},
                    [request('guest-get-cpustats')])

    def diskstats(self) -> Case:
        lines = []
        for index in range(self.rng.randrange(6)):
            n_columns = self.rng.choice((4, 11, 11, 15, 17, 17, 17, self.rng.randrange(20)))
            name = self.rng.choice((b'sda', b'vda1', b'dm-0', b'loop7', b'nvme0n1p3', b'c0!d1'))
            lines.append(self.columns([b'%d' % self.rng.randrange(260), b'%d' % index, name,
                                       *(self.number() for _ in range(n_columns))]))
        return Case('diskstats', {'proc/diskstats': self.file(b''.join(lines))},
                    [request('guest-get-diskstats')])

    def ipv6(self) -> bytes:
        rng = self.rng
        if self.odd(0.05):
            return rng.choice((b'z' * 32, b'00', b'0' * 30, b'f' * 40, b'1' * 64))
        if self.chance(0.3):
            return b'0' * 32
        digits = b'%032x' % rng.getrandbits(128)
        for _ in range(rng.randrange(4)):
            start = rng.randrange(0, 32, 4)
            digits = digits[:start] + b'0000' + digits[start + 4:]
        return digits.upper() if self.odd(0.1) else digits

    def name(self) -> bytes:
        return self.rng.choice(NAMES) if self.is_odd else b'eth0'

    def routes(self) -> Case:
        ipv4 = [ROUTE_TITLE]
        for _ in range(self.rng.randrange(5)):
            ipv4.append(self.columns([
                self.name(), self.hexadecimal(8), self.hexadecimal(8), self.hexadecimal(4),
                self.number(), self.number(), self.number(), self.hexadecimal(8), self.number(),
                self.number(), self.number()]))
        ipv6 = []
        for _ in range(self.rng.randrange(5)):
            line = self.columns([
                self.ipv6(), self.hexadecimal(2), self.ipv6(), self.hexadecimal(2), self.ipv6(),
                *(self.hexadecimal(8)[:NAME_MAX] for _ in range(4))]).rstrip(b'\n')
            ipv6.append(line + b'     ' + self.name() + b'\n')
        tree = {'proc/net/route': self.file(b''.join(ipv4)),
                'proc/net/ipv6_route': self.file(b''.join(ipv6), byte_wise=False)}
        if self.odd(0.1):
            del tree[self.rng.choice(sorted(tree))]
        # What leads nowhere is missing, and without both files upstream dies.
        if all(tree.get(name) == Link('nowhere') or name not in tree
               for name in ('proc/net/route', 'proc/net/ipv6_route')):
            tree['proc/net/route'] = ROUTE_TITLE
        return Case('routes', tree, [request('guest-network-get-route')])

    def net_dev(self) -> Case:
        lines = [DEV_TITLE]
        for name in self.rng.sample((b'lo', b'eth0', b'lo', b'lox', b'l'), self.rng.randrange(5)):
            numbers = self.columns([self.number() for _ in range(16)])
            lines.append(b' ' * self.rng.randrange(5) + name + b':' + numbers)
        tree = {'proc/net/dev': self.file(b''.join(lines))}
        if self.odd(0.05):
            tree = {}
        return Case('net/dev', tree, [request('guest-network-get-interfaces')])

    # Folders.

    def state(self, usual: List[bytes], odd: List[bytes]) -> Content:
        if self.odd(0.05):
            return self.rng.choice((None, Link('state-loop'), Link('/dev/null')))
        return self.rng.choice(odd if self.odd(0.1) else usual)

    def loop(self, tree: Tree, folder: str) -> None:
        """What links of state() lead to."""
        tree[f'{folder}/state-loop'] = Link('state-loop')

    def cpus(self) -> Case:
        tree: Tree = {f'{CPU}/cpufreq': None, f'{CPU}/cpuidle': None, f'{CPU}/online': b'0-1\n',
                      f'{CPU}/kernel_max': b'63\n', f'{CPU}/cpu0': None}
        indices = self.rng.sample(range(1, 200), self.rng.randrange(9))
        for index in indices:
            folder = f'{CPU}/cpu{index}'
            tree[folder] = None
            if self.chance(0.9):
                tree[f'{folder}/online'] = self.state([b'0\n', b'1\n', b'1\n'],
                                                      [b'', b'1', b'x', b'\0', b'00', b'1' * 99])
                self.loop(tree, folder)
        if self.odd(0.1):
            tree[f'{CPU}/cpu' + self.rng.choice(('01', '1x', ' 1', '-1', '9' * 30, '500'))] = \
                self.rng.choice((None, b'a file'))
        if self.odd(0.02):
            tree = {CPU: self.rng.choice((b'a file', Link('cpu')))}
        if self.odd(0.02):
            tree = {}
        return Case('cpus', tree, [
            request('guest-get-vcpus'),
            *(request('guest-set-vcpus', vcpus=self.entries('logical-id', indices))
              for _ in range(self.rng.randrange(4))),
            request('guest-get-vcpus')])

    def entries(self, member: str, indices: List[int]) -> Any:
        """What is to be set; now and then nothing of the kind."""
        found: List[Any] = []
        for _ in range(self.rng.randrange(6)):
            entry: Dict[str, Any] = {member: self.wanted(indices), 'online': self.chance(0.5)}
            if self.chance(0.2):
                entry['can-offline'] = self.chance(0.5)
            if self.odd(0.05):
                entry[self.rng.choice((member, 'online', 'can-offline', 'more'))] = \
                    self.rng.choice(ODD_VALUES)
            if self.odd(0.05):
                del entry[self.rng.choice(sorted(entry))]
            found.append(self.rng.choice(ODD_VALUES) if self.odd(0.02) else entry)
        return self.rng.choice(ODD_VALUES) if self.odd(0.03) else found

    def wanted(self, indices: List[int]) -> int:
        if indices and self.chance(0.9):
            return self.rng.choice(indices)
        return self.rng.choice((0, 7, -1, 2**63 - 1, -2**63))

    def memory(self) -> Case:
        tree: Tree = {f'{MEMORY}/power': None, f'{MEMORY}/probe': b'', f'{MEMORY}/mem': None,
                      f'{MEMORY}/memory_file': b''}
        if not self.odd(0.05):
            tree[f'{MEMORY}/block_size_bytes'] = self.state(
                [b'8000000\n', b'40000000\n'],
                [b'', b'x', b'-1', b'0x80', b' 10', b'f' * 16, b'8 9', b'0' * 19 + b'8', b'\0'])
        indices = self.rng.sample(range(3000), self.rng.randrange(9))
        for index in indices:
            folder = f'{MEMORY}/memory{index}'
            tree[folder] = None
            self.loop(tree, folder)
            if self.chance(0.9):
                tree[f'{folder}/state'] = self.state(
                    [b'online\n', b'offline\n', b'going-offline\n'],
                    [b'', b'onlin', b'onlinex', b'ONLINE', b'\0', b'x' * 99])
            if self.chance(0.9):
                tree[f'{folder}/removable'] = self.state([b'0\n', b'1\n'], [b'', b'x', b'0', b'\0'])
        self.loop(tree, MEMORY)
        if self.odd(0.1):
            tree[f'{MEMORY}/memory' + self.rng.choice(('01', '1x', '-1', '', '9' * 30))] = \
                self.rng.choice((None, b'a file', Link('power')))
        if self.odd(0.03):
            tree = {MEMORY: self.rng.choice((b'a file', Link('memory')))}
        if self.odd(0.03):
            tree = {}
        return Case('memory', tree, [
            request('guest-get-memory-block-info'), request('guest-get-memory-blocks'),
            *(request('guest-set-memory-blocks', mem_blks=self.entries('phys-index', indices))
              for _ in range(self.rng.randrange(4))),
            request('guest-get-memory-blocks')])


KINDS: List[Callable[[Maker], Case]] = [Maker.stat, Maker.diskstats, Maker.routes, Maker.net_dev,
                                        Maker.cpus, Maker.memory]


def is_fatal(tree: Tree) -> bool:
    """Words that upstream has no room for, made by a garbled byte."""
    return any(re.search(rb'[^\s\0]{64}', content) for name, content in tree.items()
               if isinstance(content, bytes) and name in ('proc/stat', 'proc/diskstats'))


def make(seed: int, number: int) -> Optional[Case]:
    maker = Maker(random.Random(seed * 1_000_003 + number))
    case = KINDS[number % len(KINDS)](maker)
    return None if is_fatal(case.tree) else case
