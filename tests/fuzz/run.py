"""``make fuzz``: each target for some seconds under Atheris, each in a process of its own; findings stay in var/fuzz.

Usage: python -m tests.fuzz.run [--seconds N] [NAME …]
"""

import argparse
import subprocess
import sys
from pathlib import Path

MEMORY_MB_MAX = 2048
ANSWER_WITHIN_S = 5  # for one input of at most LENGTH_MAX bytes
LENGTH_MAX = 65_536
FOLDER = Path("var/fuzz")
PACKAGES = ("api", "drivers", "historian")


def main() -> int:
    """The number of targets with a finding."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args()
    if asked.child:
        _fuzz(asked.names[0], asked.seconds)
        return 0
    from tests.fuzz import targets

    with targets.all_targets() as known:
        names = asked.names or sorted(known)
        seeds = {name: known[name].seeds for name in names}
    found = [name for name in names if not _fuzz_in_child(name, seeds[name], asked.seconds)]
    print(f"fuzz: {len(names)} targets, findings in: {', '.join(found) or 'none'}")
    return len(found)


def _fuzz_in_child(name: str, seeds: tuple[bytes, ...], seconds: int) -> bool:
    corpus = FOLDER / name / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (corpus / f"seed{number}").write_bytes(seed)
    print(f"fuzz: {name} for {seconds} s", flush=True)
    command = [sys.executable, "-m", "tests.fuzz.run", "--child", "--seconds", str(seconds), name]
    with (FOLDER / name / "log").open("wb") as log:
        return subprocess.run(command, stdout=log, stderr=log, check=False).returncode == 0


def _fuzz(name: str, seconds: int) -> None:
    import atheris

    with atheris.instrument_imports(include=list(PACKAGES), exclude=_kernel_modules()):
        from tests.fuzz import targets

    with targets.all_targets() as known:
        target = known[name]
        folder = FOLDER / name
        options = [
            f"-max_total_time={seconds}", f"-rss_limit_mb={MEMORY_MB_MAX}", f"-timeout={ANSWER_WITHIN_S}",
            f"-max_len={LENGTH_MAX}", f"-artifact_prefix={folder}/", str(folder / "corpus"),
        ]  # fmt: skip
        atheris.Setup([sys.argv[0], *options], lambda text: targets.run(target, text))
        atheris.Fuzz()


def _kernel_modules() -> list[str]:
    """numba compiles byte code and would not know what Atheris puts between."""
    paths = [path for package in PACKAGES for path in Path(package).rglob("*kernels.py")]
    return [".".join(path.with_suffix("").parts) for path in paths]


if __name__ == "__main__":
    sys.exit(main())
