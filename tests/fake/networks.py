# SPDX-License-Identifier: GPL-2.0-or-later
"""Real interfaces, addresses and routes: seeded networks in a namespace that all agents share.

What a kernel does not know fails alone, and is counted. Counters move while one looks: an answer
of ours must be equal to one of upstream's that comes before and after it.
"""
import random
import subprocess
from collections import Counter
from typing import Dict, List, NamedTuple, Optional, Sequence

import rules
from cases import request
from lib import suite
from tree import Actor

ATTEMPTS = 20
REQUESTS = [request('guest-network-get-interfaces'), request('guest-network-get-route')]
NAMES = [b'eth0', b'a', b'x' * 15, b'br-1.2', b'\xc3\xa9th', b'e\xff0', b'tunnel', b'w@x', b'"q"']
KINDS = ['bridge', 'dummy', 'ifb', 'tap', 'tun', 'veth', 'veth', 'vlan', 'macvlan']
ROUTES4 = ['blackhole', 'unreachable', 'prohibit', 'unicast']


class Network(NamedTuple):
    commands: List[List[bytes]]


class Maker:
    def __init__(self, rng: random.Random):
        self.rng = rng
        self.commands: List[List[bytes]] = []
        self.names = [b'lo']

    def do(self, *words: object) -> None:
        self.commands.append([word if isinstance(word, bytes) else str(word).encode()
                              for word in words])

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def make(self) -> Network:
        if self.chance(0.1):
            self.do('sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1')
        if self.chance(0.8):
            self.do('ip', 'link', 'set', 'lo', 'up')
        for name in self.rng.sample(NAMES, self.rng.randrange(5)):
            self.interface(name)
        for _ in range(self.rng.randrange(8)):
            self.address()
        for _ in range(self.rng.randrange(6)):
            self.route()
        return Network(self.commands)

    def interface(self, name: bytes) -> None:
        kind = self.rng.choice(KINDS)
        self.names.append(name)
        if kind in ('tap', 'tun'):
            self.do('ip', 'tuntap', 'add', 'mode', kind, 'name', name)
        elif kind == 'veth':
            self.do('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', name[:14] + b'p')
            self.names.append(name[:14] + b'p')
        elif kind in ('vlan', 'macvlan'):
            self.do('ip', 'link', 'add', 'link', self.rng.choice(self.names), 'name', name,
                    'type', kind, *(['id', 7] if kind == 'vlan' else []))
        else:
            self.do('ip', 'link', 'add', name, 'type', kind)
        for up in self.names[-2:]:
            if self.chance(0.7):
                self.do('ip', 'link', 'set', up, 'up')

    def ipv4(self) -> str:
        return '.'.join(str(self.rng.choice((1, 10, 192, 250))) for _ in range(4))

    def ipv6(self) -> str:
        return self.rng.choice(('2001:db8::%x', 'fd00:1:2:3:4:5:6:%x', '::ffff:10.1.2.%d',
                                'fe80::%x')) % self.rng.randrange(1, 200)

    def address(self) -> None:
        name = self.rng.choice(self.names)
        words: List[object] = ['dev', name]
        if self.chance(0.4):
            self.do('ip', '-6', 'address', 'add',
                    f'{self.ipv6()}/{self.rng.randrange(129)}', *words, 'nodad')
            return
        if self.chance(0.3):
            words += ['label', name + b':' + self.rng.choice((b'a', b'1', b'\xff'))]
        if self.chance(0.2):
            self.do('ip', 'address', 'add', self.ipv4(), 'peer',
                    f'{self.ipv4()}/{self.rng.randrange(33)}', *words)
        else:
            self.do('ip', 'address', 'add', f'{self.ipv4()}/{self.rng.randrange(33)}', *words)

    def route(self) -> None:
        words: List[object] = []
        if self.chance(0.5):
            words += ['metric', self.rng.choice((0, 1, 1024, 2**31, 2**32 - 1))]
        if self.chance(0.4):
            if self.chance(0.3):
                words += ['from', f'{self.ipv6()}/128']
            self.do('ip', '-6', 'route', 'add', f'{self.ipv6()}/128', 'dev',
                    self.rng.choice(self.names), *words)
            return
        kind = self.rng.choice(ROUTES4)
        if self.chance(0.3):
            words += ['mtu', 1400, 'window', 5000, 'rtt', '30ms', 'advmss', 1300]
        self.do('ip', 'route', 'add', kind, f'{self.ipv4()}/32',
                *(['dev', self.rng.choice(self.names)] if kind == 'unicast' else []), *words)


class Namespace:
    """A network that lives as long as this object."""

    def __init__(self) -> None:
        self.holder = subprocess.Popen(['unshare', '--net', 'sh', '-c', 'echo; exec sleep 600'],
                                       stdout=subprocess.PIPE)
        assert self.holder.stdout is not None
        self.holder.stdout.read(1)

    def under(self) -> List[str]:
        return ['nsenter', f'--net=/proc/{self.holder.pid}/ns/net', '--']

    def run(self, command: Sequence[bytes]) -> bool:
        return subprocess.run([*(word.encode() for word in self.under()), *command], check=False,
                              capture_output=True).returncode == 0

    def close(self) -> None:
        self.holder.kill()
        self.holder.wait()
        if self.holder.stdout:
            self.holder.stdout.close()


def compared(words: bytes, release: str, theirs: Actor, ours: Actor) -> Optional[str]:
    for _ in range(ATTEMPTS):
        before, own, after = theirs.ask(words), ours.ask(words), theirs.ask(words)
        if own == before or rules.covering(release, words, before, own):
            return None
        if before == after:
            return f'{words.decode()}\n  {release:<4} {before!r:.3000}\n  ours {own!r:.3000}'
    return f'{words.decode()}: upstream\'s answer does not come to rest'


def run_one(network: Network, program: Sequence[str], others: Dict[str, List[str]],
            counts: 'Counter[str]') -> Optional[str]:
    namespace = Namespace()
    try:
        for command in network.commands:
            counts['done' if namespace.run(command) else 'not possible here'] += 1
        ours = Actor(program, namespace.under())
        try:
            for release, words in others.items():
                theirs = Actor(words, namespace.under())
                try:
                    for asked in REQUESTS:
                        problem = compared(asked, release, theirs, ours)
                        if problem:
                            return b'\n'.join(b' '.join(command) for command in
                                              network.commands).decode(errors='replace') + problem
                finally:
                    theirs.close()
        finally:
            complaint = ours.close()
        return complaint
    finally:
        namespace.close()


def run(report: suite.Suite, program: Sequence[str], others: Dict[str, List[str]], seed: int,
        total: int) -> None:
    counts: 'Counter[str]' = Counter()
    for number in range(total):
        network = Maker(random.Random(seed * 1_000_003 + number)).make()
        report.judge(f'network {number}', run_one(network, program, others, counts))
    report.judge('networks were made', None if counts['done'] > total else 'hardly any')
    for name, count in sorted(counts.items()):
        print(f'  changes of networks, {name}: {count}')
