# SPDX-License-Identifier: GPL-2.0-or-later
"""Random requests that would change a machine, each with the world in which it comes."""
import base64
import json
from random import Random
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

from world import Node, Setting, USERS

SPECIAL = {'powerdown': 'poweroff', 'halt': 'halt', 'reboot': 'reboot'}
MODES = [*SPECIAL, '', 'poweroff', 'HALT', 'power\u0000down', 'x' * 200]
TIMES = [0, 1, -1, 999, 1000, -999, -1000, -999_999_999, -1_000_000_000, 10**9, 10**18,
         1_700_000_000_123_456_789, 3_155_759_999_999_999_999, 3_155_760_000_000_000_000,
         2**63 - 1, -2**63, 2**31 * 10**9, 2**32 * 10**9]
ASLEEP = {'disk': ('hibernate', '--hibernate', 'pm-hibernate'),
          'ram': ('suspend', '--suspend', 'pm-suspend'),
          'hybrid': ('hybrid-sleep', '--suspend-hybrid', 'pm-suspend-hybrid')}
POWER_STATES = [b'freeze mem disk\n', b'freeze\n', b'', b'disk', b'mem', b'memory diskette',
                b'x' * 28 + b'mem', b'x' * 29 + b'mem', b'x' * 31 + b'disk', b'\0mem disk']
NAMES = ['bob', 'bob', 'bob', 'eve', 'root', '', 'nobody-here', '-dash', '-e', 'b:ob', 'b\nob',
         'b\rob', 'bob\u0000x', 'b\u00f6b', ':', '\n', 'x' * 300, 'bob ', '../bob', '#bob', '$(id)']
PASSWORDS = [b'secret', b'', b':', b'a:b', b'\n', b'a\nb', b'a\0b', b'a\0\nb', b'\0', b'\r',
             b'\xff\xfe', b'$6$salt$hash/.', b'x' * 5000, 'p\u00e4ss'.encode()]
LINES = ['ssh-rsa AAAA one', 'ssh-rsa BBBB two', 'ssh-ed25519 CCCC', 'a', '', ' a', 'a ', '# a',
         ' # a', '\ta\r', 'a\x0b', '\x0b', 'k\u00e9y', 'a' * 3000, '"quoted" \\ key', "'", '\r']
KEYS = [*(line for line in LINES if not line.startswith('#')), 'a\u0000b', 'new', 'newer']
BAD_KEYS = ['#', '#a', 'a\nb', '\n', 'a\n']

OUTPUTS = ['out told\\n', 'err no\\nnewline', 'out \\377\\200', 'out a', 'err b\\n',
           'out \\t"quoted"\\\\']
BOB, BOBS = USERS['bob']


class Step(NamedTuple):
    setting: Setting
    request: bytes


class Generator:
    def __init__(self, random: Random):
        self.random = random
        self.setting = Setting()

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def step(self, kinds: List[str]) -> Step:
        self.setting = Setting()
        makers: Dict[str, Callable[[], Tuple[str, Dict[str, Any]]]] = {
            'shutdown': self.shutdown, 'time': self.time, 'suspend': self.suspend,
            'password': self.password, 'ssh': self.ssh}
        command, arguments = makers[self.random.choice(kinds)]()
        request: Dict[str, Any] = {'execute': 'guest-' + command}
        if self.chance(0.1):
            arguments = self.damaged(arguments)
        if arguments or self.chance(0.2):
            request['arguments'] = arguments
        if self.chance(0.3):
            request['id'] = self.random.choice([1, 'x', None, {'a': []}])
        return Step(self.setting, json.dumps(request).encode() + b'\n')

    def damaged(self, arguments: Dict[str, Any]) -> Dict[str, Any]:
        """Something is missing, of another type, or too much."""
        arguments = dict(arguments)
        if arguments and self.chance(0.8):
            name = self.random.choice(list(arguments))
            value = self.random.choice([None, 1, 1.5, True, 'x', '', [], {}, ['x'], [1], ['', {}]])
            if self.chance(0.3):
                del arguments[name]
            else:
                arguments[name] = value
        if not arguments or self.chance(0.3):
            arguments[self.random.choice(['extra', 'Mode', 'key', 'time ', ''])] = 1
        return arguments

    # Programs

    def program(self, path: str, present: float = 0.8) -> None:
        """Usually a stub; else something else, or nothing, in its place."""
        if self.chance(present):
            self.setting.nodes[path] = Node('stub', mode=0o755)
            return
        other = self.random.choice([
            None, None, Node(mode=0o644), Node(mode=0o755), Node('folder', mode=0o755),
            Node('fifo', mode=0o755), Node('link', b'absent'), Node('link', b'../local'),
            Node(text=b'#!/no/such/interpreter\n', mode=0o755), Node(text=b'exit 3\n', mode=0o755),
            Node('stub', mode=0o644), Node('stub', mode=0o111), Node('null', mode=0o755)])
        if other:
            self.setting.nodes[path] = other

    def tell(self, name: str, usual: List[str]) -> None:
        lines = []
        if self.chance(0.3):
            lines.append(self.random.choice(OUTPUTS))
        if self.chance(0.1):
            lines.append(self.random.choice(['leave 60', 'sleep 30']))
        if self.chance(0.3):
            lines.append(self.random.choice(['exit 1', 'exit 2', 'exit 3', 'exit 4', 'exit 127',
                                             'exit 255', 'kill 9', 'kill 15', 'kill 6', 'exit 0']))
        self.setting.told[name] = lines + usual

    # Commands

    def shutdown(self) -> Tuple[str, Dict[str, Any]]:
        for name in SPECIAL.values():
            if self.chance(0.5):
                self.program(f'sbin/{name}', 0.4)
            self.tell(name, [])
        self.program('sbin/shutdown')
        self.tell('shutdown', [])
        return 'shutdown', self.chance(0.8) and {'mode': self.random.choice(MODES)} or {}

    def time(self) -> Tuple[str, Dict[str, Any]]:
        self.program('sbin/hwclock')
        self.tell('hwclock', [])
        time = self.random.choice(TIMES + [self.random.randrange(4 * 10**18)] * 4)
        return 'set-time', self.chance(0.8) and {'time': time} or {}

    def suspend(self) -> Tuple[str, Dict[str, Any]]:
        kind = self.random.choice(list(ASLEEP))
        verb, option, action = ASLEEP[kind]
        self.program('bin/systemctl', 0.7)
        self.program('bin/pm-is-supported', 0.6)
        self.program(f'bin/{action}', 0.6)
        self.tell('systemctl-status',
                  [self.random.choice(['exit 3', 'exit 1', 'exit 0', 'exit 4'])])
        self.tell(f'systemctl-{verb}', [])
        self.tell(f'pm-is-supported-{option}', [])
        self.tell(action, [])
        if self.chance(0.7):
            self.setting.nodes['sys/power/state'] = self.random.choice(
                [Node(text=text) for text in POWER_STATES] * 3
                + [Node('folder'), Node('link', b'absent'), Node('null'), Node('zero')])
        return f'suspend-{kind}', {}

    def password(self) -> Tuple[str, Dict[str, Any]]:
        self.program(self.random.choice(['bin/chpasswd', 'sbin/chpasswd', 'sbin/chpasswd']))
        self.tell('chpasswd', [])
        text = base64.b64encode(self.random.choice(PASSWORDS)).decode()
        if self.chance(0.2):
            at = self.random.randrange(len(text) + 1)
            odd = self.random.choice(['\n', '\r\n', '*', '=', ' ', '\u0000'])
            text = text[:at] + odd + text[at:]
        return 'set-user-password', {'username': self.random.choice(NAMES), 'password': text,
                                     'crypted': self.chance(0.5)}

    # SSH keys

    def ssh(self) -> Tuple[str, Dict[str, Any]]:
        verb = self.random.choice(['get', 'add', 'add', 'add', 'remove', 'remove'])
        arguments: Dict[str, Any] = {'username': self.user()}
        if verb != 'get':
            arguments['keys'] = self.random.choices(KEYS, k=self.random.choice([0, 1, 1, 2, 5, 20]))
            if self.chance(0.05):
                arguments['keys'].append(self.random.choice(BAD_KEYS))
        if verb == 'add' and self.chance(0.4):
            arguments['reset'] = self.chance(0.7)
        self.home()
        return f'ssh-{verb}-authorized-keys', arguments

    def user(self) -> str:
        others = [*USERS, *NAMES]
        return 'bob' if self.chance(0.8) else self.random.choice(others)

    def home(self) -> None:
        """Bob's, in every kind of order."""
        nodes = self.setting.nodes
        nodes['home/vault'] = Node('folder', mode=self.random.choice([0o700, 0o755]))
        if self.chance(0.03):
            return
        nodes['home/bob'] = self.owned(Node('folder', mode=0o755), 0.95)
        if self.chance(0.1):
            nodes['home/bob/elsewhere'] = self.owned(Node('folder', mode=0o755), 0.8)
        if self.chance(0.2):
            return
        if self.chance(0.1):
            nodes['home/bob/.ssh'] = self.random.choice([
                Node(text=b'a'), Node('link', b'/home/vault'), Node('link', b'elsewhere'),
                Node('link', b'absent'), Node('link', b'.ssh'), Node('null')])
            return
        nodes['home/bob/.ssh'] = self.owned(
            Node('folder', mode=self.random.choice([0o700] * 8 + [0o500, 0, 0o777, 0o2775])), 0.9)
        if self.chance(0.85):
            nodes['home/bob/.ssh/authorized_keys'] = self.keys_file()

    def owned(self, node: Node, by_bob: float) -> Node:
        owner, group = (BOB, BOBS) if self.chance(by_bob) else self.random.choice(
            [(0, 0), (0, BOBS), (BOB, 0), (BOB, 2100), USERS['eve']])
        return node._replace(owner=owner, group=group)

    def keys_file(self) -> Node:
        if self.chance(0.1):
            return self.random.choice([
                Node('folder', mode=0o755, owner=BOB), Node('link', b'absent'), Node('null'),
                Node('link', b'/etc/passwd'), Node('link', b'/home/vault'),
                Node('link', b'authorized_keys')])
        lines = self.random.choices(LINES, k=self.random.choice([0, 1, 2, 3, 10]))
        text = '\n'.join(lines).encode()
        if self.chance(0.5):
            text += b'\n'
        if self.chance(0.1):
            text += self.random.choice([b'\0', b'\0b\n', b'\xff\n', b'\n\n'])
        return self.owned(Node(text=text, mode=self.random.choice([0o600] * 5 + [0o644, 0, 0o400])),
                          0.9)
