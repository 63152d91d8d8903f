#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Play the recorded exchanges and the transcripts to an agent and compare every byte."""
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Callable, Dict, List, Optional, Tuple

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import recorded
import transcript
from lib import suite

LATER = HERE / 'later.txt'
Case = Tuple[str, Callable[[], Optional[str]]]


def names_in(path: Path) -> Dict[str, str]:
    """`name reason` lines; `#` starts a comment."""
    lines = [line.partition(' ') for line in path.read_text(encoding='utf-8').splitlines()
             if line and not line.startswith('#')]
    return {name: reason.strip() for name, _, reason in lines}


def has_extensions(program: List[str]) -> bool:
    listing = subprocess.run([*program, '--block-rpcs=help'], stdin=subprocess.DEVNULL,
                             capture_output=True, check=False)
    return b'novacron-' in listing.stdout


def cases(program: List[str], label: str, match: str) -> Tuple[List[Case], List[str]]:
    """What to play, and one remark for everything that cannot be played."""
    found: List[Case] = []
    remarks: List[str] = []
    is_extended = has_extensions(program)
    for exchange in recorded.load(HERE / 'recorded'):
        if match not in exchange['name']:
            continue
        if is_extended and recorded.lists_commands(exchange):
            remarks.append(f"{exchange['name']}: not played, this agent has more commands to list")
        else:
            found.append((exchange['name'], partial(recorded.play, exchange, program)))
    for path in sorted(HERE.glob('*.txt')):
        if path == LATER or match not in path.stem:
            continue
        text = transcript.Transcript(path)
        reason = transcript.obstacle(text, label)
        if path.stem.startswith('novacron-') and not is_extended:
            reason = 'built without extensions'
        if reason:
            remarks.append(f'{path.stem}: not played, {reason}')
        else:
            found.append((path.stem, partial(transcript.play, text, program)))
    return found, remarks


def attempt(play: Callable[[], Optional[str]]) -> Optional[str]:
    try:
        return play()
    except Exception as error:          # one broken case must not end the others
        return f'{type(error).__name__}: {error}'


def verdict(name: str, problem: Optional[str], later: Dict[str, str]) -> Optional[str]:
    if name not in later:
        return problem
    return None if problem else 'passes: take it out of later.txt'


def main() -> int:
    options = suite.parser(__doc__)
    options.add_argument('--jobs', type=int, default=2, help='agents at a time')
    options.add_argument('--match', default='', help='only cases whose name contains this')
    chosen = options.parse_args()
    program = suite.program(chosen.agent)
    label = chosen.agent.partition(':')[2] if chosen.agent.startswith('oracle:') else 'ours'
    later = names_in(LATER) if label == 'ours' else {}

    found, remarks = cases(program, label, chosen.match)
    report = suite.Suite()
    with ThreadPoolExecutor(chosen.jobs) as pool:
        for (name, _), problem in zip(found, pool.map(lambda case: attempt(case[1]), found)):
            report.judge(name, verdict(name, problem, later))
    for name in sorted(later.keys() - {name for name, _ in found}):
        if chosen.match in name:
            report.judge(name, 'in later.txt, but there is no such case')
    for remark in remarks:
        print(remark)
    if later:
        print(f'{len(later)} in later.txt')
    return report.finish()


if __name__ == '__main__':
    sys.exit(main())
