# SPDX-License-Identifier: GPL-2.0-or-later
"""What may be called: every command beside every list of one command, areas on and off, frozen
and not. What ought to come of it is read from the schema here, not asked of the agent.

Nothing runs: every call has an argument that no command knows, which is looked at after the gate.
"""
import ast
import itertools
import re
from pathlib import Path
from typing import Dict, FrozenSet, Iterator, List, NamedTuple, Optional

from lib.agent import Agent
from lib.check import Check, expect

ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = {'no_such_argument': 1}
DISABLED = 'has been disabled: '


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
    if state.is_frozen and not command.while_frozen:
        return False
    if state.is_frozen and not command.area:
        return True         # as upstream has it, listed or not
    if command.area and command.changes_guest and not state.has_areas:
        return False
    names = {command.name, *command.powers}
    return not names & state.block and (not state.allow or names <= state.allow)


def configure(agent: Agent, state: State, areas: List[str]) -> None:
    lines = ['[general]']
    lines += ['allow-rpcs=' + ','.join(sorted(state.allow))] if state.allow else []
    lines += ['block-rpcs=' + ','.join(sorted(state.block))] if state.block else []
    lines += ['[novacron]', 'areas=' + ';'.join(areas)] if state.has_areas else []
    (agent.folder / 'agent.conf').write_text('\n'.join(lines) + '\n')
    agent.arguments = ['-c', str(agent.folder / 'agent.conf')]
    marker = agent.state / 'qga.state.isfrozen'
    if state.is_frozen:
        marker.touch()      # of a former agent; no file system is frozen
    else:
        marker.unlink(missing_ok=True)


def expect_state(agent: Agent, commands: Dict[str, Command], state: State) -> None:
    with agent.connect() as client:
        for name, command in commands.items():
            if not command.area:
                continue
            answer = client.answer(name, **UNKNOWN)['error']['desc']
            expect((DISABLED not in answer) == is_allowed(command, state),
                   f'{name} answers {answer!r}: {state}')
        answer = client.answer('guest-info')
        expect(('return' in answer) == is_allowed(commands['guest-info'], state),
               f'guest-info answers {str(answer)[:80]}: {state}')
        for told in answer.get('return', {}).get('supported_commands', ()):
            wanted = is_allowed(commands[told['name']], state)
            expect(told['enabled'] == wanted, f'guest-info of {told["name"]}: {state}')


def states(names: List[str]) -> Iterator[State]:
    nothing: FrozenSet[str] = frozenset()
    lists = [(nothing, nothing), *((nothing, frozenset([name])) for name in names),
             *((frozenset([name, 'guest-info']), nothing) for name in names)]
    for has_areas, is_frozen, pair in itertools.product((True, False), (False, True), lists):
        yield State(*pair, has_areas, is_frozen)


def lists_areas_and_powers_decide_together(check: Check) -> None:
    commands = read_commands()
    areas = sorted({command.area for command in commands.values() if command.area})
    agent = check.prepare()
    for state in states(sorted(commands)):
        configure(agent, state, areas)
        agent.start()
        expect_state(agent, commands, state)
        agent.stop()


def what_changes_the_guest_can_be_blocked_by_a_name_of_upstreams(check: Check) -> None:
    commands = read_commands()
    lacking = [command.name for command in commands.values()
               if command.area and command.changes_guest and not command.powers]
    expect(not lacking, f'without a power: {lacking}')
    unknown = {power for command in commands.values() for power in command.powers
               if power not in commands}
    expect(not unknown, f'powers that no command has: {unknown}')


CHECKS = [lists_areas_and_powers_decide_together,
          what_changes_the_guest_can_be_blocked_by_a_name_of_upstreams]
