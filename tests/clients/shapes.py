# SPDX-License-Identifier: GPL-2.0-or-later
"""What libvirt, test suites and typed clients expect of any answer, whatever the command: one
check for each way in which a new agent can fall out of favour with them, and the schema for all."""
import json
import re
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

from bench import Bench
from lib.check import expect
from lib.connection import Connection
from lib.suite import ROOT

sys.path.insert(0, str(ROOT / 'qapi-schema'))

from qapigen.model import Alternate, Enum, Model, TypeRef, Union, build, where  # noqa: E402
from qapigen.parse import parse_schema  # noqa: E402

CLASSES = {'GenericError', 'CommandNotFound', 'DeviceNotActive', 'DeviceNotFound',
           'KVMMissingCap'}
ENTRY = {'name', 'enabled', 'success-response'}
CHANGES = re.compile(  # may not be run here; all of them can be refused
    r'guest-(shutdown|suspend-.*|set-.*|fsfreeze-(freeze.*|thaw)|fstrim|ssh-.*|file-.*|exec.*'
    r'|sync.*)$')
WHILE_FROZEN = {'guest-fsfreeze-thaw', 'guest-fsfreeze-status', 'guest-sync', 'guest-ping',
                'guest-sync-delimited', 'guest-info'}
REPLY_MAX = 3 << 20         # bytes; libvirt hands on no more than 4 MiB
QUIET = 1.0                 # seconds
BUILTINS = {'int': int, 'uint64': int, 'uint16': int, 'str': str, 'bool': bool,
            'number': (int, float), 'uint8': int, 'uint32': int, 'size': int}
# libvirt reads these of a disk address without asking whether they are there
ADDRESS = ('bus', 'target', 'unit')
PCI = ('domain', 'bus', 'slot', 'function')
RESYNC = b'\xff{"execute":"guest-sync-delimited","arguments":{"id":4711}}\n'
IN_STEP = b'\xff{"return": 4711}\n'
BROKEN = (b'{"execute":"guest-nonsense"}', b'{"execute":5}', b'[]', b'{', b'"text"',
          b'{"execute":"guest-ping","more":1}', b'{"arguments":{}}',
          b'{"execute":"guest-file-open"}',
          b'{"execute":"guest-file-read","arguments":{"handle":9}}',
          b'{"execute":"guest-exec-status","arguments":{"pid":"x"}}',
          b'{"execute":"guest-exec","arguments":{"path":"/nonexistent"}}')


class Contract:
    """The schema, by which every answer is judged."""

    def __init__(self) -> None:
        schema, problems = parse_schema(str(ROOT / 'qapi-schema/guest-agent.json'),
                                        lambda path: Path(path).read_text(encoding='utf-8'))
        self.model: Model
        self.model, more = build([schema], where(
            {'CONFIG_POSIX', 'CONFIG_LINUX', 'CONFIG_FSFREEZE', 'CONFIG_FSTRIM', 'CONFIG_LIBUDEV',
             'CONFIG_GETLOADAVG', 'HAVE_UTMPX', 'HAVE_GETIFADDRS'}))
        expect(not problems and not more, f'{problems} {more}')
        self.commands = {command.name: command for command in self.model.commands}

    def problem(self, type_: TypeRef, value: Any, place: str) -> Optional[str]:
        if type_.is_list:
            if not isinstance(value, list):
                return f'{place} is no array'
            return next(filter(None, (self.problem(TypeRef(type_.name), item, f'{place}[]')
                                      for item in value)), None)
        if type_.name in BUILTINS:
            kind = BUILTINS[type_.name]
            is_right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
            return None if is_right else f'{place} is no {type_.name}: {value!r}'
        defined = self.model.types[type_.name]
        if isinstance(defined, Enum):
            known = {item.name for item in defined.values}
            return None if value in known else f'{place} is none of {type_.name}: {value!r}'
        if isinstance(defined, Alternate):
            return None
        return self._members(defined, value, place)

    def _members(self, type_: Any, value: Any, place: str) -> Optional[str]:
        if not isinstance(value, dict):
            return f'{place} is no object'
        members = list(type_.members)
        if isinstance(type_, Union):
            for branch in type_.branches:
                if branch.value == value.get(type_.discriminator):
                    members += self.model.types[branch.struct].members
        names = {member.name for member in members}
        if set(value) - names:
            return f'{place} has {sorted(set(value) - names)} too much'
        for member in members:
            if member.name not in value:
                if not member.is_optional:
                    return f'{place} has no {member.name}'
                continue
            found = self.problem(member.type, value[member.name], f'{place}.{member.name}')
            if found:
                return found
        return None


def names(connection: Connection) -> List[str]:
    return [entry['name'] for entry in connection.call('guest-info')['supported_commands']]


def questions(connection: Connection) -> List[str]:
    """The commands that take nothing and change nothing, of the build that answers."""
    contract = Contract()
    return [name for name in names(connection)
            if not CHANGES.match(name) and name in contract.commands]


def raw(connection: Connection, name: str) -> bytes:
    return connection.ask(json.dumps({'execute': name}).encode() + b'\n')


def refusals(connection: Connection) -> Dict[str, bytes]:
    """One answer of every command: none runs with an argument that it does not have."""
    return {name: connection.ask(json.dumps({'execute': name, 'arguments': {
        'no-such-argument': 1}}).encode() + b'\n') for name in names(connection)}


def entries_of_guest_info_have_exactly_three_members(check: Bench) -> None:
    with check.start().connect() as connection:
        info = connection.call('guest-info')
    expect(len(info['supported_commands']) > 20, f'{info}')
    for entry in info['supported_commands']:
        expect(set(entry) == ENTRY, f'{entry}')
        expect(isinstance(entry['enabled'], bool) and isinstance(entry['success-response'], bool),
               f'{entry}')


def nothing_is_sent_that_nobody_asked_for(check: Bench) -> None:
    agent = check.start()
    with agent.connect() as connection:
        expect(connection.read_exactly(1, QUIET) == b'', 'a greeting')
        connection.call('guest-exec', path='true')
        expect(connection.read_exactly(1, QUIET) == b'', 'news of a process')
        for name in questions(connection):
            raw(connection, name)
        expect(connection.read_exactly(1, QUIET) == b'', 'more than the answers')


def only_a_delimited_sync_puts_a_byte_in_front(check: Bench) -> None:
    with check.start().connect() as connection:
        number = int(time.time() * 1000)        # libvirt's: larger than 2^40, no float
        line = connection.ask(b'{"execute":"guest-sync","arguments":{"id":%d}}\n' % number)
        expect(line == b'{"return": %d}\n' % number, f'{line!r}')
        line = connection.ask(
            b'{"execute":"guest-sync-delimited","arguments":{"id":%d}}\n' % number)
        expect(line == b'\xff{"return": %d}\n' % number, f'{line!r}')
        for name in questions(connection):
            expect(b'\xff' not in raw(connection, name), f'{name} has the byte')


def every_answer_is_one_line(check: Bench) -> None:
    with check.start().connect() as connection:
        answers = {**{name: raw(connection, name) for name in questions(connection)},
                   **{f'refused {name}': line for name, line in refusals(connection).items()}}
    expect(len(answers) > 40, f'only {sorted(answers)}')
    for name, line in answers.items():
        expect(line.endswith(b'}\n') and line.startswith(b'{'), f'{name}: {line[:200]!r}')
        expect(not set(line[:-1]) & set(b'\0\r\n\t'), f'{name}: a control character')
        expect(len(line) < REPLY_MAX, f'{name}: {len(line)} bytes')
        line.decode('utf-8')


def every_answer_keeps_to_the_schema(check: Bench) -> None:
    """A typed client wants every member that is not optional, and knows no other."""
    contract = Contract()
    with check.start().connect() as connection:
        asked = questions(connection)
        for name in asked:
            reply = json.loads(raw(connection, name))
            expect(set(reply) == {'return'} or set(reply) == {'error'}, f'{name}: {list(reply)}')
            if 'error' in reply or contract.commands[name].returns is None:
                continue
            problem = contract.problem(contract.commands[name].returns, reply['return'], name)
            expect(problem is None, str(problem))
    expect(len(asked) >= 7, f'only {asked}')


def errors_have_one_of_five_classes(check: Bench) -> None:
    agent = check.start(['-b', 'guest-get-time'])
    with agent.connect() as connection:
        lines = list(refusals(connection).values())
        for request in BROKEN:
            connection.send(request + b'\n' + RESYNC)
            lines += connection.read_through(IN_STEP)[:-len(IN_STEP)].splitlines()
        blocked = json.loads(raw(connection, 'guest-get-time'))['error']
    for line in lines:
        error = json.loads(line).get('error')
        expect(error is not None, f'not refused: {line!r}')
        expect(set(error) == {'class', 'desc'} and error['class'] in CLASSES and error['desc'],
               f'{error}')
    expect(blocked['class'] == 'CommandNotFound' and 'has been disabled' in blocked['desc'],
           f'{blocked}')


def the_version_is_two_numbers_at_least(check: Bench) -> None:
    with check.start().connect() as connection:
        version = connection.call('guest-info')['version']
    expect(float('.'.join(version.split('.')[:2])) >= 9.1, version)


def handle_numbers_are_never_used_again(check: Bench) -> None:
    agent = check.start()
    found: List[int] = []
    for _ in range(20):
        with agent.connect() as connection:
            found.append(connection.call('guest-file-open', path='file', mode='w'))
            connection.call('guest-file-close', handle=found[-1])
    expect(found == sorted(set(found)), f'{found}')


def output_that_was_not_asked_for_has_no_member(check: Bench) -> None:
    with check.start().connect() as connection:
        for options, expected in (({}, set()), ({'capture_output': True}, {'out-data'})):
            pid = connection.call('guest-exec', path='echo', arg=['x'], **options)['pid']
            status = {'exited': False}
            while not status['exited']:
                status = connection.call('guest-exec-status', pid=pid)
            expect(pid > 0 and set(status) & {'out-data', 'err-data'} == expected,
                   f'{options}: {status}')


def disks_have_what_libvirt_reads_without_looking(check: Bench) -> None:
    with check.start().connect() as connection:
        there = names(connection)
        addresses = [disk['address'] for disk in connection.call('guest-get-disks')
                     if 'address' in disk] if 'guest-get-disks' in there else []
        if 'guest-get-fsinfo' in there:
            for system in connection.call('guest-get-fsinfo'):
                expect(isinstance(system.get('disk'), list), f'{system}')
                addresses += system['disk']
    for address in addresses:
        expect(all(isinstance(address.get(name), int) for name in ADDRESS), f'{address}')
        expect(all(isinstance(address['pci-controller'].get(name), int) for name in PCI),
               f'{address}')


def addresses_are_of_two_kinds(check: Bench) -> None:
    """One of another kind, and libvirt has no interfaces at all."""
    with check.start().connect() as connection:
        if 'guest-network-get-interfaces' not in names(connection):
            return
        for interface in connection.call('guest-network-get-interfaces'):
            for address in interface.get('ip-addresses', []):
                expect(address['ip-address-type'] in ('ipv4', 'ipv6') and address['prefix'] >= 0,
                       f'{interface}')


def some_commands_are_answered_while_frozen(check: Bench) -> None:
    """An agent that was started again in a frozen guest; nothing is frozen here."""
    agent = check.prepare()
    (agent.state / 'qga.state.isfrozen').touch()
    agent.start()
    with agent.connect() as connection:
        expect(connection.call('guest-sync', id=1) == 1, 'guest-sync')
        line = connection.ask(b'{"execute":"guest-sync-delimited","arguments":{"id":2}}\n')
        expect(line == b'\xff{"return": 2}\n', f'{line!r}')
        expect(connection.call('guest-ping') == {}, 'guest-ping')
        expect(connection.call('guest-fsfreeze-status') == 'frozen', 'guest-fsfreeze-status')
        entries = connection.call('guest-info')['supported_commands']
        enabled = {entry['name'] for entry in entries if entry['enabled']}
        expect({name for name in enabled if name.startswith('guest-')} == WHILE_FROZEN,
               f'{enabled}')
        for name, line in refusals(connection).items():
            if name not in enabled:
                expect(f'Command {name} has been disabled: the command is not allowed'
                       in line.decode(), f'{line!r}')


CHECKS = [
    entries_of_guest_info_have_exactly_three_members,
    nothing_is_sent_that_nobody_asked_for,
    only_a_delimited_sync_puts_a_byte_in_front,
    every_answer_is_one_line,
    every_answer_keeps_to_the_schema,
    errors_have_one_of_five_classes,
    the_version_is_two_numbers_at_least,
    handle_numbers_are_never_used_again,
    output_that_was_not_asked_for_has_no_member,
    disks_have_what_libvirt_reads_without_looking,
    addresses_are_of_two_kinds,
    some_commands_are_answered_while_frozen,
]
