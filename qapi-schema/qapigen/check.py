# SPDX-License-Identifier: GPL-2.0-or-later
"""
Second pass: grammar, names, references and documentation of expressions

Every check appends to one list of problems and goes on, so that one run shows
as many mistakes as possible. What passes here, model.py may trust.
"""

import re
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from . import names
from .check_doc import check_doc
from .grammar import KEYS, feature_names, kind_of, member_type, name_of, plain_type
from .parse import Expression, Position, Problem, Schema
from .vocabulary import BUILTINS, PAGE, TABLE, feature_command, feature_rule

RESERVED_STEMS = ('client', 'commands')  # generated files that no schema owns
PRAGMA_LISTS = ('command-name-exceptions', 'command-returns-exceptions',
                'member-name-exceptions')

TYPE_NAME = re.compile(r'[A-Z][A-Za-z0-9]*')
LOWER_NAME = re.compile(r'[a-z][a-z0-9]*(-[a-z0-9]+)*')
VALUE_NAME = re.compile(r'[a-z0-9]+(-[a-z0-9]+)*')
LOOSE_NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9_-]*')
CONDITION = re.compile(r'[A-Z][A-Z0-9_]*')

Members = Dict[str, Any]


class Pragma:
    def __init__(self) -> None:
        self.doc_required = True
        self.exceptions: Dict[str, Set[str]] = {name: set() for name in PRAGMA_LISTS}


def check_schemas(schemas: Sequence[Schema]) -> List[Problem]:
    return _Checker(schemas).run()


class _Checker:
    def __init__(self, schemas: Sequence[Schema]):
        self.schemas = schemas
        self.problems: List[Problem] = []
        self.types: Dict[str, Tuple[int, Expression]] = {}  # name -> schema's number, definition
        self.commands: Dict[str, Expression] = {}
        self.spellings: Dict[str, str] = {}  # in C -> name of a type
        self.expression = Expression(Position('', 0), {})  # the one that is being checked
        self.number = 0
        self.pragma = Pragma()

    def run(self) -> List[Problem]:
        self.check_schema_names()
        good: List[Tuple[int, Expression, Pragma]] = []
        for self.number, schema in enumerate(self.schemas):
            self.pragma = Pragma()
            for self.expression in schema.expressions():
                if self.is_definition():
                    self.define()
                    good.append((self.number, self.expression, self.pragma))
        for self.number, self.expression, self.pragma in good:
            self.check_definition()
        return self.problems

    def check_schema_names(self) -> None:
        seen = set(RESERVED_STEMS)
        for schema in self.schemas:
            if schema.name in seen:
                self.problems.append(Problem(
                    Position(schema.path, 1), f"the name '{schema.name}' is taken already"))
            seen.add(schema.name)

    def problem(self, message: str, position: Optional[Position] = None) -> None:
        kind = kind_of(self.expression)
        where = f"{kind} '{name_of(self.expression)}': " if kind else ''
        self.problems.append(Problem(position or self.expression.position, where + message))

    # What an expression is, and its names

    def is_definition(self) -> bool:
        keys = self.expression.keys
        if 'pragma' in keys:
            self.read_pragma()
            return False
        kind = kind_of(self.expression)
        if 'event' in keys:
            self.problem('events are not supported: the agent sends nothing unasked')
        elif kind is None:
            self.problem(f'an expression is one of {", ".join(KEYS)}, include, pragma')
        elif not isinstance(keys[kind], str):
            self.problem('the name must be a string')
        else:
            return True
        return False

    def read_pragma(self) -> None:
        value = self.expression.keys['pragma']
        if len(self.expression.keys) > 1 or not isinstance(value, dict):
            self.problem("'pragma' takes an object and stands alone")
            return
        for name, setting in value.items():
            if name == 'doc-required' and isinstance(setting, bool):
                self.pragma.doc_required = setting
            elif name in PRAGMA_LISTS and self.is_names(setting):
                self.pragma.exceptions[name].update(setting)
            elif name == 'doc-required' or name in PRAGMA_LISTS:
                wanted = 'a boolean' if name == 'doc-required' else 'a list of names'
                self.problem(f"pragma '{name}' must be {wanted}")
            else:
                self.problem(f"unknown pragma '{name}'")

    @staticmethod
    def is_names(value: Any) -> bool:
        return isinstance(value, list) and all(isinstance(name, str) for name in value)

    def define(self) -> None:
        name = name_of(self.expression)
        if kind_of(self.expression) == 'command':
            self.check_command_name(name)
            before = self.commands.setdefault(name, self.expression)
        else:
            self.check_type_name(name)
            before = self.types.setdefault(name, (self.number, self.expression))[1]
        if before is not self.expression:
            self.problem(f'already defined at {before.position}')

    def check_command_name(self, name: str) -> None:
        area = f'novacron-{self.schemas[self.number].name}'
        if name in self.pragma.exceptions['command-name-exceptions']:
            return
        if not LOWER_NAME.fullmatch(name):
            self.problem('commands are named in lower-case words with hyphens')
        elif not self.number and not name.startswith('guest-'):
            self.problem("commands of this schema start with 'guest-'")
        elif self.number and name != area and not name.startswith(area + '-'):
            self.problem(f"commands of this schema are named '{area}' or '{area}-...'")

    def check_type_name(self, name: str) -> None:
        if name in BUILTINS:
            self.problem('this is a built-in type')
        elif not TYPE_NAME.fullmatch(name):
            self.problem('types are named in CamelCase')
        elif name.endswith(('Args', 'Branch', 'List')):
            self.problem("names ending in 'Args', 'Branch' and 'List' are for generated types")
        elif self.number and not name.startswith('Novacron'):
            self.problem("types of this schema start with 'Novacron'")
        other = self.spellings.setdefault(names.snake(name), name)
        if other != name:
            self.problem(f"'{other}' is the same in C")

    # One definition

    def check_definition(self) -> None:
        kind = kind_of(self.expression) or ''
        if not self.check_keys(kind):
            return
        keys = self.expression.keys
        self.check_condition(keys.get('if'))
        self.check_features(keys.get('features'), kind, '')
        getattr(self, f'check_{kind}')(keys)
        check_doc(self.expression, self.pragma.doc_required, self.problem)

    def check_keys(self, kind: str) -> bool:
        keys = self.expression.keys
        before = len(self.problems)
        for key in keys:
            if key != kind and key not in KEYS[kind]:
                self.problem(f"unknown key '{key}'")
        for key, is_mandatory in KEYS[kind].items():
            if is_mandatory and key not in keys:
                self.problem(f"key '{key}' is missing")
        return len(self.problems) == before

    def check_enum(self, keys: Mapping[str, Any]) -> None:
        data = keys['data']
        if not isinstance(data, list) or not data:
            self.problem("'data' must be a list of values")
            return
        seen: Dict[str, str] = {}
        for item in data:
            value = item if isinstance(item, dict) else {'name': item}
            name = value.get('name')
            if not isinstance(name, str):
                self.problem("a value is a string or an object with 'name'")
                continue
            self.check_object(value, ('name', 'if', 'features'), 'value', name)
            if not VALUE_NAME.fullmatch(name) and not self.is_excepted(name):
                self.problem(f"value '{name}' must be named in lower-case words with hyphens")
            self.check_clash(seen, name, 'value')

    def check_struct(self, keys: Mapping[str, Any]) -> None:
        if self.check_members(keys['data'], 'data') and 'base' in keys:
            self.check_base(keys['base'])

    def check_base(self, base: Any) -> bool:
        if not isinstance(base, str) or not self.is_kind(base, 'struct'):
            self.problem("'base' must name a struct")
            return False
        self.check_reference(base)
        chain = [name_of(self.expression)]
        while base and base not in chain:
            chain.append(base)
            base = self.base_of(base)
        if base:
            self.problem(f"'{base}' is its own base")
        else:
            self.check_inherited(chain[0])
        return not base

    def base_of(self, name: str) -> Optional[str]:
        base = self.types[name][1].keys.get('base') if self.is_kind(name, 'struct') else None
        return base if isinstance(base, str) else None

    def check_union(self, keys: Mapping[str, Any]) -> None:
        base = keys['base']
        if isinstance(base, dict):
            self.check_members(base, 'base')
        elif not self.check_base(base):
            return
        members = self.all_members(base)
        values = self.discriminator_values(keys['discriminator'], members)
        branches = keys['data']
        if not isinstance(branches, dict) or not branches:
            self.problem("'data' must be an object of branches")
            return
        for name, branch in branches.items():
            self.check_branch(name, branch, members, values)

    def discriminator_values(self, name: Any, members: Members) -> Optional[List[str]]:
        if not isinstance(name, str) or name not in members:
            self.problem(f"discriminator '{name}' is not a mandatory member of the base")
            return None
        member = members[name]
        enum = member_type(member)
        if not isinstance(enum, str) or not self.is_kind(enum, 'enum'):
            self.problem(f"discriminator '{name}' must be an enum")
            return None
        if isinstance(member, dict) and 'if' in member:
            self.problem(f"discriminator '{name}' must be unconditional")
        data = self.types[enum][1].keys.get('data')
        return [str(value.get('name')) if isinstance(value, dict) else value
                for value in data] if isinstance(data, list) else None

    def check_branch(self, name: str, branch: Any, base: Members,
                     values: Optional[List[str]]) -> None:
        if values is not None and name not in values:
            self.problem(f"branch '{name}' is not a value of the discriminator")
        if isinstance(branch, dict):
            self.check_object(branch, ('type', 'if'), 'branch', name)
        struct = member_type(branch)
        if not isinstance(struct, str) or not self.is_kind(struct, 'struct'):
            self.problem(f"branch '{name}' must be a struct")
            return
        self.check_reference(struct)
        for member in self.all_members(struct):
            if member.lstrip('*') in {other.lstrip('*') for other in base}:
                self.problem(f"member '{member.lstrip('*')}' of branch '{name}' "
                             'is in the base already')

    def check_alternate(self, keys: Mapping[str, Any]) -> None:
        branches = keys['data']
        if not isinstance(branches, dict) or not branches:
            self.problem("'data' must be an object of branches")
            return
        if not self.check_members(branches, 'data', may_be_optional=False):
            return
        tokens: Dict[str, str] = {}
        for name, branch in branches.items():
            token = self.token_of(member_type(branch))
            if token is None:
                self.problem(f"branch '{name}' cannot be a branch of an alternate")
            elif token in tokens:
                self.problem(f"branches '{tokens[token]}' and '{name}' look the same on the wire")
            else:
                tokens[token] = name

    def token_of(self, reference: Any) -> Optional[str]:
        """What JSON a branch starts with; None if that tells nothing."""
        if isinstance(reference, list):
            return 'array'
        if reference in BUILTINS:
            return None if reference == 'any' else BUILTINS[reference].token
        kind = kind_of(self.types[reference][1]) if reference in self.types else None
        return {'enum': 'string', 'struct': 'object', 'union': 'object'}.get(kind or '')

    def check_command(self, keys: Mapping[str, Any]) -> None:
        for key in ('success-response', 'coroutine', 'boxed'):
            if not isinstance(keys.get(key, True), bool):
                self.problem(f"'{key}' must be a boolean")
        self.check_arguments(keys.get('data'), keys.get('boxed', False))
        if 'returns' in keys:
            self.check_returns(keys['returns'])
            if keys['returns'] == TABLE and PAGE not in self.lineage(keys.get('data')):
                self.problem(f"what returns '{TABLE}' takes '{PAGE}', "
                             'or a struct that has it as its base')
            if keys.get('success-response', True) is False:
                self.problem("a command without success response has no 'returns'")

    def check_arguments(self, data: Any, boxed: Any) -> None:
        if isinstance(data, str):
            if not self.is_kind(data, 'struct'):
                self.problem(f"'data' names '{data}', which is not a struct")
            self.check_reference(data)
        elif boxed:
            self.problem("'boxed' needs 'data' to name a struct")
        elif data is not None:
            self.check_members(data, 'data')

    def check_returns(self, returns: Any) -> None:
        if not self.check_type(returns, "'returns'"):
            return
        name = name_of(self.expression)
        if not self.is_kind(plain_type(returns), 'struct', 'union') and \
                name not in self.pragma.exceptions['command-returns-exceptions']:
            self.problem("'returns' must be a struct, a union or a list of them: "
                         'others cannot grow')

    # Parts

    def check_members(self, members: Any, key: str, may_be_optional: bool = True) -> bool:
        if not isinstance(members, dict):
            self.problem(f"'{key}' must be an object of members")
            return False
        seen: Dict[str, str] = {}
        for starred, member in members.items():
            name = starred[1:] if starred.startswith('*') else starred
            if name != starred and not may_be_optional:
                self.problem(f"branch '{name}' cannot be optional")
            self.check_member_name(name)
            self.check_clash(seen, name, 'member')
            self.check_member(name, member)
        return True

    def check_member_name(self, name: str) -> None:
        if not LOWER_NAME.fullmatch(name) and not self.is_excepted(name):
            self.problem(f"member '{name}' must be named in lower-case words with hyphens")
        elif name == 'u' or name.startswith(('has-', 'has_', 'q-', 'q_')):
            self.problem(f"member '{name}': 'u', 'has-' and 'q-' are for generated names")

    def is_excepted(self, name: str) -> bool:
        return name_of(self.expression) in self.pragma.exceptions['member-name-exceptions'] \
            and bool(LOOSE_NAME.fullmatch(name))

    def check_clash(self, seen: Dict[str, str], name: str, what: str) -> None:
        in_c = names.c_name(name)
        if seen.get(in_c) == name:
            self.problem(f"{what} '{name}' stands twice")
        elif in_c in seen:
            self.problem(f"{what}s '{seen[in_c]}' and '{name}' are the same in C")
        seen[in_c] = name

    def check_inherited(self, name: str) -> None:
        inherited = {member.lstrip('*') for member in self.all_members(self.base_of(name))}
        for member in self.own_members(name):
            if member.lstrip('*') in inherited:
                self.problem(f"member '{member.lstrip('*')}' is in the base already")

    def check_member(self, name: str, member: Any) -> None:
        if isinstance(member, dict):
            if 'type' not in member:
                self.problem(f"member '{name}' lacks 'type'")
                return
            self.check_object(member, ('type', 'if', 'features'), 'member', name)
        reference = member_type(member)
        self.check_type(reference, f"member '{name}'")
        features = feature_names(member.get('features')) if isinstance(member, dict) else []
        if 'base64' in features and reference != 'str':
            self.problem(f"member '{name}': only a 'str' can be base64")

    def check_object(self, value: Mapping[str, Any], allowed: Iterable[str], what: str,
                     name: str) -> None:
        for key in value:
            if key not in allowed:
                self.problem(f"{what} '{name}': unknown key '{key}'")
        if 'if' in value:
            self.check_condition(value['if'])
        if 'features' in value and 'features' in allowed:
            self.check_features(value['features'], what, f"{what} '{name}': ")

    def check_condition(self, condition: Any) -> None:
        if condition is None:
            return
        if isinstance(condition, str):
            if not CONDITION.fullmatch(condition):
                self.problem(f"'if': '{condition}' is not the name of a setting")
            return
        key, value = next(iter(condition.items())) \
            if isinstance(condition, dict) and len(condition) == 1 else ('', None)
        if key == 'not' and value is not None:
            self.check_condition(value)
        elif key in ('all', 'any') and isinstance(value, list) and value:
            for part in value:
                self.check_condition(part)
        else:
            self.problem("'if' is a name, or an object with one of 'all', 'any' (lists) and 'not'")

    def check_features(self, features: Any, place: str, where: str) -> None:
        if features is None:
            return
        if not isinstance(features, list):
            self.problem(f"{where}'features' must be a list")
            return
        seen: Set[str] = set()
        for feature in features:
            name = feature.get('name') if isinstance(feature, dict) else feature
            if not isinstance(name, str):
                self.problem(f"{where}a feature is a string or an object with 'name'")
                continue
            if isinstance(feature, dict):
                self.check_object(feature, ('name', 'if'), f'{where}feature', name)
            if name in seen:
                self.problem(f"{where}feature '{name}' stands twice")
            seen.add(name)
            self.check_feature(name, place, where)

    def check_feature(self, name: str, place: str, where: str) -> None:
        rule = feature_rule(name)
        command = feature_command(name)
        if rule is None:
            self.problem(f"{where}unknown feature '{name}'")
        elif place not in rule.places:
            self.problem(f"{where}feature '{name}' is not for a {place}")
        elif command and command not in self.commands:
            self.problem(f"{where}feature '{name}': there is no command '{command}'")

    # References

    def check_type(self, reference: Any, where: str) -> bool:
        name = plain_type(reference)
        if not isinstance(name, str):
            self.problem(f'{where} needs the name of a type, or a list with one')
            return False
        if name not in BUILTINS and name not in self.types:
            self.problem(f"{where}: unknown type '{name}'")
            return False
        if name == 'null' and isinstance(reference, list):
            self.problem(f"{where}: a list of 'null' says nothing")
        self.check_reference(name)
        return True

    def check_reference(self, name: str) -> None:
        """Generated headers include each other in the order of the schemas only."""
        number = self.types[name][0] if name in self.types else 0
        if number > self.number:
            self.problem(f"type '{name}' comes from '{self.schemas[number].name}', "
                         'a later schema')

    def is_kind(self, name: Any, *kinds: str) -> bool:
        return isinstance(name, str) and name in self.types \
            and kind_of(self.types[name][1]) in kinds

    def own_members(self, name: str) -> Members:
        data = self.types[name][1].keys.get('data') if self.is_kind(name, 'struct') else None
        return data if isinstance(data, dict) else {}

    def lineage(self, name: Any) -> List[str]:
        """A struct, its base, and so on."""
        chain: List[str] = []
        while isinstance(name, str) and name not in chain:
            chain.append(name)
            name = self.base_of(name)
        return chain

    def all_members(self, source: Any) -> Members:
        """Of a struct by name, base first, or of an inline base."""
        if isinstance(source, dict):
            return source
        return {name: member for struct in reversed(self.lineage(source))
                for name, member in self.own_members(struct).items()}
