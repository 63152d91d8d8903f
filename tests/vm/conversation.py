# SPDX-License-Identifier: GPL-2.0-or-later
"""What a client of libvirt saw, written down so that two agents can be compared.

Whatever cannot be the same twice (times, counters, sizes of files that grow) is hidden when it is
written down, with a mark that says so; the steps themselves look at the true values.
"""
import json
import re
from typing import Any, Dict, List, NamedTuple, Sequence

from domain import NAME, Domain
from libvirtd import PATIENCE, LibvirtFailed, Result

HIDDEN = '#'


class Exchange(NamedTuple):
    step: str
    command: str
    answer: str


class AgentError(Exception):
    """The agent answered with an error: its description."""


def hide(text: str, pattern: str) -> str:
    """Replace what the groups of every match hold; the whole match if it has none."""
    def blank(match: 're.Match[str]') -> str:
        whole, start = match.group(0), match.start()
        spans = [match.span(group) for group in range(1, match.re.groups + 1)] or [match.span()]
        for begin, end in sorted((span for span in spans if span[0] >= 0), reverse=True):
            whole = whole[:begin - start] + HIDDEN + whole[end - start:]
        return whole
    return re.sub(pattern, blank, text) if pattern else text


class Conversation:
    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._step = ''
        self.exchanges: List[Exchange] = []

    def begin(self, step: str) -> None:
        self._step = step

    def virsh(self, command: str, *words: str, hidden: str = '',
              patience: float = PATIENCE) -> Result:
        """virsh COMMAND guest WORDS, written down."""
        result = self._domain.libvirtd.virsh(command, NAME, *words, patience=patience)
        self.write_down(' '.join((command, *words)), result, hidden)
        return result

    def must(self, command: str, *words: str, hidden: str = '') -> str:
        result = self.virsh(command, *words, hidden=hidden)
        if result.status != 0:
            raise LibvirtFailed('virsh %s %s: %s' % (command, ' '.join(words), result.output))
        return result.output

    def must_fail(self, command: str, *words: str, hidden: str = '') -> str:
        result = self.virsh(command, *words, hidden=hidden)
        if result.status == 0:
            raise LibvirtFailed('virsh %s %s: no error but %r'
                                % (command, ' '.join(words), result.output))
        return result.output

    def ask(self, command: str, hidden: str = '', **arguments: Any) -> Any:
        """An agent's command that virsh has no command for."""
        result = self.virsh('qemu-agent-command', request(command, arguments), hidden=hidden)
        if result.status != 0:
            raise AgentError(result.output)
        return json.loads(result.output)['return']

    def write_down(self, command: str, result: Result, hidden: str = '') -> None:
        text = hide(result.output, hidden).replace(str(self._domain.directory), 'DIRECTORY')
        if result.status != 0:
            text += '\n[status %d]' % result.status
        command = command.replace(str(self._domain.directory), 'DIRECTORY')
        self.exchanges.append(Exchange(self._step, command, text))


def request(command: str, arguments: Dict[str, Any]) -> str:
    return json.dumps({'execute': command, 'arguments': {
        name.replace('_', '-'): value for name, value in arguments.items()}})


class Difference(NamedTuple):
    """An answer of ours, with every match of `ours` replaced by `theirs`, is what qemu-ga said."""
    step: str
    command: str        # a pattern, searched for
    ours: str           # a pattern
    theirs: str
    why: str
    is_always_there: bool = True

    def explains(self, ours: Exchange, theirs: Exchange) -> bool:
        return (re.search(self.step, ours.step) is not None
                and re.search(self.command, ours.command) is not None
                and re.sub(self.ours, lambda _: self.theirs, ours.answer) == theirs.answer)


class Comparison(NamedTuple):
    problems: Dict[str, List[str]]      # by step: what no row of the table explains
    used: List[Difference]              # the rows that explained something


def compare(ours: Sequence[Exchange], theirs: Sequence[Exchange],
            table: Sequence[Difference]) -> Comparison:
    """Of the steps that both have played."""
    result = Comparison({}, [])
    for step in dict.fromkeys(exchange.step for exchange in theirs):
        mine = [exchange for exchange in ours if exchange.step == step]
        other = [exchange for exchange in theirs if exchange.step == step]
        problems = result.problems.setdefault(step, [])
        if [each.command for each in mine] != [each.command for each in other]:
            problems.append('not the same commands')
            continue
        for one, two in zip(mine, other):
            if one.answer == two.answer:
                continue
            row = next((row for row in table if row.explains(one, two)), None)
            if row is None:
                problems.append('%s\n--- qemu-ga\n%s\n+++ ours\n%s'
                                % (one.command, two.answer, one.answer))
            else:
                result.used.append(row)
        problems += ['no longer so, the table has to go without it: ' + row.why
                     for row in table if row.is_always_there and re.search(row.step, step)
                     and row not in result.used]
    return result
