# SPDX-License-Identifier: GPL-2.0-or-later
"""Random requests, in batches that an agent answers in one go.

Safety comes first, because some of this runs as root on real programs. Every path is one of
PATHS, relative to the agent's working directory; every program one of PROGRAMS; shell scripts
are only those listed there; commands that change the machine are blocked on the command line
(BLOCKED). Bytes are only damaged in requests of commands that neither open nor run anything.
"""
import base64
import json
from dataclasses import dataclass
from random import Random
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

BLOCKED = ['guest-' + name for name in (
    'shutdown', 'suspend-disk', 'suspend-ram', 'suspend-hybrid', 'set-time', 'set-vcpus',
    'set-memory-blocks', 'set-user-password', 'ssh-get-authorized-keys',
    'ssh-add-authorized-keys', 'ssh-remove-authorized-keys', 'fsfreeze-freeze',
    'fsfreeze-freeze-list', 'fsfreeze-thaw', 'fstrim')]

# Made in every agent's working directory before it starts: see talk.make_files().
PATHS = ['text', 'empty', 'fifo', 'folder', 'folder/inner', 'sparse', 'link', 'dangling', 'absent',
         'folder/absent', 'absent/inner', 'text/inner', '', 'new', 'newer', 'n\u00e9w \u2603']
CREATABLE = {'absent', 'folder/absent', 'new', 'newer', 'n\u00e9w \u2603'}
MODES = ['r', 'rb', 'w', 'wb', 'a', 'ab', 'r+', 'rb+', 'r+b', 'w+', 'wb+', 'w+b', 'a+', 'ab+',
         'a+b']
BAD_MODES = ['', 'x', 'R', 'rw', 'r+ ', 'rbb', '\u0000r']
SCRIPTS = ['exit 0', 'exit 3', 'exit 255', 'kill -9 $$', 'kill -15 $$', 'kill -6 $$',
           'echo out; echo err >&2', 'echo err >&2; exit 1', 'printf "a\\000b\\377"',
           'echo "$A|$B"', 'head -c 99999 text', 'exec 1>&2; echo moved', ':']
PROGRAMS: List[Tuple[str, List[str]]] = (
    [('sh', ['-c', script]) for script in SCRIPTS]
    + [('/bin/sh', ['-c', script]) for script in SCRIPTS[:4]]
    + [('/bin/echo', words) for words in ([], [''], ['-n', 'x'], ['\u00fc', 'two words', '"'])]
    + [('cat', []), ('/bin/cat', []), ('true', []), ('false', []), ('./script', ['1']),
       ('absent', []), ('./absent', []), ('folder', []), ('./folder', []), ('./text', []),
       ('', [])])
HOLDS_STRING_INPUT = {'cat', '/bin/cat', '/bin/echo'}    # never a shell: it would run the input

MODES_OF_CAPTURE = [True, False, 'none', 'separated', 'merged', 'bogus', None, 1]

QUERIES = ['guest-info', 'guest-get-vcpus', 'guest-get-memory-blocks',
           'guest-get-memory-block-info']
# What they tell depends on the moment; whether they tell it does not.
MOMENTARY = ['guest-get-time', 'guest-get-load', 'guest-get-cpustats', 'guest-get-diskstats',
             'guest-network-get-interfaces', 'guest-network-get-route', 'guest-get-disks',
             'guest-get-fsinfo']
QUERIES += MOMENTARY[2:]

UNKNOWN = ['', 'guest-', 'guest-pin', 'guest-pingg', 'GUEST-PING', 'guest_ping', ' guest-ping',
           'guest-get-devices', 'qmp_capabilities', 'gu\u00e9st', '\u0000', 'guest-ping\n', '"',
           'x' * 300, '\U0001f600']
WORDS = ['foo', 'bar', 'a', '', 'handles', 'Id', 'x-y', 'exec-oob', 'control', '\u00e4', 'k\n',
         '\u0000', 'position', 'return', 'error', 'class', 'zz' * 20]
INTEGERS = [0, 1, -1, 2, 3, 7, 255, 4096, 2**31 - 1, 2**31, -2**31, 2**32, 2**53, 2**63 - 1,
            -2**63, 2**63, 2**64 - 1, 2**64, -2**63 - 1, 10**30]
NUMBER_SPELLINGS = ['-0', '0.0', '-0.0', '1.0', '1e0', '1E5', '1e-5', '0.1', '1e999', '-1e999',
                    '1e-999', '123456789.123456789', '1.7976931348623157e308', '5e-324',
                    '0.30000000000000004', '100000000000000000000', '1e17', '1e16']
STRINGS = ['', 'a', 'text', 'guest-ping', '\\', '"', "'", '/', '\b\f\n\r\t', '\u0000', '\x1f',
           '\x7f', '\u00e9', '\u2028', '\u20ac', '\U0001f600', '\U0010fffd', 'a' * 1000, '%s%n',
           '</script>', '\ufffd']
TOKENS = [b'{', b'}', b'[', b']', b',', b':', b'"', b"'", b'"a"', b"'b'", b'"execute"', b'\\',
          b'true', b'false', b'null', b'nul', b'nan', b'Infinity', b'1', b'0', b'-', b'01', b'1.',
          b'.5', b'1e', b'0e5', b'1e+', b'--1', b'+1', b' ', b'\t', b'\r', b'\n', b'\x00', b'\x01',
          b'\x0b', b'\x1f', b'\x7f', b'\x80', b'\xc0\x80', b'\xc3', b'\xc3\xa9', b'\xed\xa0\x80',
          b'\xf4\x90\x80\x80', b'\xfe', b'\xff', b'"\\ud800"', b'"\\u12"', b'"\\x"', b'@', b'#',
          b'//', b'/*', b'"\\udbff\\udffe"', b'"\\ud83d\\ude00"', b'"\xef\xbf\xbf"',
          b'\xef\xbb\xbf']


class Item(NamedTuple):
    """One request, or something that ought to be one."""
    data: bytes
    is_garbage: bool = False    # may leave the parser anywhere
    is_polled: bool = False     # guest-exec, followed by guest-exec-status until the end


@dataclass(frozen=True)
class Batch:
    """What one agent process is told. Aligned: around garbage stand marks by which the answers of
    agents can be matched that recover from errors in different ways."""
    items: Tuple[Item, ...]
    is_aligned: bool
    packet: int                 # bytes sent at once, 0: as many as the socket takes
    arguments: Tuple[str, ...]


class Spelled(str):
    """A number in the spelling in which it is to be sent."""


class Generator:
    def __init__(self, random: Random, all_commands: bool = False):
        self.random = random
        self.files = {'text', 'empty', 'folder/inner', 'sparse', 'link'}
        self.next_handle = 1000
        self.handles: Dict[int, str] = {}   # probably open, and their paths
        self.all_commands = all_commands
        self.is_aligned = True

    def batch(self, size: int) -> Batch:
        self.is_aligned = self.chance(0.75)
        # qemu-ga gets one such mode right at most and may close another command's pipe then.
        ends_with_one_stream = self.chance(0.15)
        items = [self.item(executes=not ends_with_one_stream) for _ in range(size)]
        packet = self.random.choice([0, 0, 0, 1, 3, 17, 100, 1023, 1025, 4096, 4097])
        if packet == 1:
            items = items[:len(items) // 4]
        if ends_with_one_stream:
            items.append(self.exec_item(['stdout', 'stderr']))
        arguments = ['-b', ','.join(BLOCKED)]
        if self.chance(0.1):
            arguments += ['-b', self.random.choice(['guest-exec', 'guest-file-open', 'guest-ping'])]
        return Batch(tuple(items), self.is_aligned, packet, tuple(arguments))

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def item(self, executes: bool) -> Item:
        kind = self.random.choices(['valid', 'files', 'exec', 'arguments', 'envelope', 'garbage'],
                                   [20, 40, 2 if executes else 0, 16, 8, 14])[0]
        if kind == 'garbage':
            return Item(self.garbage(), is_garbage=True)
        if kind == 'exec':
            return self.exec_item()
        command, arguments = self.file_request() if kind == 'files' else self.request()
        envelope: Dict[str, Any] = {'execute': command}
        if kind == 'arguments':
            arguments = self.damaged_arguments(command, arguments)
        if arguments or self.chance(0.2):
            envelope['arguments'] = arguments
        if kind == 'envelope':
            self.damage_envelope(envelope)
        return Item(self.sent(envelope))

    # Requests

    def request(self) -> Tuple[str, Any]:
        """Any command that takes no part in a sequence."""
        commands = ['guest-ping', 'guest-sync', 'guest-sync-delimited', 'guest-get-host-name',
                    'guest-get-osinfo', 'guest-get-timezone', 'guest-get-users', 'guest-get-load',
                    'guest-get-time', 'guest-fsfreeze-status', 'guest-exec-status']
        command = self.random.choice(commands * 2 + QUERIES + [self.random.choice(UNKNOWN)])
        if self.all_commands and self.chance(0.2):
            command = self.random.choice(BLOCKED)
        if command.startswith('guest-sync'):
            return command, {'id': self.integer()}
        if command == 'guest-exec-status':      # beyond any pid that the kernel gives away
            return command, {'pid': self.random.choice([0, -1, 2**22 + 1, 2**31, 2**62])}
        return command, {}

    def file_request(self) -> Tuple[str, Any]:
        command = self.random.choices(
            ['open', 'read', 'write', 'seek', 'flush', 'close'], [3, 5, 5, 4, 2, 1])[0]
        if command == 'open' or not self.handles:
            return 'guest-file-open', self.open_arguments()
        handle = self.handle()
        arguments: Dict[str, Any] = {'handle': handle}
        if command == 'read':
            # Near the last position of a folder the kernel looks at the size before anything else.
            large = [] if self.handles.get(handle) == 'folder' else [50331648]
            self.maybe(arguments, 'count', self.count([*large, 50331649, 10000]))
        elif command == 'write':
            # Nothing goes into the FIFO: qemu-ga loses what it reads there, and is confused after.
            arguments['buf-b64'] = '' if self.handles.get(handle) == 'fifo' else self.base64()
            self.maybe(arguments, 'count', self.count([10000]), 0.3)
        elif command == 'seek':
            arguments['offset'] = self.random.choice(
                [0, 1, -1, 5, -5, 100, 4096, 2**20, -2**20, 2**40, 2**63 - 1, -2**63])
            arguments['whence'] = self.random.choice(
                [0, 1, 2, 'set', 'cur', 'end', 0, 1, 2, 'set', 'cur', 'end', 3, -1, 'SET', 2**40])
        elif command == 'close':
            self.handles.pop(handle, None)
        return 'guest-file-' + command, arguments

    def open_arguments(self) -> Dict[str, Any]:
        # Where garbage may swallow a request, no handle is known to be or not to be the FIFO's.
        paths = PATHS if self.is_aligned else [path for path in PATHS if path != 'fifo']
        arguments: Dict[str, Any] = {'path': self.random.choice(paths)}
        self.maybe(arguments, 'mode',
                   self.random.choice(MODES if self.chance(0.9) else BAD_MODES), 0.8)
        if self.opens(arguments['path'], arguments.get('mode', 'r')):
            self.handles[self.next_handle] = arguments['path']
            self.next_handle += 1
        return arguments

    def opens(self, path: str, mode: str) -> bool:
        """Whether it succeeds, which tells the number that the next handle gets."""
        if mode not in MODES:
            return False
        if path == 'fifo':
            return mode[0] == 'r' or '+' in mode or 'fifo' in self.handles.values()
        if path == 'folder':
            return mode in ('r', 'rb')
        if mode[0] != 'r' and path in CREATABLE:
            self.files.add(path)
        return path in self.files

    def handle(self) -> int:
        """Mostly one that is open, the newer the likelier, so that sequences come about."""
        if self.chance(0.05):
            return self.random.choice([0, -1, 999, 1000, self.next_handle, 2**31, 2**63 - 1])
        back = min(int(self.random.expovariate(0.7)), len(self.handles) - 1)
        return list(self.handles)[-1 - back]

    def count(self, rare: List[int]) -> int:
        usual = [0, 1, 2, 3, 5, 16, 100, 1000, 4096, 4097]
        return self.random.choice(usual * 6 + rare + [-1, 2**31, 2**63 - 1])

    def base64(self) -> str:
        size = self.random.choice([0, 1, 2, 3, 4, 10, 57, 100, 1000, 4095, 4096, 4097, 9000])
        text = base64.b64encode(self.random.randbytes(size)).decode()
        if self.chance(0.75):
            return text
        at = self.random.randrange(len(text) + 1)
        return text[:at] + self.random.choice(['\n', '=', '==', ' ', '-', '\r', 'A', '\u00e9',
                                               'YQ==', '\n\n', '\u0000']) + text[at:]

    def exec_item(self, modes: Sequence[Any] = MODES_OF_CAPTURE) -> Item:
        path, words = self.random.choice(PROGRAMS)
        arguments: Dict[str, Any] = {'path': path}
        if words or self.chance(0.2):
            arguments['arg'] = words
        self.maybe(arguments, 'env', self.random.choice(
            [[], ['A=1'], ['A=1', 'B=\u00e9', 'PATH=/usr/bin:/bin'], ['odd', '=']]), 0.3)
        if path in HOLDS_STRING_INPUT:
            self.maybe(arguments, 'input-data', self.base64())
        self.maybe(arguments, 'capture-output', self.random.choice(modes), 0.8)
        if self.chance(0.2):
            arguments = self.damaged_arguments('guest-exec', arguments)
        return Item(self.sent({'execute': 'guest-exec', 'arguments': arguments}), is_polled=True)

    def maybe(self, arguments: Dict[str, Any], name: str, value: Any,
              probability: float = 0.5) -> None:
        if self.chance(probability):
            arguments[name] = value

    # Damage

    def damaged_arguments(self, command: str, arguments: Any) -> Any:
        if self.chance(0.08):
            return self.random.choice([None, [], [arguments], 'x', 1, True, [[]]])
        arguments = dict(arguments)
        if arguments and self.chance(0.5):
            name = self.random.choice(list(arguments))
            if self.chance(0.5):
                del arguments[name]
            elif isinstance(arguments[name], list):
                arguments[name] = self.damaged_list(arguments[name])
            else:
                arguments[name] = self.other_kind(arguments[name])
        if not arguments or self.chance(0.5):
            for _ in range(self.random.choice([1, 1, 1, 2, 3, 5, 9, 30])):
                arguments.setdefault(self.word(), self.value(2))
        return arguments

    def damaged_list(self, elements: List[Any]) -> Any:
        if self.chance(0.3):
            return self.random.choice([None, 1, 'x', {}, {'0': 'a'}, True])
        elements = list(elements)
        elements.insert(self.random.randrange(len(elements) + 1),
                        self.random.choice([None, 1, 1.5, True, [], {}, ['x']]))
        return elements

    def other_kind(self, value: Any) -> Any:
        """A value of another type than `value`: no string takes the place of a path."""
        others = [None, True, [], {}, Spelled('1.5'), Spelled('1e3'), [1], {'a': {}}]
        if not isinstance(value, str):
            others += ['1', '', 'set']
        if not isinstance(value, int):
            others += [0, 2**64, -3]
        return self.random.choice(others)

    def word(self) -> str:
        """A member's name that no command knows."""
        return self.random.choice(WORDS) + self.random.choice(['', '', '1', '-', '\u00df'])

    def damage_envelope(self, envelope: Dict[str, Any]) -> None:
        how = self.random.randrange(5)
        if how == 0:
            del envelope['execute']
        elif how == 1:
            envelope['execute'] = self.other_kind('')
        elif how == 2:
            envelope['arguments'] = self.other_kind({})
        if how > 1:
            for _ in range(self.random.choice([1, 1, 2, 4, 12])):
                envelope.setdefault(self.word(), self.value(1))

    def garbage(self) -> bytes:
        if self.chance(0.3):
            return b''.join(self.random.choices(TOKENS, k=self.random.randrange(1, 30))) + b'\n'
        command = self.random.choice(['guest-ping', 'guest-sync', 'guest-get-host-name', 'other'])
        data = bytearray(self.sent({'execute': command, 'arguments': {'id': self.integer()}}))
        for _ in range(self.random.choice([1, 1, 1, 2, 4])):
            self.damage_bytes(data)
        return bytes(data) + self.random.choice([b'', b'\n'])

    def damage_bytes(self, data: bytearray) -> None:
        at = self.random.randrange(len(data) + 1)
        length = self.random.choice([1, 1, 2, 5, 20])
        how = self.random.randrange(5)
        if how == 0:
            data[at:at] = self.random.choice(TOKENS)
        elif how == 1:
            data[at:at + 1] = self.random.choice(TOKENS)
        elif how == 2:
            del data[at:at + length]
        elif how == 3:
            data[at:at] = data[at:at + length]
        else:
            data[at:at + 1] = bytes([self.random.randrange(256)])

    # Values and their spelling

    def integer(self) -> Any:
        return self.random.choice(INTEGERS) if self.chance(0.5) else self.random.randrange(10**9)

    def value(self, depth: int) -> Any:
        kind = self.random.randrange(8 if depth else 6)
        if kind == 0:
            return self.random.choice([None, True, False])
        if kind in (1, 2):
            return self.integer()
        if kind == 3:
            return Spelled(self.random.choice(NUMBER_SPELLINGS))
        if kind in (4, 5):
            return self.random.choice(STRINGS)
        size = self.random.choice([0, 1, 2, 3, 3, 20])
        if kind == 6:
            return [self.value(depth - 1) for _ in range(size)]
        return {self.word() + str(self.random.randrange(100)): self.value(depth - 1)
                for _ in range(size)}

    def sent(self, envelope: Dict[str, Any]) -> bytes:
        """The request with an id or without, its members in any order, in any spelling."""
        command = envelope.get('execute')
        if command in MOMENTARY:
            envelope['id'] = 'moment'           # what the answer is recognised by
        elif self.chance(0.6):
            envelope['id'] = self.value(3)
        members = list(envelope.items())
        self.random.shuffle(members)
        if self.chance(0.5):
            return self.plain(dict(members)) + b'\n'
        return self.spelled(dict(members)) + self.random.choice([b'\n', b'\n', b'', b'\r\n', b' '])

    def plain(self, value: Any) -> bytes:
        if isinstance(value, Spelled):
            return value.encode()
        if isinstance(value, dict):
            return b'{' + b', '.join(json.dumps(name).encode() + b': ' + self.plain(element)
                                     for name, element in value.items()) + b'}'
        if isinstance(value, list):
            return b'[' + b', '.join(map(self.plain, value)) + b']'
        return json.dumps(value).encode()

    def spelled(self, value: Any) -> bytes:
        blank = self.random.choice([b'', b'', b' ', b'\t', b'\r\n', b'  '])
        if isinstance(value, Spelled):
            return value.encode() + blank
        if isinstance(value, str):
            return self.spelled_string(value) + blank
        if isinstance(value, dict):
            members = [self.spelled_string(name) + blank + b':' + self.spelled(element)
                       for name, element in value.items()]
            return b'{' + blank + b','.join(members) + b'}' + blank
        if isinstance(value, list):
            return b'[' + blank + b','.join(map(self.spelled, value)) + b']' + blank
        return json.dumps(value).encode() + blank

    def spelled_string(self, text: str) -> bytes:
        if self.chance(0.3):
            return json.dumps(text).encode()
        quote = self.random.choice('"\'')
        data = ''
        for character in text:
            if character in (quote, '\\'):
                data += '\\' + character
            elif character < ' ':
                data += json.dumps(character)[1:-1]
            else:
                data += character
        return (quote + data + quote).encode()


def batches(seed: int, total: int, all_commands: bool) -> List[Batch]:
    """Batches that together hold `total` requests."""
    found: List[Batch] = []
    while total > 0:
        random = Random(f'{seed}/{len(found)}')
        made = Generator(random, all_commands).batch(min(total, random.randrange(100, 400)))
        total -= len(made.items)
        found.append(made)
    return found
