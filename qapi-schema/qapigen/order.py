# SPDX-License-Identifier: GPL-2.0-or-later
"""
Wire order of members

Clients see members in the order of a hash table that QEMU once used. The order
depends on names alone, so it is computed here and stored in the descriptors.
"""

from typing import List, Sequence

BUCKETS = 512


def bucket(name: str) -> int:
    key = name.encode()
    value = 0x238F13AF * len(key) + sum(byte << 5 * i % 24 for i, byte in enumerate(key))
    value &= 0xFFFFFFFF
    return (1103515243 * value + 12345) % BUCKETS


def wire_order(names: Sequence[str]) -> List[int]:
    """Indices into `names` in the order of the wire; the latest comes first within a bucket."""
    return sorted(range(len(names)), key=lambda i: (bucket(names[i]), -i))
