"""Writes docs/licenses.md: the licences of the crates whose code is in what users install, the library and the live page.

With --check it writes nothing, and fails when the file is not what it would write. Versions are left out, so that only a
crate that comes, goes or changes its licence changes the file; Cargo.lock has them.
"""

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs/licenses.md"
PLATFORMS = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"]

HEAD = """# Licences of dependencies

`vector_backfill` itself has the [PostgreSQL License](../LICENSE). The library that `make install` puts into PostgreSQL, and
the program `vb-dashboard`, also have code of the crates below, under these licences; where one says OR, choose. Their texts are in the sources of each crate. Written
by `make licenses`.

Installed beside the library: ONNX Runtime (MIT) and the model all-MiniLM-L6-v2 with its tokenizer (Apache-2.0). The live page draws its
charts with uPlot (MIT; its licence is beside it in `crates/dashboard/assets/vendor/`).
"""


def fail(message: str) -> None:
    sys.exit(f"error: {message}")


def crates() -> list[tuple[str, str]]:
    """Name and licence of each crate that is compiled into one of them: no build, development or macro dependencies."""
    targets = [argument for platform in PLATFORMS for argument in ("--target", platform)]
    command = [
        *("cargo", "tree", "--locked", "--quiet", "--package", "vector_backfill", "--package", "vb-dashboard"),
        *("--edges", "normal,no-proc-macro"),
        *(*targets, "--prefix", "none", "--no-dedupe", "--format", "{p}|{l}"),
    ]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        fail(f"cargo tree failed:\n{result.stderr}")
    found = set()
    for line in result.stdout.splitlines():
        package, _, licence = line.partition("|")
        if not package or f"({os.sep}" in package:  # between two, or one of this workspace, named with its folder
            continue
        name = package.split()[0]
        if not licence:
            fail(f"{name} names no licence")
        found.add((name, licence))
    return sorted(found)


def normal(licence: str) -> str:
    """One way of writing for `MIT/Apache-2.0`, `Apache-2.0 OR MIT` and the like."""
    licence = " ".join(licence.replace("/", " OR ").split())
    return licence if "AND" in licence else " OR ".join(sorted(licence.split(" OR ")))


def text() -> str:
    by_licence = defaultdict(set)
    for name, licence in crates():
        by_licence[normal(licence)].add(name)
    parts = [HEAD]
    for licence, names in sorted(by_licence.items(), key=lambda entry: (-len(entry[1]), entry[0])):
        parts.append(f"\n## {licence}\n\n{', '.join(sorted(names))}\n")
    return "".join(parts)


def main() -> None:
    wanted = text()
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(wanted, "utf-8")
    elif not TARGET.exists() or TARGET.read_text("utf-8") != wanted:
        fail(f"{TARGET.relative_to(ROOT)} is not up to date: run make licenses")


if __name__ == "__main__":
    main()
