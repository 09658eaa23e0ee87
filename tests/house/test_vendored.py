"""Every file that we took from others is the file that its manifest names."""

import hashlib
import json
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).parents[2]
ROOMS = ["plc", "stations", "labeling", "scanning", "simulation", "web", "packline", "controller"]
FONT = ROOT / "labeling" / "fonts" / "NotoSansSC-Subset.otf"


def manifests() -> list[Path]:
    found = [path for room in ROOMS for path in sorted((ROOT / room).rglob("manifest.json"))]
    return [path for path in found if "files" in json.loads(path.read_text(encoding="utf-8"))]


def test_the_font_has_a_manifest():
    assert FONT.parent / "manifest.json" in manifests()


@pytest.mark.parametrize("manifest", manifests(), ids=lambda path: str(path.relative_to(ROOT)))
def test_vendored_files_are_those_of_the_manifest(manifest):
    listed = json.loads(manifest.read_text(encoding="utf-8"))["files"]

    assert listed
    for entry in listed:
        assert entry["version"]
        assert entry["licence"]
        assert (entry["path"], sha256(manifest.parent / entry["path"])) == (entry["path"], entry["sha256"])


@pytest.mark.parametrize("manifest", manifests(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_lies_beside_a_manifest_unlisted(manifest):
    listed = {entry["path"] for entry in json.loads(manifest.read_text(encoding="utf-8"))["files"]}
    beside = {path.relative_to(manifest.parent).as_posix() for path in manifest.parent.rglob("*") if path.is_file()}

    assert {name for name in beside if not name.endswith((".py", ".pyc", ".md"))} - {"manifest.json"} == listed


@pytest.mark.parametrize("character", "中文圳鑫喆堃䶮𠮷贔龘臺灣廣が한Жéþ¥€—，（Ａก")
def test_the_font_draws_what_labels_hold_or_shows_that_it_cannot(character):
    """Rare characters of names, also of Taiwan, Japan and Korea; a Thai one stands for what the face lacks: a box, never nothing."""
    assert ink(character) > 0
    assert (ink(character) == ink("\U0010fffd")) is (character == "ก")


def ink(character: str) -> int:
    picture = Image.new("1", (48, 64), 0)
    ImageDraw.Draw(picture).text((4, 4), character, font=ImageFont.truetype(str(FONT), 36), fill=1)
    return sum(picture.tobytes()) if picture.getbbox() else 0


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
