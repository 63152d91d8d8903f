# SPDX-License-Identifier: GPL-2.0-or-later
"""
Third pass: expressions to types and commands of one build

'if' is evaluated here, so that emitters see only what exists. They are given
what the schema says about conditions too: the manual lists every command.
"""

from dataclasses import dataclass, field
from typing import (Any, Callable, Dict, FrozenSet, Iterable, Iterator, List, Optional, Sequence,
                    Set, Tuple, Union as Either)

from . import names
from .grammar import kind_of, member_type, name_of
from .parse import Doc, Expression, Position, Problem, Schema
from .vocabulary import BUILTINS

MAX_MEMBERS = 256  # a wire order is an array of bytes


@dataclass(frozen=True)
class TypeRef:
    name: str  # built-in or defined
    is_list: bool = False

    def __str__(self) -> str:
        return f'[{self.name}]' if self.is_list else self.name


@dataclass(frozen=True)
class Member:
    name: str
    type: TypeRef
    is_optional: bool = False
    features: Tuple[str, ...] = ()
    condition: Any = None
    text: str = ''


@dataclass(frozen=True)
class Value:
    name: str
    features: Tuple[str, ...] = ()
    condition: Any = None
    text: str = ''


@dataclass(frozen=True)
class Definition:
    """What types and commands have in common."""

    name: str
    schema: str
    position: Position
    features: Tuple[str, ...]
    condition: Any
    doc: Optional[Doc]

    @property
    def text(self) -> str:
        return self.doc.body if self.doc else ''

    def tagged(self, tag: str) -> str:
        section = self.doc.tagged.get(tag) if self.doc else None
        return section.text if section else ''


@dataclass(frozen=True)
class Enum(Definition):
    values: Tuple[Value, ...] = ()


@dataclass(frozen=True)
class Struct(Definition):
    base: Optional[str] = None
    members: Tuple[Member, ...] = ()  # base first
    n_inherited: int = 0
    is_arguments: bool = False  # made for a command's inline 'data'


@dataclass(frozen=True)
class Branch:
    value: str  # of the discriminator
    struct: str
    condition: Any = None


@dataclass(frozen=True)
class Union(Definition):
    base: Optional[str] = None
    members: Tuple[Member, ...] = ()  # of the base
    discriminator: str = ''
    branches: Tuple[Branch, ...] = ()


@dataclass(frozen=True)
class Alternate(Definition):
    branches: Tuple[Member, ...] = ()


@dataclass(frozen=True)
class Command(Definition):
    arguments: Optional[str] = None  # a struct
    returns: Optional[TypeRef] = None
    is_silent: bool = False
    is_coroutine: bool = False


Type = Either[Enum, Struct, Union, Alternate]


@dataclass
class Model:
    schemas: Tuple[Schema, ...]
    folder: str = 'gen'  # where generated files include each other from
    types: Dict[str, Type] = field(default_factory=dict)
    commands: List[Command] = field(default_factory=list)
    taken: FrozenSet[str] = frozenset()  # types that commands take, at any depth
    given: FrozenSet[str] = frozenset()  # types that commands return, at any depth

    def types_of(self, schema: str) -> List[Type]:
        return [type_ for type_ in self.types.values() if type_.schema == schema]

    def commands_of(self, schema: str) -> List[Command]:
        return [command for command in self.commands if command.schema == schema]

    def is_borrowed(self, name: str) -> bool:
        """Commands take it and nothing else uses it: its strings belong to a request."""
        return name in self.taken and name not in self.given


def build(schemas: Sequence[Schema], exists: Callable[[Any], bool],
          absent: Iterable[str] = ()) -> Tuple[Model, List[Problem]]:
    """The model of what exists, given a judge of conditions."""
    return _Builder(schemas, exists, set(absent)).run()


def everywhere(_condition: Any) -> bool:
    """The judge to whom every condition counts as met, negated ones too."""
    return True


def where(defines: Iterable[str]) -> Callable[[Any], bool]:
    """The judge of a build with these settings."""
    met = frozenset(defines)
    return lambda condition: evaluate(condition, met)


def evaluate(condition: Any, met: FrozenSet[str]) -> bool:
    if condition is None:
        return True
    if isinstance(condition, str):
        return condition in met
    if 'not' in condition:
        return not evaluate(condition['not'], met)
    if 'all' in condition:
        return all(evaluate(part, met) for part in condition['all'])
    return any(evaluate(part, met) for part in condition['any'])


def command_names(schemas: Sequence[Schema]) -> Set[str]:
    """Of all commands, whatever their conditions."""
    return {name_of(expression) for schema in schemas for expression in schema.expressions()
            if kind_of(expression) == 'command'}


class _Builder:
    def __init__(self, schemas: Sequence[Schema], exists: Callable[[Any], bool],
                 absent: Set[str]):
        self.model = Model(tuple(schemas))
        self.exists = exists
        self.absent = absent
        self.problems: List[Problem] = []
        self.sources = {name_of(expression): (schema, expression) for schema in schemas
                        for expression in schema.expressions()
                        if kind_of(expression) not in (None, 'command')}

    def run(self) -> Tuple[Model, List[Problem]]:
        for schema in self.model.schemas:
            for expression in schema.expressions():
                kind = kind_of(expression)
                if kind and self.exists(expression.keys.get('if')):
                    getattr(self, f'build_{kind}')(schema, expression)
        self.check_references()
        if not self.problems:
            self.model.taken = self.reachable(
                TypeRef(command.arguments) for command in self.model.commands
                if command.arguments)
            self.model.given = self.reachable(
                command.returns for command in self.model.commands if command.returns)
            self.check_base64()
        return self.model, self.problems

    def common(self, schema: Schema, expression: Expression) -> Dict[str, Any]:
        return {'name': name_of(expression), 'schema': schema.name,
                'position': expression.position,
                'features': self.features(expression.keys),
                'condition': expression.keys.get('if'), 'doc': expression.doc}

    def build_enum(self, schema: Schema, expression: Expression) -> None:
        values = tuple(self.values(expression))
        enum = Enum(**self.common(schema, expression), values=values)
        if not values:
            self.problem(enum, f"enum '{enum.name}' has no values in this build")
        self.model.types[enum.name] = enum

    def build_struct(self, schema: Schema, expression: Expression) -> None:
        base = expression.keys.get('base')
        inherited = self.struct_members(base)
        own = tuple(self.members(expression.keys['data'], expression.doc))
        self.add_type(Struct(**self.common(schema, expression), base=base,
                             members=inherited + own, n_inherited=len(inherited)))

    def build_union(self, schema: Schema, expression: Expression) -> None:
        base = expression.keys['base']
        members = self.struct_members(base) if isinstance(base, str) \
            else tuple(self.members(base, expression.doc))
        branches = tuple(Branch(value, member_type(branch), condition_of(branch))
                         for value, branch in expression.keys['data'].items()
                         if self.exists(condition_of(branch)))
        self.add_type(Union(**self.common(schema, expression),
                            base=base if isinstance(base, str) else None, members=members,
                            discriminator=expression.keys['discriminator'], branches=branches))

    def build_alternate(self, schema: Schema, expression: Expression) -> None:
        branches = tuple(self.members(expression.keys['data'], expression.doc))
        self.add_type(Alternate(**self.common(schema, expression), branches=branches))

    def build_command(self, schema: Schema, expression: Expression) -> None:
        keys = expression.keys
        common = self.common(schema, expression)
        if common['name'] in self.absent:
            return
        data = keys.get('data')
        if isinstance(data, dict) and data:
            arguments = dict(common, name=names.arguments_type(common['name']), features=())
            self.add_type(Struct(**arguments, members=tuple(self.members(data, expression.doc)),
                                 is_arguments=True))
            data = arguments['name']
        self.model.commands.append(Command(
            **common, arguments=data or None,
            returns=type_ref(keys['returns']) if 'returns' in keys else None,
            is_silent=keys.get('success-response') is False,
            is_coroutine=keys.get('coroutine', False)))

    def add_type(self, type_: Type) -> None:
        self.model.types[type_.name] = type_

    def problem(self, definition: Definition, message: str) -> None:
        self.problems.append(Problem(definition.position, message))

    def struct_members(self, name: Optional[str]) -> Tuple[Member, ...]:
        if name is None:
            return ()
        expression = self.sources[name][1]
        return self.struct_members(expression.keys.get('base')) \
            + tuple(self.members(expression.keys['data'], expression.doc))

    def members(self, data: Dict[str, Any], doc: Optional[Doc]) -> Iterator[Member]:
        for starred, member in data.items():
            name = starred.lstrip('*')
            if self.exists(condition_of(member)):
                yield Member(name, type_ref(member_type(member)), name != starred,
                             self.features(member), condition_of(member), doc_text(doc, name))

    def values(self, expression: Expression) -> Iterator[Value]:
        for item in expression.keys['data']:
            name = item['name'] if isinstance(item, dict) else item
            if self.exists(condition_of(item)):
                yield Value(name, self.features(item), condition_of(item),
                            doc_text(expression.doc, name))

    def features(self, owner: Any) -> Tuple[str, ...]:
        listed = owner.get('features', []) if isinstance(owner, dict) else []
        return tuple(feature['name'] if isinstance(feature, dict) else feature
                     for feature in listed if self.exists(condition_of(feature)))

    # What can only be known with the conditions met

    def check_references(self) -> None:
        for type_ in self.model.types.values():
            self.check_size(type_)
            for what, reference in references(type_):
                self.check_exists(type_, what, reference)
        for command in self.model.commands:
            if command.returns:
                self.check_exists(command, "'returns'", command.returns)
            if command.arguments:
                self.check_exists(command, "'data'", TypeRef(command.arguments))

    def check_exists(self, owner: Definition, what: str, reference: TypeRef) -> None:
        if reference.name not in BUILTINS and reference.name not in self.model.types:
            self.problem(owner, f"'{owner.name}': {what}: type '{reference.name}' "
                                'is not in this build')

    def check_size(self, type_: Type) -> None:
        sizes = [len(getattr(type_, 'members', ()))]
        if isinstance(type_, Union):
            sizes += [sizes[0] + len(self.struct_members(branch.struct))
                      for branch in type_.branches]
        if max(sizes) > MAX_MEMBERS:
            self.problem(type_, f"'{type_.name}' has {max(sizes)} members, "
                                f'{MAX_MEMBERS} are possible')

    def reachable(self, roots: Iterable[TypeRef]) -> FrozenSet[str]:
        found: Set[str] = set()
        todo = [root.name for root in roots]
        while todo:
            name = todo.pop()
            if name in self.model.types and name not in found:
                found.add(name)
                todo += [reference.name for _, reference in references(self.model.types[name])]
        return frozenset(found)

    def check_base64(self) -> None:
        """Arguments hold base64 as text and results hold it as bytes; no struct can do both."""
        for name in sorted(self.model.taken & self.model.given):
            type_ = self.model.types[name]
            for member in getattr(type_, 'members', ()):
                if 'base64' in member.features:
                    self.problem(type_, f"struct '{name}': member '{member.name}' is base64, "
                                        'so commands may take or return it, not both')


def references(type_: Type) -> Iterator[Tuple[str, TypeRef]]:
    """The types that a type is made of, with words for where."""
    if isinstance(type_, Alternate):
        yield from ((f"branch '{branch.name}'", branch.type) for branch in type_.branches)
    elif isinstance(type_, (Struct, Union)):
        yield from ((f"member '{member.name}'", member.type) for member in type_.members)
    if isinstance(type_, Union):
        yield from ((f"branch '{branch.value}'", TypeRef(branch.struct))
                    for branch in type_.branches)


def type_ref(reference: Any) -> TypeRef:
    if isinstance(reference, list):
        return TypeRef(reference[0], True)
    return TypeRef(reference)


def condition_of(owner: Any) -> Any:
    return owner.get('if') if isinstance(owner, dict) else None


def doc_text(doc: Optional[Doc], name: str) -> str:
    section = doc.members.get(name) if doc else None
    return section.text if section else ''
