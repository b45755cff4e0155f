"""Directives that write the pages of keys and observables from assets/reference.toml, where they are typed once."""

import re
from pathlib import Path

from docutils import nodes
from reference_file import Entry, Form, Item, Table, paragraphs, parse
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

SOURCE = Path(__file__).parents[2] / "assets" / "reference.toml"
MARKED = re.compile(
    r"(?P<option>--set (?:\"[^\"]+\"|[^ ,;]+))"
    r"|arXiv:(?P<paper>\d{4}\.\d{5})|(?P<word>\"[a-z0-9_-]+\")|`(?P<code>[^`]+)`"
    r"|\b(?P<key>(?:tokens|attention|perceptron|noise|time|observe|reference|layer-norm)(?:\.[a-z][a-z-]*)+)\b(?! ?=)"
    r"|\b(?P<column>[a-z][a-z0-9]*(?:_[a-z]{3,})+(?:_\d+)?|[a-z]{4,}_\d+)\b"
)


def target(key: str) -> str:
    """Return the label of a key, for links such as [beta](#key-attention-beta)."""
    return "key-" + key.replace(".", "-")


def inline(text: str) -> list[nodes.Node]:
    """Return text with links to papers, and words and keys as code."""
    found: list[nodes.Node] = []
    end = 0
    for match in MARKED.finditer(text):
        found.append(nodes.Text(text[end : match.start()]))
        if match["paper"]:
            link = nodes.reference("", match[0], refuri=f"https://arxiv.org/abs/{match['paper']}")
            found.append(link)
        else:
            code = match["option"] or match["word"] or match["code"] or match["key"] or match["column"]
            found.append(nodes.literal("", code))
        end = match.end()
    return [*found, nodes.Text(text[end:])]


def prose(lines: list[str]) -> list[nodes.Node]:
    """Return paragraphs, lists and displayed formulas."""
    found: list[nodes.Node] = []
    for part in paragraphs(lines):
        if isinstance(part, str):
            found.append(nodes.paragraph("", "", *inline(part)))
        elif not part.words:
            text = "\n".join(part.lines)
            found.append(nodes.literal_block(text, text, language="none"))
        else:
            if not (found and isinstance(found[-1], nodes.definition_list)):
                found.append(nodes.definition_list())
            found[-1] += definition(part)
    return found


def definition(entry: Entry) -> nodes.definition_list_item:
    """Return a word and what it means."""
    term = nodes.term("", "", nodes.literal("", entry.words))
    meaning = nodes.paragraph("", "", *inline(" ".join(entry.lines)))
    return nodes.definition_list_item("", term, nodes.definition("", meaning))


class Generated(SphinxDirective):
    """What the directives of this file share: the parsed source, and sections with labels."""

    def tables(self) -> list[Table]:
        """Return the tables of the reference file, and note that this page depends on it."""
        self.env.note_dependency(str(SOURCE))
        return parse(SOURCE.read_text())

    def section(self, title: str, labels: list[str], literal: bool) -> nodes.section:
        """Return a section that links find by its labels."""
        section = nodes.section(ids=labels or [nodes.make_id(title)])
        name = nodes.literal("", title) if literal else nodes.Text(title)
        section += nodes.title(title, "", name)
        domain = self.env.domains.standard_domain
        for label in labels:
            domain.labels[label] = self.env.docname, label, title
            domain.anonlabels[label] = self.env.docname, label
        return section


class KeysDirective(Generated):
    """`{keys}`: all tables and keys of a problem."""

    def run(self) -> list[nodes.Node]:
        """Return a section for each table."""
        return [self.table(table) for table in self.tables()]

    def table(self, table: Table) -> nodes.section:
        """Return the section of a table."""
        title = f"[{table.name}]" if table.name else "Above all tables"
        label = "table-" + (table.name.replace(".", "-") or "top")
        section = self.section(title, [label], bool(table.name))
        section += prose(table.intro)
        section += [self.item(item) for item in table.items]
        return section

    def item(self, item: Item) -> nodes.section:
        """Return the section of a key: its text, and each form that it has."""
        section = self.section(", ".join(item.keys), [target(key) for key in item.keys], True)
        lines: list[str] = []
        forms: list[str] = []
        for part in [*item.parts, ""]:
            if isinstance(part, Form):
                section += self.text(item, lines)
                lines = []
                forms.append(part.toml())
            else:
                if forms:
                    # Forms of several lines are kept apart by an empty one.
                    text = ("\n\n" if any("\n" in form for form in forms) else "\n").join(forms)
                    section += nodes.literal_block(text, text, language="toml")
                    forms = []
                lines.append(part)
        section += self.text(item, [line for line in lines if line])
        return section

    def text(self, item: Item, lines: list[str]) -> list[nodes.Node]:
        """Return the text of a key; the list of observables has a page of its own."""
        if "observe.quantities" not in item.keys:
            return prose(lines)
        text = [part for part in paragraphs(lines) if isinstance(part, str)]
        return [nodes.paragraph("", "", *inline(part)) for part in text]


class ObservablesDirective(Generated):
    """`{observables}`: the words of observe.quantities and what they measure."""

    def run(self) -> list[nodes.Node]:
        """Return a section for each line of the list."""
        items = [item for table in self.tables() for item in table.items if "observe.quantities" in item.keys]
        lines = [part for item in items for part in item.parts if isinstance(part, str)]
        found: list[nodes.Node] = []
        for part in paragraphs(lines):
            if isinstance(part, Entry):
                words = re.findall(r'"([a-z0-9_]+)"', part.words)
                section = self.section(
                    ", ".join(words), [f"observable-{word.replace('_', '-')}" for word in words], True
                )
                text = " ".join(part.lines).rstrip("; ")
                section += nodes.paragraph("", "", *inline(text if text.endswith(".") else f"{text}."))
                found.append(section)
        return found


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("keys", KeysDirective)
    app.add_directive("observables", ObservablesDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
