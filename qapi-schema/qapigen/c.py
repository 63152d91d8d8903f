# SPDX-License-Identifier: GPL-2.0-or-later
"""What the emitters of C share: types as they are spelt in C, comments, lists."""

import textwrap
from typing import Iterable, List, Sequence

from . import names
from .model import Alternate, Enum, Member, Model, TypeRef
from .vocabulary import BASE64, BUILTINS

WIDTH = 100


def banner(sources: Iterable[str]) -> str:
    return f"/* Generated from {', '.join(sources)} by qapigen: do not edit. */\n"


def sentence(text: str) -> str:
    """The first sentence of a documentation, as plain text."""
    paragraph = ' '.join(text.split('\n\n')[0].split()).replace('``', '').replace('*/', '* /')
    end = paragraph.find('. ')
    return paragraph[:end + 1] if end >= 0 else paragraph


def comment(text: str, indent: str = '') -> str:
    """`text` as a comment of its own lines; nothing if there is none."""
    if not text:
        return ''
    lines = textwrap.wrap(text, WIDTH - len(indent) - 6, break_on_hyphens=False)
    return f'{indent}/* ' + f'\n{indent} * '.join(lines) + ' */\n'


def wrapped(head: str, items: Sequence[str], tail: str) -> str:
    """A parameter list: filled lines, aligned behind the bracket that ends `head`."""
    indent = ' ' * len(head)
    lines = [head]
    for number, item in enumerate(items):
        text = item + (tail if number == len(items) - 1 else ',')
        start = lines[-1] + (' ' if lines[-1].endswith(',') else '')
        if len(start + text) > WIDTH and lines[-1] != head:
            lines.append(indent + text)
        else:
            lines[-1] = start + text
    return '\n'.join(lines)


def array(declaration: str, items: Sequence[str]) -> str:
    """A constant of short items: on one line, or as many on each as fit."""
    one_line = f"{declaration}[] = {{ {', '.join(items)} }};\n"
    if len(one_line) <= WIDTH:
        return one_line
    return f'{declaration}[] = {{\n{filled(items)}}};\n'


def filled(items: Sequence[str], indent: str = '    ') -> str:
    text = textwrap.fill(', '.join(items) + ',', WIDTH, initial_indent=indent,
                         subsequent_indent=indent, break_long_words=False,
                         break_on_hyphens=False)
    return text + '\n'


def is_base64_bytes(model: Model, owner: str, member: Member) -> bool:
    """Arguments keep base64 as text: the handler decodes it within the request."""
    return 'base64' in member.features and not model.is_borrowed(owner)


def is_pointer(model: Model, reference: TypeRef) -> bool:
    if reference.is_list:
        return True
    if reference.name in BUILTINS:
        return BUILTINS[reference.name].is_pointer
    return not isinstance(model.types[reference.name], Enum)


def c_type(model: Model, reference: TypeRef) -> str:
    """With a blank or a star at its end, so that a name can follow."""
    if reference.is_list:
        return 'GPtrArray *' if is_pointer(model, TypeRef(reference.name)) else 'GArray *'
    if reference.name in BUILTINS:
        spelt = BUILTINS[reference.name].c_type
        return spelt if spelt.endswith('*') else f'{spelt} '
    return f'{reference.name} *' if is_pointer(model, reference) else f'{reference.name} '


def member_type(model: Model, owner: str, member: Member) -> str:
    return BASE64.c_type if is_base64_bytes(model, owner, member) else c_type(model, member.type)


def descriptor(reference: TypeRef) -> str:
    """The variable that describes a type."""
    if reference.is_list:
        stem = BUILTINS[reference.name].descriptor[len('qapi_type_'):] \
            if reference.name in BUILTINS else names.snake(reference.name)
        return f'{stem}_list_type'
    if reference.name in BUILTINS:
        return BUILTINS[reference.name].descriptor
    return f'{names.snake(reference.name)}_type'


def member_descriptor(model: Model, owner: str, member: Member) -> str:
    return BASE64.descriptor if is_base64_bytes(model, owner, member) else descriptor(member.type)


def list_definition(reference: TypeRef, storage: str) -> str:
    return (f'{storage}const QapiType {descriptor(reference)} = {{\n'
            f'    .name = "{reference.name}List",\n'
            '    .kind = QAPI_KIND_LIST,\n'
            f'    .element = &{descriptor(TypeRef(reference.name))},\n'
            '};\n')


def builtin_lists(references: Iterable[TypeRef]) -> List[TypeRef]:
    """Lists of built-in types have no home: each file has its own descriptors."""
    found = {reference for reference in references
             if reference.is_list and reference.name in BUILTINS}
    return sorted({descriptor(reference): reference for reference in
                   sorted(found, key=str)}.values(), key=descriptor)


def members_of(type_: object) -> Iterable[Member]:
    return type_.branches if isinstance(type_, Alternate) else getattr(type_, 'members', ())
