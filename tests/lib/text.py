# SPDX-License-Identifier: GPL-2.0-or-later
"""Showing where two byte strings part."""
from typing import Optional

BEFORE, AFTER = 30, 160


def difference(expected: bytes, got: bytes) -> Optional[str]:
    """None if they are equal, else one line that shows the place."""
    if expected == got:
        return None
    common = min(len(expected), len(got))
    at = next((i for i in range(0, common, 4096) if expected[i:i + 4096] != got[i:i + 4096]),
              common)
    at = next((i for i in range(at, common) if expected[i] != got[i]), common)
    start = max(0, at - BEFORE)

    def excerpt(data: bytes) -> str:
        return repr(data[start:at + AFTER])
    return f'at byte {at} expected {excerpt(expected)} got {excerpt(got)}'
