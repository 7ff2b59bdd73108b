"""A small made-up data folder: drawn pictures in the layout of the real one."""

import csv
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

COLUMNS = ["member", "shard", "label", "source", "subject", "split", "origin", "blob_sha"]

SOURCES = [
    ("real", "photos A", "train"),
    ("fake", "generator A", "train"),
    ("real", "Open Images", "dev"),
    ("fake", "Kolors", "dev"),
    ("real", "COCO", "dev"),
    ("fake", "DALL-E 2", "dev"),
]


def drawn(seed: int, synthetic: bool, side_px: int = 256) -> np.ndarray:
    """A soft colour field; real ones carry sensor noise, synthetic ones a checkerboard of period 2."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:side_px, 0:side_px] / side_px
    field = np.stack([np.sin(4 * x * random.random() + 3 * y * random.random() + random.random()) for _ in range(3)], 2)
    pixels = 128 + 60 * field
    if synthetic:
        pixels += 6.0 * ((np.arange(side_px)[:, None] + np.arange(side_px)) % 2)[:, :, None]
    else:
        pixels += random.normal(0, 4, pixels.shape)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def write_data(folder: Path, per_source: int) -> Path:
    """Writes `crops.tsv` and one shard with `per_source` crops of each source."""
    rows = []
    with tarfile.open(folder / "crops-0.tar", "w") as archive:
        for label, source, split in SOURCES:
            for _ in range(per_source):
                member = f"{len(rows):05}.jpg"
                file = io.BytesIO()
                Image.fromarray(drawn(len(rows), label == "fake")).save(file, format="JPEG", quality=92)
                entry = tarfile.TarInfo(member)
                entry.size = file.tell()
                file.seek(0)
                archive.addfile(entry, file)
                rows.append([member, "0", label, source, "other", split, "made/here", f"{len(rows):040x}"])
    with open(folder / "crops.tsv", "w", newline="", encoding="utf-8") as table:
        writer = csv.writer(table, delimiter="\t")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with four crops of each of six sources."""
    folder = tmp_path / "data"
    folder.mkdir()
    return write_data(folder, per_source=4)
