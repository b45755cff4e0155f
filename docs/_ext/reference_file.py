"""What assets/reference.toml says: its tables, the keys in them, their text and their forms.

The file documents itself by comments whose grammar is in its first lines: `# or:` for another form of a key,
`# and:` for what goes with it, `# [TABLE]` for a table that the file does without. A block without blank lines is about
one key or more.
"""

import re
import tomllib
from dataclasses import dataclass, field

HEADER = re.compile(r"(?:# )?\[\[?([a-z.-]+)\]?\]")
ASSIGNMENT = re.compile(r"[a-z][\w.-]* = ")


@dataclass
class Form:
    """One way to type a key, with dotted keys from the top of the file, and what must go with it."""

    line: str
    others: list[str] = field(default_factory=list)

    def toml(self) -> str:
        """Return the lines of the form."""
        return "\n".join([self.line, *self.others])


@dataclass
class Item:
    """One key, or several that are explained together: lines of text and forms in their order."""

    table: str
    keys: list[str] = field(default_factory=list)
    parts: list[str | Form] = field(default_factory=list)


@dataclass
class Table:
    """A table of the file, "" for what stands above the first."""

    name: str
    intro: list[str] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)


def _names(table: str, line: str) -> tuple[list[str], str]:
    """Return the keys that an assignment in a table is about, and the assignment from the top of the file."""
    key, value = line.split(" = ", 1)
    prefix = {"attention.head": "attention.head.0", "result": ""}.get(table, table)
    if table and (key == table or key.startswith(f"{table}.")):
        below = key.removeprefix(table).lstrip(".")
        full = key
    elif table and ASSIGNMENT.match(line):
        below, full = key, f"{prefix}.{key}".lstrip(".")
    else:
        below, full = key, key
    if below:
        return [".".join(part for part in (table, below.split(".")[0]) if part)], f"{full} = {value}"
    parsed = tomllib.loads(f"x = {value}")["x"]
    names = dict.fromkeys(name for entry in (parsed if isinstance(parsed, list) else [parsed]) for name in entry)
    return [f"{table}.{name}" for name in names], line


def parse(text: str) -> list[Table]:
    """Return the tables of a reference file in their order."""
    tables = [Table("")]
    item: Item | None = None
    pending: list[str] = []

    def flush() -> None:
        nonlocal pending
        (item.parts if item else tables[-1].intro).extend(pending)
        pending = []

    def form(line: str, must_start: bool) -> None:
        nonlocal item, pending
        names, full = _names(tables[-1].name, line)
        known = {key for table in tables for other in table.items for key in other.keys}
        new = [name for name in names if name not in known]
        if item is None or (pending and new) or must_start:
            item = Item(tables[-1].name)
            tables[-1].items.append(item)
        item.keys.extend(new)
        item.parts.extend(pending)
        item.parts.append(Form(full))
        pending = []

    for line in text.splitlines():
        comment = line.removeprefix("#").removeprefix(" ") if line.startswith("#") else None
        header = HEADER.fullmatch(line)
        if header:
            above, pending = pending, []
            tables.append(Table(header[1], above))
            item = None
        elif not line:
            flush()
            item = None
        elif comment is None:
            form(line, bool(pending))
        elif comment.startswith("or: "):
            form(comment.removeprefix("or: "), False)
        elif comment.startswith("and: "):
            last = next(part for part in reversed(item.parts) if isinstance(part, Form)) if item else Form("")
            last.others.append(comment.removeprefix("and: "))
        else:
            pending.append(comment)
    flush()
    return [table for table in tables if table.intro or table.items]


@dataclass
class Entry:
    """A word of a list and what it means, or a displayed line (without a word)."""

    words: str
    lines: list[str]


def paragraphs(lines: list[str]) -> list[str | Entry]:
    """Return text as paragraphs and entries of lists.

    Empty lines part paragraphs, indented lines start an entry, and lines that are indented further go on with it.
    """
    found: list[str | Entry] = []
    base = 0
    ended = False
    for line in lines:
        indent = len(line) - len(line.lstrip())
        text = line.strip()
        inside = bool(found) and isinstance(found[-1], Entry)
        if not text:
            ended = True
        elif indent == 0:
            if found and isinstance(found[-1], str) and not ended:
                found[-1] += f" {text}"
            else:
                found.append(text)
            ended = False
        elif inside and indent > base:
            found[-1].lines.append(text)  # type: ignore[union-attr]
        else:
            base = indent
            word = re.match(r'((?:"[a-z0-9_-]+"(?:, )?)+|[a-z-]+(?:, [a-z-]+)*):\s+(.*)', text)
            quoted = re.match(r'("[a-z-]+"(?:, "[a-z-]+")*)\s+(.*)', text)
            match = word or quoted
            found.append(Entry(match[1], [match[2]]) if match else Entry("", [text]))
    return found
