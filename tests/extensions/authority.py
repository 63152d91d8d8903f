# SPDX-License-Identifier: GPL-2.0-or-later
"""What may be called: every command beside every list of one command, areas on and off, frozen
and not, and in safe mode. What ought to come of it is in rules.py, not asked of the agent and not
read from the schemas that it follows.

Nothing runs: every call has an argument that no command knows, which is looked at after the gate.
"""
import ast
import itertools
import re
from pathlib import Path
from typing import Dict, FrozenSet, Iterator, List, NamedTuple, Optional, Set, Tuple

import rules
from agent import crash
from lib.agent import Agent
from lib.check import Check, expect

ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = {'no_such_argument': 1}
DISABLED = 'has been disabled: '
CRASHES = 3                     # after which an agent comes up in safe mode
# only guest-info is asked about them, since this machine has other uses
PERILOUS = re.compile('guest-(shutdown|suspend-.*|fsfreeze-freeze.*)')


class Command(NamedTuple):
    name: str
    area: Optional[str]
    changes_guest: bool
    while_frozen: bool
    powers: FrozenSet[str]


class State(NamedTuple):
    allow: FrozenSet[str]
    block: FrozenSet[str]
    has_areas: bool
    is_frozen: bool
    is_safe: bool = False


def command_of(entry: Dict[str, object], area: Optional[str]) -> Command:
    features = [feature if isinstance(feature, str) else feature['name']
                for feature in entry.get('features', ())]
    return Command(str(entry['command']), area, 'changes-guest' in features,
                   'allow-while-frozen' in features,
                   frozenset('guest-' + feature[len('power-'):] for feature in features
                             if feature.startswith('power-')))


def commands_of(schema: Path, area: Optional[str]) -> Iterator[Command]:
    """Its expressions are Python's as well, but for two words."""
    text = re.sub(r'#.*', '', schema.read_text())
    text = re.sub(r'\btrue\b', 'True', re.sub(r'\bfalse\b', 'False', text))
    for expression in re.findall(r'^\{.*?\}$', text, re.MULTILINE | re.DOTALL):
        entry = ast.literal_eval(expression)
        if 'command' in entry:
            yield command_of(entry, area)


def read_commands() -> Dict[str, Command]:
    upstream = commands_of(ROOT / 'qapi-schema/guest-agent.json', None)
    own = (commands_of(path, path.parent.name)
           for path in sorted(ROOT.glob('extensions/*/schema.json')))
    return {command.name: command for command in itertools.chain(upstream, *own)}


def is_allowed(command: Command, state: State) -> bool:
    if state.is_frozen and command.name not in rules.WHILE_FROZEN:
        return False
    if state.is_frozen and not command.area:
        return True         # as upstream has it, listed or not
    if state.is_safe and command.area and command.name not in rules.IN_SAFE_MODE:
        return False
    if command.name in rules.CHANGES and not state.has_areas:
        return False
    names = {command.name, *powers_of(command.name)}
    return not names & state.block and (not state.allow or names <= state.allow)


def powers_of(name: str) -> FrozenSet[str]:
    return rules.CHANGES.get(name) or rules.READS.get(name) or rules.NOTHING


def configure(agent: Agent, state: State, areas: Set[str]) -> None:
    lines = ['[general]']
    lines += ['allow-rpcs=' + ','.join(sorted(state.allow))] if state.allow else []
    lines += ['block-rpcs=' + ','.join(sorted(state.block))] if state.block else []
    lines += ['[novacron]', 'areas=' + ';'.join(sorted(areas))] if state.has_areas else []
    (agent.folder / 'agent.conf').write_text('\n'.join(lines) + '\n')
    agent.arguments = ['-c', str(agent.folder / 'agent.conf')]
    marker = agent.state / 'qga.state.isfrozen'
    if state.is_frozen:
        marker.touch()      # of a former agent; no file system is frozen
    else:
        marker.unlink(missing_ok=True)


def expect_state(agent: Agent, commands: Dict[str, Command], state: State) -> None:
    configure(agent, state, {command.area for command in commands.values() if command.area})
    agent.start()
    with agent.connect() as client:
        answer = client.answer('guest-info')
        expect(('return' in answer) == is_allowed(commands['guest-info'], state),
               f'guest-info answers {str(answer)[:80]}: {state}')
        told = {row['name']: row['enabled']
                for row in answer.get('return', {}).get('supported_commands', ())}
        for name, command in commands.items():
            wanted = is_allowed(command, state)
            expect(told.get(name, wanted) == wanted, f'guest-info of {name}: {state}')
            if command.area or not told and not PERILOUS.fullmatch(name):
                said = client.answer(name, **UNKNOWN)['error']['desc']
                expect((DISABLED not in said) == wanted, f'{name} answers {said!r}: {state}')
    agent.stop()


def lists_of_one(names: List[str]) -> List[Tuple[FrozenSet[str], FrozenSet[str]]]:
    return [(rules.NOTHING, rules.NOTHING), (frozenset(['guest-ping']), rules.NOTHING),
            *((rules.NOTHING, frozenset([name])) for name in names),
            *((frozenset([name, 'guest-info']), rules.NOTHING) for name in names)]


def prepare(check: Check) -> Tuple[Agent, Dict[str, Command]]:
    """Those of upstream's commands that are for Linux."""
    built = check.run('--block-rpcs=help').stdout.split()
    return check.prepare(), {name: command for name, command in read_commands().items()
                             if command.area or name in built}


def lists_areas_and_powers_decide_together(check: Check) -> None:
    agent, commands = prepare(check)
    for has_areas, is_frozen, lists in itertools.product((True, False), (False, True),
                                                         lists_of_one(sorted(commands))):
        expect_state(agent, commands, State(*lists, has_areas, is_frozen))


def in_safe_mode_only_what_upstream_has_is_allowed(check: Check) -> None:
    agent, commands = prepare(check)
    for _ in range(CRASHES):
        agent.start()
        agent.connect().close()
        crash(agent)
    note = (agent.state / 'qga.starts').read_bytes()
    for lists in lists_of_one(sorted(commands)):
        (agent.state / 'qga.starts').write_bytes(note)      # a clean end removes it
        expect_state(agent, commands, State(*lists, has_areas=True, is_frozen=False, is_safe=True))


def somebody_has_decided_what_blocks_each_command(check: Check) -> None:
    """The schemas say the same, and nothing that is not a command."""
    commands = read_commands()
    own = {name for name, command in commands.items() if command.area}
    ruled = {**rules.READS, **rules.CHANGES}
    for name in sorted(own - set(ruled)):
        expect(False, f'{name} is new: add it to READS or CHANGES in {rules.__file__}, with the '
               'commands of qemu-ga that do the same or part of it')
    gone = (set(ruled) | rules.WHILE_FROZEN | rules.IN_SAFE_MODE) - set(commands)
    expect(not gone, f'no such commands, but rules: {gone}')
    for name in sorted(own):
        command, powers = commands[name], powers_of(name)
        expect(command.powers == powers,
               f'{name}: its schema has {sorted(command.powers)}, rules.py {sorted(powers)}')
        expect(command.changes_guest == (name in rules.CHANGES),
               f"{name}: 'changes-guest' is in one of its schema and rules.py, not in both")
        unknown = powers - set(commands)
        expect(not unknown, f'{name}: powers that no command has: {unknown}')
        expect(bool(powers) or name in rules.READS,
               f'{name} changes the guest, and no name of upstream blocks it')
    for name, command in commands.items():
        expect(command.while_frozen == (name in rules.WHILE_FROZEN),
               f"{name}: 'allow-while-frozen' is in one of its schema and rules.py, not in both")


CHECKS = [somebody_has_decided_what_blocks_each_command, lists_areas_and_powers_decide_together,
          in_safe_mode_only_what_upstream_has_is_allowed]
