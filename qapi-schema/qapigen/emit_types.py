# SPDX-License-Identifier: GPL-2.0-or-later
"""Emitter of one schema's C types, their free functions and their descriptors."""

from typing import Dict, Iterable, Iterator, List, Sequence, Set

from . import c, names
from .model import (Alternate, Definition, Enum, Member, Model, Struct, Type, TypeRef, Union,
                    references)
from .order import wire_order

Composite = (Struct, Union, Alternate)


def header(model: Model, schema: str, source: str) -> str:
    types = model.types_of(schema)
    composites = [type_ for type_ in types if isinstance(type_, Composite)]
    parts = [c.banner([source]), '#pragma once\n\n', includes(model, schema, types), '\n']
    parts += [enum_declaration(type_) for type_ in types if isinstance(type_, Enum)]
    parts += [f'typedef struct {type_.name} {type_.name};\n' for type_ in composites]
    parts += [composite_declaration(model, type_) for type_ in embedded_first(model, composites)]
    lists = used_lists(model, schema)
    if lists:
        parts.append('\n')
    parts += [f'extern const QapiType {c.descriptor(reference)};\n' for reference in lists]
    return ''.join(parts)


def includes(model: Model, schema: str, types: Sequence[Type]) -> str:
    used = {reference.name for type_ in types for _, reference in references(type_)}
    others = {model.types[name].schema for name in used if name in model.types} - {schema}
    lines = [f'#include "{model.folder}/{other.name}.h"\n' for other in model.schemas
             if other.name in others]
    lines.append('#include "runtime/qapi-type.h"\n')
    if 'any' in used:
        lines.append('#include "runtime/qapi-value.h"\n')
    return ''.join(lines)


def embedded_first(model: Model, types: Iterable[Type]) -> List[Type]:
    """Unions hold their branches by value: those must be complete before."""
    ordered: Dict[str, Type] = {}
    for type_ in types:
        for branch in getattr(type_, 'branches', ()) if isinstance(type_, Union) else ():
            struct = model.types[branch.struct]
            if struct.schema == type_.schema:
                ordered.setdefault(struct.name, struct)
        ordered.setdefault(type_.name, type_)
    return list(ordered.values())


def used_lists(model: Model, schema: str) -> List[TypeRef]:
    """Lists of this schema's types that anybody uses."""
    found: Set[str] = {reference.name for type_ in model.types.values()
                       for _, reference in references(type_) if reference.is_list}
    found |= {command.returns.name for command in model.commands
              if command.returns and command.returns.is_list}
    return [TypeRef(type_.name, True) for type_ in model.types_of(schema) if type_.name in found]


def enum_declaration(enum: Enum) -> str:
    lines = [c.comment(c.sentence(enum.text)), 'typedef enum {\n']
    for value in enum.values:
        lines.append(f'    {names.constant(enum.name, value.name)},\n')
    lines.append(f'}} {enum.name};\nextern const QapiType {c.descriptor(TypeRef(enum.name))};\n\n')
    return ''.join(lines)


def composite_declaration(model: Model, type_: Type) -> str:
    stem = names.snake(type_.name)
    text = '\n' + branch_enum(type_) + c.comment(composite_text(type_)) \
        + f'struct {type_.name} {{\n{body(model, type_)}}};\n' \
        + f'extern const QapiType {stem}_type;\n'
    if model.is_borrowed(type_.name):
        return text
    return text + f'void {stem}_free({type_.name} *object);\n' \
        f'G_DEFINE_AUTOPTR_CLEANUP_FUNC({type_.name}, {stem}_free)\n'


def composite_text(type_: Definition) -> str:
    if isinstance(type_, Struct) and type_.is_arguments:
        return f'Arguments of {type_.doc.symbol}.' if type_.doc else ''
    return c.sentence(type_.text)


def branch_enum(type_: Type) -> str:
    if not isinstance(type_, Alternate):
        return ''
    values = [names.constant(type_.name, branch.name) for branch in type_.branches]
    return f'typedef enum {{\n{c.filled(values)}}} {type_.name}Branch;\n\n'


def body(model: Model, type_: Type) -> str:
    if isinstance(type_, Alternate):
        return f'    QapiBranch branch; /* a {type_.name}Branch */\n    union {{\n' \
            + ''.join(member_declaration(model, type_.name, branch, '        ')
                      for branch in type_.branches) + '    } u;\n'
    members = [member_declaration(model, type_.name, member, '    ')
               for member in c.members_of(type_)]
    if isinstance(type_, Union) and type_.branches:
        members.append('    union {\n' + ''.join(
            f'        {branch.struct} {names.c_name(branch.value)};\n'
            for branch in type_.branches) + '    } u;\n')
    return ''.join(members) or '    char dummy; /* C has no empty structs */\n'


def member_declaration(model: Model, owner: str, member: Member, indent: str) -> str:
    name = names.c_name(member.name)
    text = c.comment(c.sentence(member.text), indent)
    if has_flag(model, member):
        text += f'{indent}gboolean has_{flag_name(member)};\n'
    return text + f'{indent}{c.member_type(model, owner, member)}{name};\n'


def flag_name(member: Member) -> str:
    return member.name.replace('-', '_')


def has_flag(model: Model, member: Member) -> bool:
    return member.is_optional and not c.is_pointer(model, member.type)


def source(model: Model, schema: str, source_name: str) -> str:
    types = model.types_of(schema)
    parts = [c.banner([source_name]), f'#include "{model.folder}/{schema}.h"\n']
    parts += ['\n' + c.list_definition(reference, 'static ') for reference in c.builtin_lists(
        reference for type_ in types for _, reference in references(type_))]
    for type_ in types:
        parts += ['\n', *definition(model, type_)]
    parts += ['\n' + c.list_definition(reference, '') for reference in used_lists(model, schema)]
    return ''.join(parts)


def definition(model: Model, type_: Type) -> Iterator[str]:
    if isinstance(type_, Enum):
        yield enum_definition(type_)
        return
    # Descriptors have 16 bits for offsets, one of them for the sign.
    yield f'G_STATIC_ASSERT(sizeof({type_.name}) <= G_MAXINT16);\n\n'
    stem = names.snake(type_.name)
    if isinstance(type_, Struct):
        yield struct_definition(model, type_.name, type_.name, stem, type_.members, '')
    elif isinstance(type_, Union):
        yield union_definition(model, type_)
    else:
        yield alternate_definition(model, type_)
    if not model.is_borrowed(type_.name):
        yield (f'\nvoid\n{stem}_free({type_.name} *object)\n{{\n'
               f'    qapi_free(&{stem}_type, object);\n}}\n')


def enum_definition(enum: Enum) -> str:
    stem = names.snake(enum.name)
    quoted = [f'"{value.name}"' for value in enum.values]
    return (c.array(f'static const char *const {stem}_values', quoted)
            + f'\nconst QapiType {stem}_type = {{\n'
            f'    .name = "{enum.name}",\n'
            '    .kind = QAPI_KIND_ENUM,\n'
            f'    .size = sizeof({enum.name}),\n'
            f'    .n_values = {len(enum.values)},\n'
            f'    .values = {stem}_values,\n'
            '};\n')


def member_rows(model: Model, struct: str, owner: str, members: Sequence[Member],
                path: str) -> List[str]:
    """Rows of QapiMember; `path` leads to the members within the C struct."""
    rows = []
    for member in members:
        has = 'QAPI_BY_POINTER' if member.is_optional else 'QAPI_MANDATORY'
        if has_flag(model, member):
            has = f'offsetof({struct}, {path}has_{flag_name(member)})'
        cells = [f'"{member.name}"', f'offsetof({struct}, {path}{names.c_name(member.name)})',
                 has, f'&{c.member_descriptor(model, owner, member)}']
        rows.append(c.wrapped('    { ', cells, ' },\n'))
    return rows


def struct_definition(model: Model, struct: str, owner: str, stem: str,
                      members: Sequence[Member], storage: str) -> str:
    return struct_tables(stem, member_rows(model, struct, owner, members, ''), members) \
        + struct_type(struct, stem, len(members), storage)


def struct_tables(stem: str, rows: Sequence[str], members: Sequence[Member]) -> str:
    if not members:
        return ''
    order = [str(index) for index in wire_order([member.name for member in members])]
    return f"static const QapiMember {stem}_members[] = {{\n{''.join(rows)}}};\n\n" \
        + c.array(f'static const guint8 {stem}_order', order) + '\n'


def struct_type(struct: str, stem: str, n_members: int, storage: str) -> str:
    tables = f'    .n_members = {n_members},\n    .members = {stem}_members,\n' \
        f'    .wire_order = {stem}_order,\n' if n_members else ''
    return (f'{storage}const QapiType {stem}_type = {{\n'
            f'    .name = "{struct}",\n'
            '    .kind = QAPI_KIND_STRUCT,\n'
            f'    .size = sizeof({struct}),\n'
            f'{tables}}};\n')


def union_definition(model: Model, union: Union) -> str:
    stem = names.snake(union.name)
    base_rows = member_rows(model, union.name, union.name, union.members, '')
    text = ''
    branches = {branch.value: branch for branch in union.branches}
    for branch in union.branches:
        struct = model.types[branch.struct]
        assert isinstance(struct, Struct)
        rows = base_rows + member_rows(model, union.name, struct.name, struct.members,
                                       f'u.{names.c_name(branch.value)}.')
        flat = flat_stem(union, branch.value)
        members = union.members + struct.members
        text += struct_tables(flat, rows, members) \
            + struct_type(union.name, flat, len(members), 'static ') + '\n'

    discriminator = next(index for index, member in enumerate(union.members)
                         if member.name == union.discriminator)
    enum = model.types[union.members[discriminator].type.name]
    assert isinstance(enum, Enum)
    others = [value.name for value in enum.values if value.name not in branches]
    if others:
        flat = f'{stem}_base_only'
        text += struct_tables(flat, base_rows, union.members) \
            + struct_type(union.name, flat, len(union.members), 'static ') + '\n'
    flats = [f'&{flat_stem(union, value.name) if value.name in branches else flat}_type'
             for value in enum.values]
    rows_of = f'{stem}_base_only_members' if others else f'{stem}_members'
    if not others:
        text += f"static const QapiMember {stem}_members[] = {{\n{''.join(base_rows)}}};\n\n"
    return text + c.array(f'static const QapiType *const {stem}_branches', flats) + (
        f'\nconst QapiType {stem}_type = {{\n'
        f'    .name = "{union.name}",\n'
        '    .kind = QAPI_KIND_UNION,\n'
        f'    .size = sizeof({union.name}),\n'
        f'    .n_members = {len(union.members)},\n'
        f'    .members = {rows_of},\n'
        f'    .discriminator = {discriminator},\n'
        f'    .branches = {stem}_branches,\n'
        '};\n')


def flat_stem(union: Union, value: str) -> str:
    """Base and branch as one struct: on the wire their members are ordered together."""
    return f"{names.snake(union.name)}_as_{value.replace('-', '_')}"


def alternate_definition(model: Model, alternate: Alternate) -> str:
    stem = names.snake(alternate.name)
    rows = member_rows(model, alternate.name, alternate.name, alternate.branches, 'u.')
    return (f"static const QapiMember {stem}_members[] = {{\n{''.join(rows)}}};\n\n"
            f'const QapiType {stem}_type = {{\n'
            f'    .name = "{alternate.name}",\n'
            '    .kind = QAPI_KIND_ALTERNATE,\n'
            f'    .size = sizeof({alternate.name}),\n'
            f'    .n_members = {len(alternate.branches)},\n'
            f'    .members = {stem}_members,\n'
            '};\n')
