#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Is guest-agent.json the schema of qemu-ga 11.1.3?

facts.json was taken from that program: its commands and types in the order in
which it registers them, with members, conditions, versions and, independently of
our own computation, the order in which members are seen on the wire.
"""

import json
import sys
from pathlib import Path
from typing import Any, Dict, Iterable, List

HERE = Path(__file__).resolve().parent
SCHEMAS = HERE.parent.parent / 'qapi-schema'
sys.path.insert(0, str(SCHEMAS))

from qapigen.grammar import name_of  # noqa: E402
from qapigen.model import (Alternate, Command, Enum, Member, Model, Struct,  # noqa: E402
                           Type, Union, build, everywhere)
from qapigen.order import wire_order  # noqa: E402
from qapigen.parse import parse_schema  # noqa: E402

Facts = Dict[str, Any]


def member(found: Member) -> str:
    return f"{'*' if found.is_optional else ''}{found.name}:{found.type}"


def wire(members: Iterable[Member]) -> List[str]:
    names = [found.name for found in members]
    return [names[index] for index in wire_order(names)]


def condition(value: Any) -> Any:
    return {'any': sorted(value['any'])} if isinstance(value, dict) and 'any' in value else value


def command_facts(model: Model, command: Command) -> Facts:
    facts: Facts = {'command': command.name}
    if command.arguments:
        facts['takes'] = [member(found) for found in
                          getattr(model.types[command.arguments], 'members')]
    if command.returns:
        facts['returns'] = str(command.returns)
    if command.is_silent:
        facts['silent'] = True
    return facts


def enum_facts(enum: Enum) -> Facts:
    facts: Facts = {'enum': enum.name, 'has': [value.name for value in enum.values]}
    conditions = {value.name: value.condition for value in enum.values if value.condition}
    if conditions:
        facts['value-if'] = conditions
    return facts


def type_facts(model: Model, type_: Type) -> Facts:
    if isinstance(type_, Enum):
        return enum_facts(type_)
    if isinstance(type_, Alternate):
        return {'alternate': type_.name, 'has': [member(found) for found in type_.branches]}
    facts: Facts = {'has': [member(found) for found in type_.members]}
    if isinstance(type_, Struct):
        return {'struct': type_.name, **facts, 'wire': wire(type_.members)}
    assert isinstance(type_, Union)
    branches = {branch.value: branch.struct for branch in type_.branches}
    return {'union': type_.name, **facts, 'by': type_.discriminator, 'branches': branches,
            'wire': {value: wire([*type_.members, *getattr(model.types[struct], 'members')])
                     for value, struct in branches.items()}}


def schema_facts() -> List[Facts]:
    schema, problems = parse_schema(str(SCHEMAS / 'guest-agent.json'),
                                    lambda path: Path(path).read_text(encoding='utf-8'))
    model, more = build([schema], everywhere)
    assert not problems + more, problems + more
    definitions = {**model.types, **{command.name: command for command in model.commands}}
    facts = []
    for expression in schema.expressions():
        found = definitions.get(name_of(expression))
        if found is None:  # a pragma
            continue
        told = command_facts(model, found) if isinstance(found, Command) \
            else type_facts(model, found)
        told['since'] = found.tagged('Since')
        if found.condition:
            told['if'] = condition(found.condition)
        facts.append(told)
    return facts


def main() -> int:
    wanted = json.loads((HERE / 'facts.json').read_text(encoding='utf-8'))
    got = schema_facts()
    for number in range(max(len(wanted), len(got))):
        left = wanted[number] if number < len(wanted) else None
        right = got[number] if number < len(got) else None
        if left != right:
            print(f'expected {json.dumps(left, sort_keys=True)}\n'
                  f'     got {json.dumps(right, sort_keys=True)}')
            return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
