"""Looks with pgspot for what an attacker could use in the script that CREATE EXTENSION runs, and in upgrade scripts.

Postgres runs them, usually as a superuser, with a search_path of pg_catalog (first, since nothing names it), the
extension's schema and pg_temp (last). So a name that pg_catalog has is safe, and so is one that the script itself creates
without IF NOT EXISTS or OR REPLACE. An operator or function of pg_catalog is safe only when it takes exactly these types:
somebody who may create objects in that schema could have put one there that fits better. pgspot knows no types; those
that somebody has looked at are in pgspot-accepted.txt.
"""

import re
import sys
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

from pgspot.codes import codes
from pgspot.state import Counter, State
from pgspot.visitors import visit_sql

ROOT = Path(__file__).resolve().parents[2]
ACCEPTED = Path(__file__).with_name("pgspot-accepted.txt")

UNPINNED_FUNCTION = "PS005"
UNQUALIFIED_OBJECT = "PS017"
CATALOG_TYPES = {"bytea", "char", "date", "jsonb", "name", "oid", "regclass", "regprocedure", "regrole", "text", "uuid"}
OF_FUNCTIONS = {"PS002", "PS003", "PS004", UNPINNED_FUNCTION}


@dataclass(frozen=True)
class Finding:
    file: Path
    line: int
    """Where its statement begins."""
    code: str
    subject: str

    def __str__(self) -> str:
        return f"{self.code} {self.subject}"


class Findings(Counter):
    """Keeps what pgspot would print."""

    def __init__(self) -> None:
        super().__init__(
            Namespace(ignore=[], ignore_lang=[], plpgsql=True, proc_without_search_path=[], sql_fn=[], summary_only=False)
        )
        self.file = Path()
        self.all: list[Finding] = []

    def print_issue(self, code: str, context: str) -> None:
        if code in OF_FUNCTIONS:
            context = context.partition("(")[0]
        self.all.append(Finding(self.file, self.statement_line(), code, context))

    def unknown(self, message: str) -> None:
        self.all.append(Finding(self.file, self.statement_line(), "unknown", message))

    def statement_line(self) -> int:
        """pgspot counts comments before a statement as a part of it."""
        lines = self.sql.splitlines()
        line = self.line_number()
        while line < len(lines) and (not lines[line - 1].strip() or lines[line - 1].startswith("--")):
            line += 1
        return line


def install_script() -> list[Path]:
    """The files that it is made of, in the order in which src/lib.rs names them."""
    names = re.findall(r'extension_sql_file!\(\s*"\.\./(sql/schema/\w+\.sql)"', (ROOT / "src/lib.rs").read_text("utf-8"))
    files = [ROOT / name for name in names]
    if sorted(files) != sorted((ROOT / "sql/schema").glob("*.sql")):
        sys.exit("error: src/lib.rs does not name each file of sql/schema once")
    return files


def readable(sql: str) -> str:
    """pgspot knows function bodies as strings only, not `return (…);`."""
    return re.sub(r"^return \((.*?)^\);", r"as $body$ select (\1) $body$;", sql, flags=re.DOTALL | re.MULTILINE)


def created_by(script: list[Path]) -> set[str]:
    """Names of the tables, views and types that it makes."""
    return {
        name
        for file in script
        for name in re.findall(r"^create (?:table|view|type) (\w+)", file.read_text("utf-8"), flags=re.MULTILINE)
    }


def look_at(script: list[Path], own: set[str]) -> list[Finding]:
    """What pgspot finds in one script, less what is safe by the rules above; objects with these names are our own."""
    findings = Findings()
    state = State(findings)
    for file in script:
        sql = file.read_text("utf-8")
        findings.file = file.relative_to(ROOT)
        try:
            visit_sql(state, readable(sql), toplevel=True)
        except Exception as error:  # pylint: disable=broad-except # pgspot's own, of many kinds
            sys.exit(f"error: pgspot cannot read {findings.file}, line {findings.statement_line()}: {error!r}")
    # The body of a function without a path of its own does not run with that of the script.
    unpinned = {(found.file, found.line) for found in findings.all if found.code == UNPINNED_FUNCTION}

    def is_safe(found: Finding) -> bool:
        # Of a cast pgspot says "type in expression".
        name = found.subject.partition(" in ")[0]
        is_known = found.code == UNQUALIFIED_OBJECT and name in own | CATALOG_TYPES
        return is_known and (found.file, found.line) not in unpinned

    return [found for found in findings.all if not is_safe(found)]


def main() -> None:
    accepted = {line for line in ACCEPTED.read_text("utf-8").splitlines() if line and not line.startswith("#")}
    install = install_script()
    upgrades = [[file] for file in sorted((ROOT / "sql").glob("vector_backfill--*--*.sql"))]
    own = created_by(install).union(*map(created_by, upgrades))
    findings = [found for script in (install, *upgrades) for found in look_at(script, own)]
    faults = [
        f"{found.file}:{found.line}: {codes.get(found.code, {'title': found.code})['title']} ({found.code}): {found.subject}"
        for found in findings
        if str(found) not in accepted
    ]
    faults += [f"{ACCEPTED.relative_to(ROOT)}: occurs no more: {line}" for line in sorted(accepted - {*map(str, findings)})]
    print(*faults, sep="\n", end="\n" if faults else "", file=sys.stderr)
    if faults:
        sys.exit(f"error: pgspot found {len(faults)} faults (see {ACCEPTED.relative_to(ROOT)} for what to do about them)")


if __name__ == "__main__":
    main()
