# SPDX-License-Identifier: GPL-2.0-or-later
"""
First pass: text to expressions and documentation, with positions

Nothing is known here of what an expression means, but for 'include', which
makes one schema of several files. After a mistake the parser goes on with the
next line that starts an expression or a documentation comment.
"""

import re
from dataclasses import dataclass, field
from os.path import normpath
from pathlib import PurePath
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple, Union


@dataclass(frozen=True, order=True)
class Position:
    file: str
    line: int

    def __str__(self) -> str:
        return f'{self.file}:{self.line}'


@dataclass(frozen=True)
class Problem:
    position: Position
    message: str

    def __str__(self) -> str:
        return f'{self.position}: {self.message}'


@dataclass(frozen=True)
class Section:
    position: Position
    text: str


@dataclass(frozen=True)
class Doc:
    """A documentation comment; without a symbol it is free text between definitions."""

    position: Position
    symbol: Optional[str] = None
    body: str = ''
    members: Dict[str, Section] = field(default_factory=dict)
    features: Dict[str, Section] = field(default_factory=dict)
    tagged: Dict[str, Section] = field(default_factory=dict)  # Returns, Errors, Since


@dataclass(frozen=True)
class Expression:
    position: Position
    keys: Dict[str, Any]
    doc: Optional[Doc] = None


@dataclass(frozen=True)
class Schema:
    path: str
    name: str  # the stem of generated files
    source: str  # how generated files name it
    items: Tuple[Union[Expression, Doc], ...]

    def expressions(self) -> Iterator[Expression]:
        return (item for item in self.items if isinstance(item, Expression))


class Token(NamedTuple):
    kind: str  # 'string', 'word', 'doc', 'stray', 'end', or the punctuation mark itself
    value: Any
    line: int
    column: int

    def __str__(self) -> str:
        return {'string': f"string '{self.value}'", 'word': f"'{self.value}'",
                'doc': 'a documentation comment', 'end': 'the end of the file',
                }.get(self.kind, f"'{self.kind}'")


class SyntaxProblem(Exception):
    def __init__(self, line: int, message: str):
        super().__init__(message)
        self.line = line


TOKEN = re.compile(r"""
      (?P<blank> [ \n]+ )
    | (?P<comment> \#[^\n]* )
    | '(?P<string> [^'\n\\]* )'
    | (?P<word> [A-Za-z0-9_.+-]+ )
    | (?P<mark> [][{}:,] )
    """, re.VERBOSE)
DOC = re.compile(r'^##\n(.*?)^##$', re.DOTALL | re.MULTILINE)
SECTION = re.compile(r'(?:@(?P<name>[^\s:]+)|(?P<tag>Returns|Errors|Since|Features)):(?:\s+|$)')
WORDS = {'true': True, 'false': False}


def schema_name(path: str) -> str:
    """The stem of generated files: an extension's schema.json is known by its folder."""
    pure = PurePath(path)
    return pure.parent.name if pure.name == 'schema.json' else pure.stem


def schema_source(path: str) -> str:
    pure = PurePath(path)
    return f'{pure.parent.name}/{pure.name}' if pure.name == 'schema.json' else pure.name


def parse_schema(path: str, read: Callable[[str], str]) -> Tuple[Schema, List[Problem]]:
    """Parse `path` and what it includes; `read` gives the text of a file or raises OSError."""
    problems: List[Problem] = []
    items = _Files(read, problems).load(path, None)
    return Schema(path, schema_name(path), schema_source(path), tuple(items)), problems


class _Files:
    """The files of one schema: each is read once, wherever it is included."""

    def __init__(self, read: Callable[[str], str], problems: List[Problem]):
        self.read = read
        self.problems = problems
        self.seen: Dict[str, bool] = {}  # value: is still being read

    def load(self, path: str, included_at: Optional[Position]) -> List[Union[Expression, Doc]]:
        path = normpath(path)
        if path in self.seen:
            if self.seen[path] and included_at:
                self.problems.append(Problem(included_at, f"'{path}' includes itself"))
            return []
        try:
            text = self.read(path)
        except OSError as error:
            where = included_at or Position(path, 1)
            self.problems.append(Problem(where, f"cannot read '{path}': {error.strerror}"))
            return []
        except UnicodeDecodeError:
            self.problems.append(Problem(Position(path, 1), 'the file is not UTF-8'))
            return []
        self.seen[path] = True
        items: List[Union[Expression, Doc]] = []
        for item in _FileParser(path, text, self.problems).items():
            items += self.included(item, path)
        self.seen[path] = False
        return items

    def included(self, item: Union[Expression, Doc], path: str) -> List[Union[Expression, Doc]]:
        if isinstance(item, Doc) or 'include' not in item.keys:
            return [item]
        name = item.keys['include']
        if len(item.keys) > 1 or not isinstance(name, str):
            self.problems.append(Problem(
                item.position, "'include' takes the name of a file and stands alone"))
            return []
        return self.load(str(PurePath(path).parent / name), item.position)


class _FileParser:
    """Recursive descent over the tokens of one file."""

    def __init__(self, path: str, text: str, problems: List[Problem]):
        self.path = path
        self.problems = problems
        self.tokens = list(self.tokenize(text))
        self.next = 0

    def problem(self, line: int, message: str) -> None:
        self.problems.append(Problem(Position(self.path, line), message))

    def tokenize(self, text: str) -> Iterator[Token]:
        at = 0
        line = 1
        while at < len(text):
            column = at - (text.rfind('\n', 0, at) + 1)
            doc = DOC.match(text, at) if column == 0 else None
            match = doc or TOKEN.match(text, at)
            if doc:
                yield Token('doc', doc.group(1), line, column)
            elif match is None or text.startswith('##\n', at) and column == 0:
                yield Token('stray', self.stray(text, at), line, column)
                at += len(text[at:].split('\n')[0]) if text[at] in "#'" else 1
                continue
            elif match.lastgroup in ('string', 'word'):
                yield Token(match.lastgroup, match.group(match.lastgroup), line, column)
            elif match.lastgroup == 'mark':
                yield Token(match.group(), None, line, column)
            line += match.group().count('\n')
            at = match.end()
        yield Token('end', None, line, 0)

    @staticmethod
    def stray(text: str, at: int) -> str:
        if text.startswith('##\n', at):
            return "the closing '##' of this documentation comment is missing"
        if text[at] == "'":
            return 'strings end on their line and have no backslashes'
        if text[at] == '\t':
            return 'tab character: indent with blanks'
        return f'stray character {text[at]!r}'

    def items(self) -> Iterator[Union[Expression, Doc]]:
        doc: Optional[Doc] = None
        while self.peek().kind != 'end':
            begin = self.next
            try:
                if self.peek().kind == 'doc':
                    self.unclaimed(doc)
                    token = self.take()
                    doc = _DocParser(self.path, token.line, self.problem).parse(token.value)
                    if doc.symbol is None:
                        yield doc
                        doc = None
                    continue
                yield self.expression(doc)
            except SyntaxProblem as error:
                self.problem(error.line, str(error))
                self.next = max(self.next, begin + 1)
                self.recover()
            doc = None
        self.unclaimed(doc)

    def unclaimed(self, doc: Optional[Doc]) -> None:
        if doc:
            self.problem(doc.position.line, f"no definition follows the documentation of "
                                            f"'{doc.symbol}'")

    def expression(self, doc: Optional[Doc]) -> Expression:
        start = self.expect(('{',), "'{' or a documentation comment")
        return Expression(Position(self.path, start.line), self.object(), doc)

    def recover(self) -> None:
        """Skip to what looks like the start of an expression."""
        while self.peek().kind != 'end':
            token = self.peek()
            if token.kind == '{' and token.column == 0:
                return
            if token.kind == 'doc' and self.tokens[self.next + 1].kind in ('{', 'doc', 'end'):
                return
            self.next += 1

    def peek(self) -> Token:
        return self.tokens[self.next]

    def take(self) -> Token:
        self.next += 1
        return self.tokens[self.next - 1]

    def expect(self, kinds: Tuple[str, ...], wanted: str) -> Token:
        """The offending token stays: it may be where the parser can go on."""
        if self.peek().kind not in kinds:
            raise self.unexpected(wanted)
        return self.take()

    def unexpected(self, wanted: str) -> SyntaxProblem:
        token = self.peek()
        if token.kind == 'stray':
            return SyntaxProblem(token.line, token.value)
        return SyntaxProblem(token.line, f'expected {wanted}, got {token}')

    def value(self) -> Any:
        token = self.peek()
        if token.kind == '{':
            self.take()
            return self.object()
        if token.kind == '[':
            self.take()
            return self.list()
        if token.kind == 'string':
            return self.take().value
        if token.kind == 'word' and token.value in WORDS:
            return WORDS[self.take().value]
        raise self.unexpected('a value')

    def object(self) -> Dict[str, Any]:
        members: Dict[str, Any] = {}
        if self.peek().kind == '}':
            self.take()
            return members
        while True:
            key = self.expect(('string',), 'a name in quotes')
            if key.value in members:
                raise SyntaxProblem(key.line, f"'{key.value}' stands twice in one object")
            self.expect((':',), f"':' after '{key.value}'")
            members[key.value] = self.value()
            if self.expect((',', '}'), "',' or '}'").kind == '}':
                return members

    def list(self) -> List[Any]:
        elements: List[Any] = []
        if self.peek().kind == ']':
            self.take()
            return elements
        while True:
            elements.append(self.value())
            if self.expect((',', ']'), "',' or ']'").kind == ']':
                return elements


class _DocParser:
    """The sections of one documentation comment."""

    def __init__(self, path: str, line: int, problem: Callable[[int, str], None]):
        self.path = path
        self.line = line
        self.problem = problem
        self.in_features = False

    def parse(self, text: str) -> Doc:
        lines = list(self.unwrap(text))
        first = SECTION.match(lines[0][1]) if lines else None
        symbol = first.group('name') if first else None
        position = Position(self.path, self.line)
        if symbol is None:
            return Doc(position, body=self.tidy(line for _, line in lines))

        doc = Doc(position, symbol)
        body: List[str] = [lines[0][1][first.end():]] if first else []
        sections = self.split(lines[1:], body)
        for number, kind, name, content in sections:
            self.add(doc, kind, name, Section(Position(self.path, number), self.tidy(content)))
        return Doc(position, symbol, self.tidy(body), doc.members, doc.features, doc.tagged)

    def unwrap(self, text: str) -> Iterator[Tuple[int, str]]:
        for number, line in enumerate(text.splitlines(), self.line + 1):
            if not line.startswith('#'):
                self.problem(number, "lines of a documentation comment start with '#'")
                continue
            if len(line) > 1 and line[1] != ' ':
                self.problem(number, "a blank must follow '#' in a documentation comment")
            yield number, line[2:]

    def split(self, lines: List[Tuple[int, str]],
              body: List[str]) -> List[Tuple[int, str, str, List[str]]]:
        sections: List[Tuple[int, str, str, List[str]]] = []
        content = body
        for number, line in lines:
            match = SECTION.match(line)
            if match is None:
                content.append(line)
                continue
            content = [line[match.end():]]
            if match.group('tag') == 'Features':
                self.in_features = True
                continue
            kind = 'tag' if match.group('tag') else 'feature' if self.in_features else 'member'
            self.in_features = self.in_features and kind != 'tag'
            sections.append((number, kind, match.group('name') or match.group('tag'), content))
        return sections

    def add(self, doc: Doc, kind: str, name: str, section: Section) -> None:
        where = {'tag': doc.tagged, 'feature': doc.features, 'member': doc.members}[kind]
        shown = f'{name}:' if kind == 'tag' else f'@{name}:'
        if name in where:
            self.problem(section.position.line, f"'{shown}' stands twice in this documentation")
        if not section.text:
            self.problem(section.position.line, f"section '{shown}' is empty")
        where[name] = section

    @staticmethod
    def tidy(lines: Any) -> str:
        """Paragraphs as they stand, without the indentation that all later lines share."""
        first, *rest = list(lines) or ['']
        indents = [len(line) - len(line.lstrip()) for line in rest if line.strip()]
        cut = min(indents, default=0)
        return '\n'.join([first] + [line[cut:].rstrip() for line in rest]).strip()
