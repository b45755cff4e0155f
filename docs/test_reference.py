"""The page of keys says all that assets/reference.toml says."""

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "_ext"))

from reference_file import Entry, Form, paragraphs, parse  # noqa: E402

TEXT = (DOCS.parent / "assets" / "reference.toml").read_text()


def written():
    """Return all words of the parsed file, whatever their order."""
    words = []
    for table in parse(TEXT):
        words += [f"[{table.name}]"]
        for text in [table.intro, *([part for part in item.parts if isinstance(part, str)] for item in table.items)]:
            for part in paragraphs(text):
                words += part.split() if isinstance(part, str) else [*part.words.split(), *" ".join(part.lines).split()]
        for item in table.items:
            for part in item.parts:
                if isinstance(part, Form):
                    words += part.toml().split()
    return words


def test_no_line_is_lost():
    """Every line of the file is among the words, in which forms have their keys from the top of the file."""
    words = " ".join(written())
    for line in TEXT.splitlines():
        said = line.removeprefix("#").strip().removeprefix("or: ").removeprefix("and: ")
        if said and not said.startswith("["):
            # The colon of an entry is not a word of it, and a form is longer at its beginning.
            for piece in said.split(": ", 1) if line.startswith("#   ") else [said]:
                assert " ".join(piece.rstrip(":").split()) in words, line


def test_every_table_and_key_is_a_heading():
    """Tables and keys that are counted by hand are there once each."""
    tables = parse(TEXT)
    assert [table.name for table in tables[:4]] == ["", "tokens", "layer-norm", "attention"]
    keys = [key for table in tables for item in table.items for key in item.keys]
    assert len(keys) == len(set(keys))
    assert {
        "name",
        "tokens.count",
        "attention.beta",
        "time.stop",
        "observe.log",
        "reference.kind",
        "result.slope",
    } <= set(keys)
    assert all(item.keys for table in tables for item in table.items)


def test_every_observable_of_the_list_has_an_entry():
    """The program refuses a word with the list of all words; each of them is on the page."""
    import tokenfield

    try:
        tokenfield.observe([[1.0, 0.0], [0.0, 1.0]], "nothing")
        raise AssertionError("an unknown word passed")
    except tokenfield.ExperimentError as error:
        message = str(error)
    item = next(item for table in parse(TEXT) for item in table.items if "observe.quantities" in item.keys)
    entries = [
        part for part in paragraphs([part for part in item.parts if isinstance(part, str)]) if isinstance(part, Entry)
    ]
    words = {word.strip('"') for entry in entries for word in entry.words.split(", ")}
    assert len(words) > 30
    listed = {word.strip(" ,.`'\"") for word in message.replace(",", " ").split()}
    assert "moments" in listed and {word for word in listed if word in words} == words, (message, words - listed)
