"""Writes the dev pictures as lists that `bonafide models eval` and `bonafide models add --calibrate` read.

`test.tsv` and `calibration.tsv` name the packed crops, unpacked beside them; `test-pictures.tsv` and
`calibration-pictures.tsv` the whole pictures of the same sources, where folders of `materialise.py` are given. The
split is the recipe's own.
"""

import csv
from pathlib import Path

from . import splits
from .data import Crop, read_files, read_table
from .pictures import Picture, read_index

COLUMNS = ("path", "label", "source")


def write_manifests(data: Path, out: Path, folders: list[Path]) -> list[Path]:
    """Unpacks the dev crops into `out/crops` and returns the paths of the lists written into `out`."""
    crops = read_table(data)
    parts = {"test": splits.test(crops), "calibration": splits.calibration(crops)}
    written = []
    for name, part in parts.items():
        _unpack(data, part, out / "crops")
        written.append(_write(out / f"{name}.tsv", [_row(f"crops/{c.member}", c) for c in part]))
        sources = {crop.source for crop in part}
        pictures = [p for folder in folders for p in read_index(folder) if p.source in sources]
        if pictures:
            rows = [_row(str(p.file.resolve()), p) for p in pictures]
            written.append(_write(out / f"{name}-pictures.tsv", rows))
    return written


def _unpack(data: Path, crops: list[Crop], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for member, jpeg in read_files(data, crops).items():
        (folder / member).write_bytes(jpeg)


def _row(path: str, item: Crop | Picture) -> tuple[str, str, str]:
    return path, "synthetic" if item.synthetic else "real", item.source


def _write(path: Path, rows: list[tuple[str, str, str]]) -> Path:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerows([COLUMNS, *rows])
    return path
