"""Makes labeling/fonts/NotoSansSC-Subset.otf again from Debian's Noto Sans CJK; needs fonttools.

Call it with the path of NotoSansCJK-Regular.ttc; it writes the font and its manifest.
"""

import hashlib
import json
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection

SOURCE_PACKAGE = "fonts-noto-cjk 1:20220127+repack1-1 (Debian 12)"
FAMILY = "Noto Sans CJK SC"
FONTS = Path(__file__).parent.parent / "labeling" / "fonts"
MADE_BY = (
    "Face 'Noto Sans CJK SC', Regular, version 2.004, from Debian's fonts-noto-cjk; reduced by fonttools with "
    ".ci/make-font.py to one style of every character that it has; hinting and vertical setting dropped."
)


def main() -> None:
    font = next(face for face in TTCollection(sys.argv[1]).fonts if face["name"].getDebugName(4) == FAMILY)
    options = subset.Options(
        hinting=False,
        layout_features=["locl", "kern", "mark", "mkmk", "ccmp"],
        name_IDs=[0, 1, 2, 3, 4, 5, 6, 7, 13, 14],
        name_languages=[0x409],
        notdef_outline=True,
        desubroutinize=False,
        drop_tables=["vhea", "vmtx", "VORG", "BASE", "DSIG"],
        recalc_timestamp=False,
    )
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=set(font.getBestCmap()))
    cutter.subset(font)
    target = FONTS / "NotoSansSC-Subset.otf"
    font.save(target)
    write_manifest(["NotoSansSC-Subset.otf", "OFL.txt"])
    print(f"{target.name}: {len(font.getBestCmap())} characters, {target.stat().st_size} bytes", file=sys.stderr)


def write_manifest(names: list[str]) -> None:
    common = {"version": "2.004", "licence": "OFL-1.1"}
    hashes = {name: hashlib.sha256((FONTS / name).read_bytes()).hexdigest() for name in names}
    files = [{"path": name, "sha256": sha256, **common} for name, sha256 in hashes.items()]
    manifest = {"source": SOURCE_PACKAGE, "made": MADE_BY, "files": files}
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (FONTS / "manifest.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
