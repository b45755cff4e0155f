"""The page of papers says of every law what its file says."""

import tomllib
from pathlib import Path

DOCS = Path(__file__).parent
PAPERS = sorted((DOCS.parent / "assets" / "papers").glob("*.toml"))


def test_every_law_is_there_as_its_file_says():
    """Name, certainty, sentence and finding of each law stand on the page, under the title of its paper."""
    page = (DOCS / "papers.md").read_text()
    assert PAPERS
    for file in PAPERS:
        paper = tomllib.loads(file.read_text())
        section = page.split(f"\n## {paper['title']}\n", 1)[1].split("\n## ", 1)[0]
        for law in paper["law"]:
            assert f"**{law['name']}** ({law['certainty']}). {law['says']}" in section, f"{file.name}: {law['name']}"
            assert law.get("finding", "") in section, f"{file.name}: finding of {law['name']}"
