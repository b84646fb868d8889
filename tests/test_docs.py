"""What the documents promise: links that resolve, a tree that matches, decisions in their form, commands that exist."""

import re
import tomllib
from pathlib import Path

import pytest

import historian
from tests.source_tree import ROOT, our_files

DOCS = [path for path in our_files() if path.endswith(".md")]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
OUTSIDE = ("http:", "https:", "mailto:")


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def without_code(text: str) -> str:
    """The text with fenced blocks taken out."""
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The anchors that headings get."""
    headings = re.findall(r"^#+ +(.+?)\s*$", without_code(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCS)
def test_every_link_leads_somewhere(path: str) -> None:
    for match in LINK.finditer(without_code(read(path))):
        target, _, anchor = (match[1] or match[2]).partition("#")
        if target.startswith(OUTSIDE):
            continue
        place = (ROOT / path).parent / target if target else ROOT / path
        assert place.exists(), f"{path}: {target} is not there"
        if anchor and place.suffix == ".md":
            assert anchor in anchors(place.read_text()), f"{path}: {target} has no heading #{anchor}"


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or not page.is_file():
            continue
        reached.add(page)
        if page.suffix == ".md":
            links = (match[1] for match in LINK.finditer(page.read_text()) if match[1])
            waiting += [(page.parent / link.partition("#")[0]).resolve() for link in links if ":" not in link]
    orphans = [path for path in DOCS if path.startswith("docs/") and ROOT / path not in reached]
    assert not orphans


# ── Architecture, decisions, changelog ───────────────────────────────────────────────────────────────────────


def tree_entries(text: str) -> set[str]:
    """Folders and files that the tree in a document draws, as paths."""
    block = re.search(r"^```tree\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert block, "the document has a ```tree block"
    entries: set[str] = set()
    stack: list[tuple[int, str]] = []
    for line in block[1].splitlines():
        match = re.match(r"( *)([\w./-]+)", line)
        if not match:
            continue
        indent, name = len(match[1]), match[2]
        while stack and stack[-1][0] >= indent:
            stack.pop()
        path = (stack[-1][1] if stack else "") + name
        entries.add(path.rstrip("/"))
        if name.endswith("/"):
            stack.append((indent, path))
    return entries


def test_the_tree_in_the_architecture_matches_the_folders() -> None:
    drawn = tree_entries(read("docs/architecture.md"))
    missing = [entry for entry in drawn if not (ROOT / entry).exists()]
    assert not missing, f"drawn but not there: {missing}"
    folders = {path.rpartition("/")[0] for path in our_files() if "/" in path}
    packages = {
        folder
        for folder in folders
        if folder.split("/")[0] in {"historian", "drivers", "api", "docs", "config", "bench"}
    }
    undrawn = {
        folder
        for folder in packages | {path for path in folders if path.count("/") == 0}
        if folder not in drawn
    }
    assert not {folder for folder in undrawn if not folder.startswith(".")}, "there but not drawn"


@pytest.mark.parametrize("path", [path for path in DOCS if re.match(r"docs/adr/\d", path)])
def test_every_decision_has_its_parts_on_one_page(path: str) -> None:
    text = read(path)
    number = int(path.split("/")[-1][:4])
    assert text.startswith(f"# {number}. ")
    assert re.findall(r"^## (\w+)$", text, re.MULTILINE) == ["Context", "Decision", "Numbers", "Consequences"]
    assert re.search(r"^Status: (accepted|superseded by)", text, re.MULTILINE)
    assert text.count("\n") <= 60


def test_every_runtime_dependency_has_its_decision() -> None:
    requirements = tomllib.loads(read("pyproject.toml"))["project"]["dependencies"]
    decisions = "".join(read(path).lower() for path in DOCS if path.startswith("docs/adr/"))
    names = [re.split(r"[<>=]", requirement)[0] for requirement in requirements]
    assert [name for name in names if f"`{name}`" not in decisions and f" {name}" not in decisions] == []


def test_the_changelog_keeps_its_form() -> None:
    text = read("CHANGELOG.md")
    sections = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d{2}-\d{2}))?$", text, re.MULTILINE)
    assert sections[0][0] in {"Unreleased", historian.__version__}
    allowed = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Performance"}
    assert set(re.findall(r"^### (\w+)", text, re.MULTILINE)) <= allowed


def test_every_make_target_a_document_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    named = {
        (path, target)
        for path in DOCS
        for target in re.findall(r"(?:`|^)make ([a-z]+)", read(path), re.MULTILINE)
    }
    assert {target for _, target in named} <= targets


def test_ci_calls_the_test_command_of_the_readme() -> None:
    assert "make test" in read("README.md")
    for target in ("test", "check"):
        assert re.search(rf"make .*\b{target}\b", read(".ci/run"))
