"""Every snippet of README.md and of the pages of this site is run, read or held against the program.

Python blocks of a page run in their order, in one namespace and a temporary folder that has assets/. TOML blocks
are experiments or sweep files, or parts of an experiment, which are put into a small one. Commands, in blocks and
in the text, are held against the program that the variable TOKENFIELD names, without running them. What can be
none of this is excused by name below.
"""

import os
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import tokenfield as tf

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\S+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^|\n)\n((?:    \S.*\n)+)")
INLINE = re.compile(r"`(tokenfield [a-z][^`]*)`")

# A part of an experiment is read as a part of this one.
SMALL = {
    "tokens": {"count": 8, "dim": 3, "initial": {"law": "uniform"}},
    "attention": {"beta": 1.0, "normalization": "softmax"},
    "time": {"scheme": "heun", "step": 0.1, "end": 4.0},
    "observe": {"every": 0.5, "quantities": ["moments", "energy", "w2_dirac", "overlap"]},
}

# Blocks that nothing here can run: how they begin, and who runs them.
EXCUSED = {
    "use tokenfield::prelude::*;\n\nlet problem": "a part of a function; examples/ has whole ones",
}

# Commands of other programs, by how they begin.
OTHERS = ("./test", "apt install", "cargo install", "cargo build", "python benches/", "web/build", "web/serve")


def blocks(language):
    """Return page, number and text of all blocks of a language."""
    found = []
    for page in PAGES:
        matches = [match for match in FENCE.finditer(page.read_text()) if match[1] == language]
        found += [pytest.param(page, match[2], id=f"{page.stem}-{k}") for k, match in enumerate(matches, 1)]
    return found


def commands():
    """Return page and line of all commands, of blocks, of indented blocks and of the text."""
    found = []
    for page in PAGES:
        text = page.read_text()
        outside = FENCE.sub("", text)
        lines = [line for match in FENCE.finditer(text) if match[1] == "sh" for line in match[2].splitlines()]
        for block in INDENTED.findall(outside):
            joined = block.replace("\\\n", "")
            typed = [line.strip() for line in joined.splitlines()]
            lines += [line for line in typed if line.startswith(("tokenfield ", "cargo", "./"))]
        lines += [" ".join(command.split()) for command in INLINE.findall(outside)]
        found += [pytest.param(line, id=f"{page.stem}: {line}") for line in dict.fromkeys(lines) if line]
    return found


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in a temporary folder in which assets, experiments and sweeps are where the repository has them."""
    (tmp_path / "assets").symlink_to(ROOT / "assets")
    (tmp_path / "experiments").symlink_to(ROOT / "assets" / "experiments")
    (tmp_path / "sweeps").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_block_is_of_a_language_that_is_tested():
    """A fence of another language would be passed over by all tests; directives are Sphinx's."""
    for page in PAGES:
        text = page.read_text()
        assert text.count("\n```") == 2 * len(FENCE.findall(text)), f"{page}: a fence without a language"
        for language, block in FENCE.findall(text):
            excused = any(block.startswith(start) for start in EXCUSED)
            assert language in ("python", "toml", "sh") or language.startswith("{") or excused, f"{page}:\n{block}"
    every = "".join(page.read_text() for page in PAGES)
    assert all(start in every for start in EXCUSED), "an excuse for a block that is gone"


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "```python" in page.read_text()], ids=lambda page: page.stem
)
def test_python_blocks_run(page, folder):
    """All blocks of a page run one after the other."""
    namespace = {"__name__": "__main__"}
    for language, block in FENCE.findall(page.read_text()):
        if language == "python":
            exec(compile(block, str(page), "exec"), namespace)


@pytest.mark.parametrize(("page", "block"), blocks("toml"))
def test_toml_blocks_are_read(page, block, folder):
    """Experiments and sweeps are accepted and start; the small experiment with a part of another runs."""
    typed = tomllib.loads(block)
    if "axes" in typed:
        (folder / "sweeps" / "block.toml").write_text(block)
        small = {"time.end": 0.0, "tokens.replicas": 2}
        sweep = tf.sweep(folder / "sweeps" / "block.toml", set=small, device="cpu", progress=False)
        assert all(key in sweep.cells for key in typed["axes"])
        return
    whole = {key: {**SMALL[key], **typed.get(key, {})} for key in SMALL}
    whole |= {key: value for key, value in typed.items() if key not in SMALL}
    given, changes = (typed, {"time.end": 0.0}) if set(SMALL) <= set(typed) else (whole, {})
    run = tf.simulate(given, set=changes, device="cpu", progress=False)
    assert set(run.results) == {result["name"] for result in typed.get("result", [])}


@pytest.mark.parametrize("line", commands())
def test_commands_are_known_to_the_program(line):
    """The program takes all options and values of a line; a last word --help keeps it from running.

    Files of assets/ have to be there.
    """
    if line.startswith(OTHERS):
        words = shlex.split(line, comments=True)
        assert words[0] in ("apt", "cargo") or (ROOT / (words[1] if words[0] == "python" else words[0])).exists(), line
        return
    if line.startswith("cargo run "):
        line = f"tokenfield {line.partition(' -- ')[2] or '--version'}"
    line = line.removeprefix("mpirun -n 4 target/release/")
    assert line.startswith("tokenfield "), f"not a command that is known here; run it, or name it in OTHERS: {line}"
    program = os.environ.get("TOKENFIELD")
    assert program, "set TOKENFIELD to the path of the program that commands are held against"
    words = shlex.split(line, comments=True)[1:]
    done = subprocess.run([program, *words, "--help"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    for word in words:
        assert not word.startswith("assets/") or (ROOT / word).exists(), f"{word} is not in the repository"


def test_python_page_has_every_name():
    """The page of the package documents each public name."""
    page = (ROOT / "docs" / "python.md").read_text()
    missing = [name for name in tf.__all__ if name != "__version__" and not re.search(rf"(:: |\.){name}\b", page)]
    assert not missing
