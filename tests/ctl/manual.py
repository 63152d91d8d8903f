# SPDX-License-Identifier: GPL-2.0-or-later
"""The help, the man page and the completion tell of the same."""
import re
import shutil
import subprocess
from pathlib import Path
from typing import Callable, Dict, List, Set

from bench import Bench, Problem, expect, first
from lib import suite

PAGE = suite.ROOT / 'contrib' / 'novacronctl' / 'novacronctl.1'
COMPLETION = suite.ROOT / 'contrib' / 'completion' / 'novacronctl'
HELPERS = Path('/usr/share/bash-completion/bash_completion')
OPTION = re.compile(r'^ +(?:-\w, )?(--[a-z-]+)(=?)', re.MULTILINE)

COMPLETE = r"""
source "$1"; source "$2"
COMP_WORDS=("${@:3}"); COMP_CWORD=$(($# - 3)); COMP_LINE="${*:3}"; COMP_POINT=${#COMP_LINE}
compopt() { :; }
_novacronctl "$3"
printf '%s\n' "${COMPREPLY[@]}"
"""


def subcommands(bench: Bench) -> List[str]:
    text = bench.run('--help').stdout.decode().split('Subcommands', 1)[1].split('\n\n')[0]
    return re.findall(r'^  ([a-z]+) ', text, re.MULTILINE)


def options(bench: Bench, *words: str) -> Dict[str, bool]:
    """Those of a subcommand, and whether each takes a word."""
    text = bench.run(*words, '--help').stdout.decode()
    return {name: bool(equals) for name, equals in OPTION.findall(text)}


def complete(bench: Bench, *words: str) -> Set[str]:
    done = subprocess.run(['bash', '-c', COMPLETE, 'bash', HELPERS, COMPLETION, bench.client,
                           *words], stdout=subprocess.PIPE, check=False, text=True)
    return set(done.stdout.split())


def the_man_page_has_it_all(bench: Bench) -> Problem:
    page = PAGE.read_text().replace('\\-', '-').replace('\\fB', '')
    heads = ' '.join(part.split('\n', 1)[0] for part in page.split('.TP\n')[1:])
    words = subcommands(bench)
    wanted = {*words, *(name for word in words for name in options(bench, word))}
    return first(*(expect(re.search(rf'(?<![\w-]){name}(?![\w-])', heads) is not None,
                          f'{name} is not in the man page') for name in sorted(wanted)))


def the_completion_knows_what_the_help_tells(bench: Bench) -> Problem:
    if not (HELPERS.exists() and shutil.which('bash')):
        return None
    names = complete(bench, '')
    missing = set(subcommands(bench)) ^ names
    problem = expect(not missing, f'subcommands: {missing}')
    for word in subcommands(bench):
        known = options(bench, word)
        got = {name.rstrip('=') for name in complete(bench, word, '--')}
        problem = problem or expect(got == set(known), f'{word}: {got ^ set(known)}')
        for name in (name for name, takes_word in known.items() if takes_word):
            # The words behind it are its own: no subcommand's.
            offered = complete(bench, word, name, '--')
            problem = problem or expect(not offered & set(known), f'{word} {name}: {offered}')
    return problem


TESTS: List[Callable[[Bench], Problem]] = [
    the_man_page_has_it_all, the_completion_knows_what_the_help_tells,
]
