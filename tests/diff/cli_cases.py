# SPDX-License-Identifier: GPL-2.0-or-later
"""Random command lines, configuration files and state files.

Safety comes first: a case either begins with -D, which starts nothing whatever comes after it, or
names state directory, pidfile and channel itself, all of them below the folder of the case.
"""
from random import Random
from typing import Dict, List, NamedTuple, Tuple

DIR = '{DIR}'           # stands for the folder of the case, in arguments, files and requests

SWITCHES = {'v': 'verbose', 'd': 'daemonize', 'r': 'retry-path'}
TEXTS = {'m': 'method', 'p': 'path', 'l': 'logfile', 'f': 'pidfile', 't': 'statedir'}
LISTS = {'b': 'block-rpcs', 'a': 'allow-rpcs'}
LONG = {**SWITCHES, **TEXTS, **LISTS, 'F': 'fsfreeze-hook'}
BAD = ['--bogus', '--bogus=1', '-X', '-vX', '--verbose=1', '--dump-conf=', '---', '--p', '--ve=1',
       '--d', '--blacklist=x', '--no-verbose', '-:', '-?', '-W', '--METHOD=x', '-m', '--path',
       '-vb']
NO_OPTION = ['--', '-', 'word', '', 'a=b', '-sx', '-s', '--f', '--re']
METHODS = ['unix-listen', 'virtio-serial', 'isa-serial', 'vsock-listen', 'bogus', '', 'Unix-Listen']
STRINGS = ['/p/s', '', ' leading', 'trailing ', 'two words', 'a\\b', 'a\\sb', 'tab\tin', '\ttab',
           '  two', 'new\nline', 'cr\r', '\u00fc\u2603', ';', 'a;b', 'a=b', '#x', '[x]', '%s%n',
           '-v', '--', 'x' * 300, '\x01', '\x7f', "'", '"', ',']
RAW = ['\udcff', 'a\udcc3', '\udce9t\udce9']        # bytes that are no UTF-8, in Python's spelling
NAMES = ['guest-ping', 'guest-sync', 'guest-info', 'no-such', '', ' guest-ping', 'GUEST-PING',
         'guest-file-open', 'a b', 'a\\b', '\u00fc', 'help', '?']
CONFIG_FILES = ['{DIR}/config', '{DIR}/missing', '{DIR}', '']

BOOLEANS = ['true', 'false', '1', '0', 'true ', ' false', 'True', 'yes', '', '2', '-1', 'truefalse',
            'true\\s', '01']
SPELLED = ['/p/s', '', '\\s/p\\tq', '\\n', '\\r', 'a\\\\b', 'a\\;b', '\\q', 'end\\', 'two words',
           ' blanks around ', '"quoted"', 'a#b', 'a=b', '\u00fc', '\udcff', 'x' * 300, '\x01', ';',
           '\x0b']
SPACES = ['=', ' = ', '= ', ' =', '\t=\t']
STRAY_LINES = ['# comment', '#', '', '   ', ' # not a comment?', '; no comment', 'garbage',
               '=value', 'key', '[general', '[]', '[ general ]', '[other]', '[general]', '[a]b',
               'key[de]=x', 'path[de]=/german', 'path[=x', '[general] ', '\ttab=x', 'fd_counter',
               'a b=c', 'path =', '\x00', '\ufeff[general]', '\x0c', 'verbose[de]=true']

COUNTERS = ['1000', '0', '1', '-1', '-2', '-5', '7', '2147483646', '2147483647', '2147483648',
            '-2147483648', '-2147483649', '4294967295', '4294967296', '99999999999999999999', '1e3',
            '0x10', 'abc', '', ' 12 ', '12 x', '+5', '007', '1000;', '12\\s', '\\t3', '1.0', '--1',
            '\u0663', '\udcff']


class Case(NamedTuple):
    arguments: Tuple[str, ...]
    files: Dict[str, str] = {}
    environment: Dict[str, str] = {}
    requests: Tuple[str, ...] = ()      # sent to {DIR}/socket; then the agent is ended
    is_frozen: bool = False             # so that it takes SIGKILL
    waits_for: bytes = b''              # on standard error; then the agent is ended

    def described(self) -> str:
        parts = [f'arguments {list(self.arguments)}']
        parts += [f'{name}: {content!r}' for name, content in self.files.items()]
        return ', '.join(parts + [f'{key}={value!r}' for key, value in self.environment.items()])


class Generator:
    def __init__(self, seed: int):
        self.random = Random(seed)

    def case(self) -> Case:
        make = self.random.choices(
            [self.options, self.config, self.failing_start, self.state, self.retry],
            [50, 30, 8, 12, 1])[0]
        return make()

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def pick(self, values: 'List[str]') -> str:
        return self.random.choice(values)

    # Command lines.

    def options(self) -> Case:
        words = ['-D']
        for _ in range(self.random.randrange(7)):
            words += self.option()
        environment = {}
        if self.chance(0.1):
            environment['QGA_CONF'] = self.pick(CONFIG_FILES)
        files = {'config': self.key_file('general', self.setting, 0)}
        return Case(tuple(words), files, environment)

    def option(self) -> List[str]:
        choice = self.random.random()
        if choice < 0.05:
            return [self.pick(BAD)]
        if choice < 0.10:
            return [self.pick(NO_OPTION)]
        if choice < 0.13:
            return [self.pick(['-V', '--version', '-bhelp', '-a?', '--allow-rpcs=help', '-vV'])]
        if choice < 0.20:
            return self.spelled('c', 'config', self.pick(CONFIG_FILES))
        letter = self.pick(list(LONG))
        if letter in SWITCHES:
            return self.switch(letter)
        if letter == 'F':
            return [self.pick(['-F', '-vF', '--fsfreeze-hook', '--fs', '-F/hook', '--fs=/h',
                               '--fsfreeze-hook=', '-F '])]
        return self.spelled(letter, LONG[letter], self.value(letter))

    def switch(self, letter: str) -> List[str]:
        name = SWITCHES[letter]
        return [self.pick([f'-{letter}', f'-{letter}v', f'-r{letter}{letter}', f'--{name}',
                           '--' + self.abbreviation(name)])]

    def abbreviation(self, name: str) -> str:
        return name[:self.random.randrange(1, len(name) + 1)]

    def spelled(self, letter: str, name: str, value: str) -> List[str]:
        short = '-' + self.pick(['', '', 'v', 'dr']) + letter
        word = '--' + (name if self.chance(0.6) else self.abbreviation(name))
        forms = [[short, value], [word, value], [f'{word}={value}']]
        if value:
            forms.append([short + value])
        return self.random.choice(forms)

    def value(self, letter: str) -> str:
        if letter == 'm':
            return self.pick(METHODS + STRINGS)
        if letter in LISTS:
            return self.name_list()
        return self.pick(STRINGS + RAW)

    def name_list(self) -> str:
        return ','.join(self.pick(NAMES) for _ in range(self.random.randrange(5)))

    # Key files.

    def config(self) -> Case:
        files = {'config': self.key_file('general', self.setting, 0.15)}
        if self.chance(0.3):
            return Case(('-D',), files, {'QGA_CONF': '{DIR}/config'})
        words = ['-D', '-c', '{DIR}/config']
        for _ in range(self.random.choice([0, 0, 1, 2])):
            words += self.option()
        return Case(tuple(words), files)

    def setting(self) -> str:
        key = self.pick(['daemon', 'verbose', 'retry-path', *TEXTS.values(), *LISTS.values(),
                         'fsfreeze-hook', 'blacklist', 'daemonize', 'unknown', 'Path'])
        if key in ('daemon', 'verbose', 'retry-path'):
            value = self.pick(BOOLEANS if self.chance(0.2) else BOOLEANS[:6])
        elif key in LISTS.values():
            value = self.name_list().replace('a\\b', 'a\\\\b')
        elif key == 'method':
            value = self.pick(METHODS)
        else:
            value = self.pick(SPELLED if self.chance(0.3) else SPELLED[:7])
        return key + self.pick(SPACES) + value

    def key_file(self, group: str, setting: 'object', damage: float) -> str:
        lines = [f'[{group}]'] if self.chance(0.95) else []
        for _ in range(self.random.randrange(7)):
            lines.append(setting())             # type: ignore[operator]
            if self.chance(damage):
                lines.insert(self.random.randrange(len(lines) + 1), self.pick(STRAY_LINES))
        return self.pick(['\n'] * 8 + ['\r\n', '\r']).join(lines) + self.pick(['\n', '\n', ''])

    # Starts.

    def failing_start(self) -> Case:
        method, path = self.random.choice([
            ('bogus', 'x'), ('unix-listen', '{DIR}/none/socket'), ('unix-listen', '{DIR}'),
            ('unix-listen', '{DIR}/' + 'x' * 108), ('virtio-serial', '{DIR}/none'),
            ('isa-serial', '{DIR}/none'), ('virtio-serial', '{DIR}/file/none'),
            ('vsock-listen', ''), ('vsock-listen', 'bad'), ('vsock-listen', 'x:1'),
            ('vsock-listen', '3:'), ('vsock-listen', ':3'), ('vsock-listen', '3:1x'),
            ('vsock-listen', '3:1:2'), ('vsock-listen', '77777:1'),
            ('vsock-listen', '99999999999:1'), ('vsock-listen', '1:99999999999'),
            ('vsock-listen', '-1:5')])
        state = self.pick(['{DIR}/state'] * 4 + ['{DIR}', '{DIR}/none', '{DIR}/file'])
        words = ['-m', method, '-p', path, '-t', state, '-f', '{DIR}/pid']
        words += ['-v'] if self.chance(0.3) else []
        words += ['-d'] if self.chance(0.2) else []
        words += ['-l', self.pick(['{DIR}/log', '{DIR}/none/log', '{DIR}'])] \
            if self.chance(0.4) else []
        files = {'file': ''}
        if self.chance(0.3):
            files['state/qga.state'] = self.key_file('global', self.counter, 0.5)
        return Case(tuple(words), files)

    def retry(self) -> Case:
        method = self.pick(['unix-listen', 'virtio-serial', 'isa-serial', 'bogus'])
        words = ['-v', '-r', '-m', method, '-p', '{DIR}/none/path', '-t', '{DIR}/state',
                 '-f', '{DIR}/pid']
        return Case(tuple(words), waits_for=b'waiting for channel path...')

    def counter(self) -> str:
        return self.pick(['fd_counter'] * 9 + ['fd_counter[de]', 'other']) + self.pick(SPACES) \
            + self.pick(COUNTERS)

    def state(self) -> Case:
        words = ['-m', 'unix-listen', '-p', '{DIR}/socket', '-t', '{DIR}/state', '-f', '{DIR}/pid']
        opening = '{"execute":"guest-file-open","arguments":{"path":"{DIR}/file"}}'
        failing = '{"execute":"guest-file-open","arguments":{"path":"{DIR}/none"}}'
        files = {'file': 'x'}
        requests = [opening, failing, opening, opening, '{"execute":"guest-fsfreeze-status"}']
        if self.chance(0.9):
            files['state/qga.state'] = self.key_file('global', self.counter, 0.03)
        if self.chance(0.5):
            words += ['-l', '{DIR}/log']
        is_frozen = self.chance(0.1)
        if is_frozen:
            files['state/qga.state.isfrozen'] = self.pick(['', 'content'])
            words += self.random.choice([[], ['-b', 'guest-ping'], ['-a', 'guest-ping']])
            requests += ['{"execute":"guest-ping"}', '{"execute":"guest-file-close"}']
        return Case(tuple(words), files, {}, tuple(requests), is_frozen)
