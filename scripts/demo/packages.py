#!/usr/bin/env python3
"""Turns the Debian package records that this machine knows into rows for the demo's tables.

    packages.py FOLDER ROWS CACHE

writes `issues.tsv` and `projects.tsv` (PostgreSQL's COPY text form) into FOLDER. Every row is a real record: an issue is
a binary package, a project is a source package that builds several of them. Client 1 gets ROWS issues, programs for
people first; the others are shared out between clients 2, 3 and 4.

The records come from the first of these that holds enough of them:
1. the lists that `apt-get update` left here, when they include the long descriptions,
2. the same lists with the long descriptions, fetched by apt-get from this machine's own sources into CACHE,
3. the lists that are here, with short descriptions only,
4. the packages that are installed (/var/lib/dpkg/status), which every Debian machine has.
"""

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path

ENOUGH = 5_000
"""Fewer records than this, and the next place is asked."""

FOR_PEOPLE = [{"graphics", "sound", "video", "editors", "mail", "education", "news"}, {"text", "web", "science", "games"}]
"""Sections whose programs somebody would look for in plain words, the most likely ones first."""

OUTDATED = "oldlibs"
"""The section of packages that exist for upgrades only: inactive rows."""


@dataclass
class Package:
    name: str
    source: str
    summary: str
    description: str | None
    section: str
    priority: str
    tags: str
    created: float
    installed: bool = False
    client: int = 0


FIELD = re.compile(r"^([A-Za-z0-9-]+):[ \t]*(.*(?:\n[ \t].*)*)", re.MULTILINE)


def stanzas(text: str) -> Iterator[dict[str, str]]:
    """The records of a file in Debian's control form. A value keeps its line breaks."""
    for stanza in text.split("\n\n"):
        if stanza.strip():
            yield dict(FIELD.findall(stanza))


def long_text(description: str) -> str | None:
    """The text after the first line, with its paragraphs unwrapped; lines that are indented further stay lines."""
    text = ""
    for line in description.split("\n")[1:]:
        if line.strip() == ".":
            text += "\n\n"
        elif line.startswith("  ") or not text or text.endswith("\n"):
            text += ("\n" if line.startswith("  ") and text and not text.endswith("\n") else "") + line.strip()
        else:
            text += " " + line.strip()
    return text.strip() or None


def package(record: dict[str, str], date: float, description: str | None) -> Package:
    return Package(
        name=record["Package"],
        source=record.get("Source", record["Package"]).split(" ")[0],
        summary=(record.get("Description-en") or record.get("Description") or "").split("\n")[0].strip(),
        description=description,
        section=record.get("Section", "misc").split("/")[-1],
        priority=record.get("Priority", "optional"),
        tags=record.get("Tag", ""),
        created=date,
    )


def list_files(options: list[str]) -> dict[str, list[Path]]:
    """The files that apt has, by kind: Packages and Translations."""
    found = defaultdict(list)
    command = ["apt-get", *options, "indextargets", "--format", "$(CREATED_BY) $(FILENAME)"]
    try:
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return {}
    for line in lines:
        kind, path = line.split(" ", 1)
        found[kind].append(Path(path))
    return found


def read_list(path: Path) -> str:
    """The text of one of apt's files, however it is compressed."""
    command = ["/usr/lib/apt/apt-helper", "cat-file", str(path)]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode(errors="replace")


def published(path: Path) -> float:
    """When the archive published a list: the date of the release file that came with it."""
    for kind in ("_InRelease", "_Release"):
        for release in path.parent.glob(f"*{kind}"):
            if path.name.startswith(release.name.removesuffix(kind)):
                date = re.search(r"^Date: (.+)$", release.read_text(errors="replace")[:2000], re.MULTILINE)
                if date:
                    return parsedate_to_datetime(date[1]).timestamp()
    return path.stat().st_mtime


def from_lists(files: dict[str, list[Path]]) -> dict[str, Package]:
    long_texts = {}
    for path in files.get("Translations", []):
        for record in stanzas(read_list(path)):
            text = next((value for key, value in record.items() if key.startswith("Description-en")), "")
            long_texts[record["Description-md5"]] = long_text(text)
    packages: dict[str, Package] = {}
    for path in files.get("Packages", []):
        date = published(path)
        for record in stanzas(read_list(path)):
            name = record["Package"]
            if name not in packages:
                description = long_texts.get(record.get("Description-md5", "")) or long_text(record.get("Description", ""))
                packages[name] = package(record, date, description)
    return packages


def fetch_lists(cache: Path) -> dict[str, list[Path]]:
    """Lists with long descriptions in a folder of our own: neither root rights nor a change to the machine."""
    (cache / "partial").mkdir(parents=True, exist_ok=True)
    options = [
        *("-o", f"Dir::State::Lists={cache}", "-o", f"Dir::Cache={cache}/archives", "-o", "Acquire::Languages=en"),
        *("-o", "APT::Sandbox::User=" + ("root" if os.geteuid() == 0 else "")),
        *("-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::https::Timeout=20"),
    ]
    if not list_files(options).get("Translations"):
        subprocess.run(["apt-get", *options, "-qq", "update"], capture_output=True, check=False, timeout=120)
    return list_files(options)


def from_status() -> dict[str, Package]:
    path = Path("/var/lib/dpkg/status")
    if not path.exists():
        return {}
    return {
        record["Package"]: package(record, path.stat().st_mtime, long_text(record.get("Description", "")))
        for record in stanzas(path.read_text(errors="replace"))
        if record.get("Status", "").endswith(" installed")
    }


def find_packages(cache: Path) -> dict[str, Package]:
    here = list_files([])
    if here.get("Translations"):
        packages = from_lists(here)
        if len(packages) >= ENOUGH:
            return packages
    try:
        packages = from_lists(fetch_lists(cache))
    except (OSError, subprocess.SubprocessError):
        packages = {}
    for place in (lambda: from_lists(here), from_status):
        if len(packages) < ENOUGH:
            packages = max(packages, place(), key=len)
    return packages


def mark_installed(packages: dict[str, Package]) -> None:
    """An installed package was created when it was installed; for the others it is when its list was published."""
    for path in Path("/var/lib/dpkg/info").glob("*.list"):
        found = packages.get(path.stem.split(":")[0])
        if found:
            found.installed = True
            found.created = path.stat().st_mtime


def assign_clients(packages: list[Package], rows: int) -> None:
    """The same records give the same clients, whatever order they are read in."""

    def rank(entry: Package) -> tuple[int, str]:
        program = "role::program" in entry.tags
        place = next((place for place, sections in enumerate(FOR_PEOPLE) if program and entry.section in sections), 9)
        return place, hashlib.md5(entry.name.encode(), usedforsecurity=False).hexdigest()

    for position, entry in enumerate(sorted(packages, key=rank)):
        entry.client = 1 if position < rows else 2 + position % 3


def projects(packages: list[Package]) -> list[tuple[int, Package]]:
    """One row for each source package with two or more issues of the same client: its client and its main package."""
    built = defaultdict(list)
    for entry in packages:
        built[entry.source].append(entry)
    found = []
    for source, entries in sorted(built.items()):
        client, count = Counter(entry.client for entry in entries).most_common(1)[0]
        if count >= 2:
            main = next((entry for entry in entries if entry.name == source), min(entries, key=lambda e: len(e.name)))
            found.append((client, main))
    return found


def copy_line(*values: object) -> str:
    def text(value: object) -> str:
        if value is None:
            return "\\N"
        return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")

    return "\t".join(text(value) for value in values) + "\n"


def columns(client: int, title: str, entry: Package) -> tuple[object, ...]:
    return (
        client,
        title,
        entry.summary or None,
        entry.description,
        entry.section,
        entry.priority,
        "installed" if entry.installed else "available",
        "f" if entry.section == OUTDATED else "t",
        datetime.fromtimestamp(entry.created, timezone.utc).isoformat(),
    )


def main() -> None:
    folder, rows, cache = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    found = find_packages(cache)
    if not found:
        sys.exit("error: no Debian package records found on this machine (is this Debian?)")
    mark_installed(found)
    packages = sorted(found.values(), key=lambda entry: entry.name)
    assign_clients(packages, rows)
    with (folder / "issues.tsv").open("w") as out:
        for number, entry in enumerate(packages, start=1):
            out.write(copy_line(number, *columns(entry.client, entry.name, entry)))
    with (folder / "projects.tsv").open("w") as out:
        for number, (client, entry) in enumerate(projects(packages), start=1):
            out.write(copy_line(number, *columns(client, entry.source, entry)))


if __name__ == "__main__":
    main()
