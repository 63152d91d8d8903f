# SPDX-License-Identifier: GPL-2.0-or-later
"""
Documentation is complete, and documents what there is

The manual is made of it, and a command without manual is not finished.
"""

from typing import Callable, Iterator, List, Set

from .grammar import feature_names, kind_of, name_of
from .parse import Doc, Expression
from .vocabulary import feature_rule

# Takes a message and where it belongs, if that is not the definition.
Report = Callable[..., None]


def check_doc(expression: Expression, is_required: bool, report: Report) -> None:
    doc = expression.doc
    if doc is None:
        if is_required:
            report('documentation is missing')
        return
    if doc.symbol != name_of(expression):
        report(f"the documentation before it is of '{doc.symbol}'", doc.position)
        return
    if not doc.body:
        report('the documentation does not say what it is', doc.position)
    check_members(doc, list(documented_names(expression)), report)
    check_features(doc, set(all_features(expression)), report)
    check_tags(doc, expression, report)


def documented_names(expression: Expression) -> Iterator[str]:
    """Members, values and alternatives; the branches of a union have a documentation elsewhere."""
    parts = expression.keys.get('base' if kind_of(expression) == 'union' else 'data')
    if isinstance(parts, dict):
        yield from (name.lstrip('*') for name in parts)
    elif isinstance(parts, list):
        yield from (str(part.get('name')) if isinstance(part, dict) else str(part)
                    for part in parts)


def check_members(doc: Doc, wanted: List[str], report: Report) -> None:
    for name in wanted:
        if name not in doc.members:
            report(f"documentation of '@{name}:' is missing", doc.position)
    for name, section in doc.members.items():
        if name not in wanted:
            report(f"'@{name}:' is documented but does not exist", section.position)


def all_features(expression: Expression) -> Iterator[str]:
    """Of the definition and of everything in it."""
    keys = expression.keys
    yield from feature_names(keys.get('features'))
    for parts in (keys.get('data'), keys.get('base')):
        values = list(parts.values()) if isinstance(parts, dict) else parts
        for value in values if isinstance(values, list) else []:
            if isinstance(value, dict):
                yield from feature_names(value.get('features'))


def check_features(doc: Doc, found: Set[str], report: Report) -> None:
    for name in sorted(found):
        rule = feature_rule(name)
        if rule and rule.needs_doc and name not in doc.features:
            report(f"documentation of feature '@{name}:' is missing", doc.position)
    for name, section in doc.features.items():
        if name not in found:
            report(f"feature '@{name}:' is documented but does not exist", section.position)


def check_tags(doc: Doc, expression: Expression, report: Report) -> None:
    is_returning = 'returns' in expression.keys
    if is_returning and 'Returns' not in doc.tagged:
        report("documentation of 'Returns:' is missing", doc.position)
    if 'Returns' in doc.tagged and not is_returning:
        report("'Returns:' is documented, but nothing is returned",
               doc.tagged['Returns'].position)
    if 'Errors' in doc.tagged and kind_of(expression) != 'command':
        report("'Errors:' is for commands", doc.tagged['Errors'].position)
    if 'Since' not in doc.tagged:
        report("documentation of 'Since:' is missing", doc.position)
