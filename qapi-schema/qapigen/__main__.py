# SPDX-License-Identifier: GPL-2.0-or-later
"""
Arguments in, files out: the only part of the generator that does I/O

Without mistakes it writes every file anew; with any, it prints them all and
writes nothing.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Dict, List, Set, Tuple

if not __package__:  # run as `python3 qapigen`
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    __package__ = 'qapigen'

from qapigen import emit_client, emit_commands, emit_doc, emit_types
from qapigen.check import check_schemas
from qapigen.model import Model, build, command_names, everywhere, where
from qapigen.parse import Problem, Schema, parse_schema


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='qapigen', description='Compile QAPI schemas.')
    parser.add_argument('schemas', nargs='+', metavar='SCHEMA',
                        help='schemas to be merged into one table, the compatible one first')
    parser.add_argument('--out', type=Path, metavar='DIR', help='write the generated files there')
    parser.add_argument('--client', action='store_true',
                        help='the client binding instead of the server, for all conditions')
    parser.add_argument('--define', action='append', default=[], metavar='NAME',
                        help="a condition of 'if' that is met")
    parser.add_argument('--absent', default='', metavar='NAME,...',
                        help='commands that this build has no handlers for')
    parser.add_argument('--list', action='store_true',
                        help='print the commands of this build as JSON')
    parser.add_argument('--depfile', type=Path, metavar='FILE',
                        help='write the schemas read as a make rule for the first output')
    return parser.parse_args()


def load(paths: List[str]) -> Tuple[List[Schema], List[Problem], List[str]]:
    """The schemas, what is wrong with them, and the names of all files read."""
    files: Dict[str, None] = {}

    def read(path: str) -> str:
        files[path] = None
        return Path(path).read_text(encoding='utf-8')

    schemas = []
    problems = []
    for path in paths:
        schema, found = parse_schema(path, read)
        schemas.append(schema)
        problems += found
    problems += check_schemas(schemas)
    return schemas, problems, list(files)


def server_files(model: Model, manual: Model) -> Dict[str, str]:
    files: Dict[str, str] = type_files(model)
    for schema in model.schemas:
        files[f'{schema.name}-commands.h'] = emit_commands.prototypes(
            model, schema.name, schema.source)
    files['commands.h'] = emit_commands.table_header(model)
    files['commands.c'] = emit_commands.table(model)
    files['reference.md'] = emit_doc.markdown(manual)
    files['qemu-ga-ref.7'] = emit_doc.manual(manual)
    return files


def client_files(model: Model) -> Dict[str, str]:
    model.folder = 'client'
    return {**type_files(model), 'client.h': emit_client.header(model),
            'client.c': emit_client.source(model)}


def type_files(model: Model) -> Dict[str, str]:
    files: Dict[str, str] = {}
    for schema in model.schemas:
        files[f'{schema.name}.h'] = emit_types.header(model, schema.name, schema.source)
        files[f'{schema.name}.c'] = emit_types.source(model, schema.name, schema.source)
    return files


def command_list(model: Model) -> List[Dict[str, Any]]:
    return [{
        'name': command.name,
        'schema': command.schema,
        'arguments': command.arguments and [
            {'name': member.name, 'type': str(member.type), 'optional': member.is_optional}
            for member in getattr(model.types[command.arguments], 'members')],
        'returns': command.returns and str(command.returns),
        'success-response': not command.is_silent,
        'coroutine': command.is_coroutine,
        'features': command.features,
    } for command in model.commands]


def absent_commands(schemas: List[Schema], listed: str) -> Set[str]:
    absent = {name for name in listed.split(',') if name}
    unknown = sorted(absent - command_names(schemas))
    if unknown:
        sys.exit(f"qapigen: --absent: there is no command '{unknown[0]}'")
    return absent


def write(out: Path, files: Dict[str, str]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (out / name).write_text(text, encoding='utf-8')


def report(problems: List[Problem]) -> int:
    for problem in sorted(problems, key=lambda problem: problem.position):
        print(problem, file=sys.stderr)
    return 1


def main() -> int:
    args = parse_arguments()
    schemas, problems, read = load(args.schemas)
    if problems:
        return report(problems)

    absent = absent_commands(schemas, args.absent)
    everything, problems = build(schemas, everywhere, absent)
    model = everything
    if not args.client and not problems:
        model, problems = build(schemas, where(args.define), absent)
    if problems:
        return report(problems)

    if args.list:
        print(json.dumps(command_list(model), indent=1))
    if args.out:
        files = client_files(model) if args.client else server_files(model, everything)
        write(args.out, files)
        if args.depfile:
            # Old ninja knows one target per rule, and it must be the first output.
            args.depfile.write_text(f"{args.out / next(iter(files))}: {' '.join(read)}\n",
                                    encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
