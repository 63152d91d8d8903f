# SPDX-License-Identifier: GPL-2.0-or-later
"""
Emitter of the reference manual, as Markdown and as a manual page

Both come from one walk over the schema. A section is the free text that starts
with "= Title" and what follows it; its commands come before its types.
"""

import textwrap
from typing import Any, Iterable, Iterator, List, Optional, Sequence, Tuple, Union as Either

from . import c
from .grammar import name_of
from .markup import blocks, inline
from .model import Alternate, Command, Enum, Member, Model, Struct, Type, TypeRef, Union, Value
from .parse import Doc, Schema
from .vocabulary import BASE64, BUILTINS, CONDITIONS, feature_words

INTRODUCTION = '''\
This page lists all commands that the agent can have, with their arguments, results and types. Which
of them a guest has depends on its system and on its configuration; ``guest-info`` tells.

A request is a JSON object: ``execute`` names the command, ``arguments`` has its arguments, and
``id`` is any value that comes back with the reply. A reply has ``return`` with the result, or
``error`` with ``class`` and ``desc``.

"Since" names the version of QEMU whose agent brought a command, or the version of this agent for
commands of its own.'''

Row = Tuple[str, str, str]  # name, what it is, text


class Markdown:
    def __init__(self) -> None:
        self.lines: List[str] = ['# Commands of the guest agent', '']

    def section(self, title: str) -> None:
        self.lines += [f'## {title}', '']

    def entry(self, name: str) -> None:
        self.lines += [f'### {name}', '']

    def text(self, text: str) -> None:
        for block in blocks(text):
            if block.kind == 'literal':
                self.lines += ['```', *block.text.split('\n'), '```', '']
            else:
                self.paragraph('- ' if block.kind == 'item' else '', self.spans(block.text))

    def labelled(self, label: str, text: str) -> None:
        self.text(labelled(label, text))

    def rows(self, label: str, rows: Iterable[Row]) -> None:
        self.lines += [f'{label}:', '']
        for name, kind, text in rows:
            kind = f' ({kind})' if kind else ''
            paragraphs = [block.text for block in blocks(text)] or ['']
            self.paragraph('- ', f'`{name}`{kind}: {self.spans(" ".join(paragraphs))}'.rstrip(': '))

    def paragraph(self, start: str, text: str) -> None:
        lines = textwrap.wrap(text, c.WIDTH, initial_indent=start,
                              subsequent_indent=' ' * len(start), break_long_words=False,
                              break_on_hyphens=False)
        # Items of one list stand together.
        if start and len(self.lines) > 1 and self.lines[-2].startswith(('- ', '  ')):
            self.lines.pop()
        self.lines += [*lines, '']

    @staticmethod
    def spans(text: str) -> str:
        return inline(text, lambda plain: plain.replace('*', '\\*').replace('<', '&lt;'),
                      lambda literal: f'`{literal}`')

    def result(self) -> str:
        return '\n'.join(self.lines)


class Manual:
    def __init__(self) -> None:
        self.lines: List[str] = [
            '.TH QEMU-GA-REF 7 "" "" "Guest agent"',
            '.SH NAME', 'qemu\\-ga\\-ref \\- commands of the guest agent', '.SH DESCRIPTION']

    def section(self, title: str) -> None:
        self.lines.append(f'.SH {self.plain(title).upper()}')

    def entry(self, name: str) -> None:
        self.lines.append(f'.SS {self.plain(name)}')

    def text(self, text: str) -> None:
        for block in blocks(text):
            if block.kind == 'literal':
                self.lines += ['.PP', '.EX', *map(self.line, block.text.split('\n')), '.EE']
            elif block.kind == 'item':
                self.lines += ['.IP \\(bu 2', *self.filled(block.text)]
            else:
                self.lines += ['.PP', *self.filled(block.text)]

    def labelled(self, label: str, text: str) -> None:
        self.text(labelled(label, text))

    def rows(self, label: str, rows: Iterable[Row]) -> None:
        self.lines += ['.PP', f'{label}:']
        for name, kind, text in rows:
            kind = f' ({self.plain(kind)})' if kind else ''
            self.lines += ['.TP', f'\\fB{self.plain(name)}\\fR{kind}']
            for block in blocks(text):
                self.lines += self.filled(block.text)

    def filled(self, text: str) -> List[str]:
        return [self.guarded(line) for line in textwrap.wrap(
            inline(text, self.plain, lambda literal: f'\\fB{self.plain(literal)}\\fR'), c.WIDTH - 2,
            break_long_words=False, break_on_hyphens=False)]

    def line(self, text: str) -> str:
        return self.guarded(self.plain(text))

    @staticmethod
    def plain(text: str) -> str:
        return text.replace('\\', '\\e').replace('-', '\\-')

    @staticmethod
    def guarded(line: str) -> str:
        """A dot or quote at the start of a line would be a request to roff."""
        return f'\\&{line}' if line.startswith(('.', "'")) else line

    def result(self) -> str:
        return '\n'.join(self.lines) + '\n'


def labelled(label: str, text: str) -> str:
    return f'{label}:\n\n{text}' if text.startswith('- ') else f'{label}: {text}'.rstrip(': ')


Page = Either[Markdown, Manual]


def markdown(model: Model) -> str:
    return _Reference(model, Markdown()).write()


def manual(model: Model) -> str:
    return _Reference(model, Manual()).write()


class _Reference:
    def __init__(self, model: Model, page: Page):
        self.model = model
        self.page = page
        self.commands = {command.name: command for command in model.commands}

    def write(self) -> str:
        self.page.text(INTRODUCTION)
        for schema in self.model.schemas:
            for heading, found in sections(schema):
                self.write_section(heading, found)
        return self.page.result()

    def write_section(self, heading: Optional[Doc], found: List[str]) -> None:
        commands = [self.commands[name] for name in found if name in self.commands]
        types = [self.model.types[name] for name in found if name in self.model.types]
        if not commands and not types:
            return
        if heading:
            title, _, text = heading.body.partition('\n')
            if title.startswith('= '):
                self.page.section(title[2:])
            else:
                text = heading.body
            self.page.text(text)
        for command in commands:
            self.write_command(command)
        for type_ in types:
            self.write_type(type_)

    def write_command(self, command: Command) -> None:
        self.page.entry(command.name)
        self.page.text(command.text)
        arguments = self.model.types.get(command.arguments or '')
        if isinstance(arguments, Struct) and arguments.is_arguments:
            self.write_members('Arguments', arguments.name, arguments.members)
        elif arguments:
            self.page.labelled('Arguments', f'the members of ``{arguments.name}``')
        if command.returns:
            self.page.labelled(f'Returns ({self.type_words(command.returns)})',
                               command.tagged('Returns'))
        if command.is_silent:
            self.page.text('There is no reply on success.')
        if command.tagged('Errors'):
            self.page.labelled('Errors', command.tagged('Errors'))
        self.write_facts(command)

    def write_type(self, type_: Type) -> None:
        self.page.entry(type_.name)
        self.page.text(type_.text)
        if isinstance(type_, Enum):
            self.page.rows('Values', [self.value_row(value) for value in type_.values])
        elif isinstance(type_, Alternate):
            self.page.rows('One of', [
                (self.type_words(branch.type, quoted=False), '', branch.text)
                for branch in type_.branches])
        elif type_.members:
            self.write_members('Members', type_.name, type_.members)
        for branch in getattr(type_, 'branches', ()) if isinstance(type_, Union) else ():
            self.page.text(f'If ``{type_.discriminator}`` is ``{branch.value}``: the members of '
                           f'``{branch.struct}`` too. {only_on(branch.condition)}')
        self.write_facts(type_)

    def write_members(self, label: str, owner: str, members: Sequence[Member]) -> None:
        self.page.rows(label, [self.member_row(owner, member) for member in members])

    def member_row(self, owner: str, member: Member) -> Row:
        words = BASE64.words if 'base64' in member.features \
            else self.type_words(member.type, quoted=False)
        extra = [feature_words(name) for name in member.features if name != 'base64']
        return (member.name, words + (', optional' if member.is_optional else ''),
                with_facts(member.text, [*extra, only_on(member.condition)]))

    @staticmethod
    def value_row(value: Value) -> Row:
        extra = [feature_words(name) for name in value.features]
        return value.name, '', with_facts(value.text, [*extra, only_on(value.condition)])

    def type_words(self, reference: TypeRef, quoted: bool = True) -> str:
        name = reference.name
        if name not in BUILTINS:
            words = f'``{name}``' if quoted else name
            return f'list of {words}' if reference.is_list else words
        words = BUILTINS[name].words
        return f'list of {words}s' if reference.is_list else words

    def write_facts(self, owner: Either[Command, Type]) -> None:
        told = owner.doc.features if owner.doc else {}
        for name, section in told.items():
            self.page.labelled(name.capitalize(), section.text)
        facts = [feature_words(name) for name in owner.features if name not in told]
        facts.append(only_on(owner.condition))
        since = owner.tagged('Since')
        facts.append(f'Since {since}.' if since else '')
        self.page.text(' '.join(fact for fact in facts if fact))


def sections(schema: Schema) -> Iterator[Tuple[Optional[Doc], List[str]]]:
    heading: Optional[Doc] = None
    found: List[str] = []
    for item in schema.items:
        if isinstance(item, Doc):
            yield heading, found
            heading, found = item, []
        else:
            found.append(name_of(item))
    yield heading, found


def with_facts(text: str, facts: Iterable[str]) -> str:
    """Texts of members are phrases; facts are sentences."""
    told = [fact for fact in facts if fact]
    if not told:
        return text
    return ' '.join([text if text.endswith('.') else f'{text}.', *told])


def only_on(condition: Any) -> str:
    return f'Only on {condition_words(condition)}.' if condition else ''


def condition_words(condition: Any) -> str:
    if isinstance(condition, str):
        return CONDITIONS.get(condition, condition)
    if 'not' in condition:
        return f"systems other than {condition_words(condition['not'])}"
    if 'all' in condition:
        return ' with '.join(map(condition_words, condition['all']))
    return ' and '.join(map(condition_words, condition['any']))
