"""Every experiment of the playground has its picture and its file, and none is left over."""

import json
from pathlib import Path

ROOT = Path(__file__).parents[1]


def names(folder: str, ending: str) -> list[str]:
    """Return the names of the files of a folder, without their ending."""
    return sorted(path.stem for path in (ROOT / folder).glob(f"*{ending}"))


def test_presets_are_whole() -> None:
    """Compare the three lists of them."""
    presets = sorted(preset["id"] for preset in json.loads((ROOT / "web/page/presets.json").read_text()))
    assert len(presets) == len(set(presets)) >= 12
    assert names("web/page/presets", ".toml") == presets
    assert names("docs/pictures/presets", ".png") == presets
