"""Reads the packed crops and their table, and keeps them decoded on disk.

A crop is an array `uint8 [H, W, 3]`, RGB, of 256 x 256 pixels; a few hundred come from smaller pictures and are
smaller. The table `crops.tsv` names each crop's shard, label, source and
split; the shards `crops-*.tar` hold the JPEG files. This module knows nothing of networks.
"""

import csv
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

SIDE_PX = 256
"""Side of a packed crop."""


@dataclass(frozen=True)
class Crop:
    """One row of `crops.tsv`; its position in the table is its row in the pixel cache."""

    row: int
    member: str
    shard: int
    synthetic: bool
    source: str
    split: str
    origin: str
    blob: str

    @property
    def picture(self) -> str:
        """What it was cut from: several crops of one whole picture share it, a packed crop has its own."""
        return self.member or self.blob


def read_table(data: Path) -> list[Crop]:
    """Returns every row of `data/crops.tsv` in file order.

    Raises `ValueError` when a label or a split is unknown.
    """
    with open(data / "crops.tsv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [_crop(index, row) for index, row in enumerate(rows)]


def decode(jpeg: bytes) -> np.ndarray:
    """Decodes one packed crop to `uint8 [H, W, 3]`, H and W at most 256.

    Raises `ValueError` for a larger picture.
    """
    with Image.open(io.BytesIO(jpeg)) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    if max(pixels.shape) > SIDE_PX:
        raise ValueError(f"a packed crop has the shape {pixels.shape}, expected at most {SIDE_PX} pixels a side")
    return pixels


def read_files(data: Path, crops: list[Crop]) -> dict[str, bytes]:
    """Returns the JPEG bytes of `crops` by member name, straight from the shards."""
    wanted = {crop.member for crop in crops}
    files = {}
    for shard in sorted({crop.shard for crop in crops}):
        with tarfile.open(data / f"crops-{shard}.tar") as archive:
            for entry in archive:
                if entry.name in wanted:
                    files[entry.name] = archive.extractfile(entry).read()
    missing = wanted - files.keys()
    if missing:
        raise ValueError(f"{len(missing)} crops of the table are in no shard, for example {min(missing)}")
    return files


class PixelCache:
    """The decoded crops, opened read-only without loading them.

    `pixels` is `uint8 [rows, 256, 256, 3]`, zero beyond a smaller crop's own size; `sizes` is `int [rows, 2]`,
    height and width. Rows after the packed crops are those cut out of whole pictures, where there are any.
    """

    def __init__(self, cache: Path) -> None:
        self.pixels = np.load(cache / "pixels.npy", mmap_mode="r")
        self.sizes = np.load(cache / "sizes.npy")
        more = cache / "picture_pixels.npy"
        self.more = np.load(more, mmap_mode="r") if more.exists() else self.pixels[:0]
        self.more_sizes = np.load(cache / "picture_sizes.npy") if more.exists() else self.sizes[:0]

    def __getitem__(self, row: int) -> np.ndarray:
        """Returns one crop at its own size."""
        pixels, sizes = self.pixels, self.sizes
        if row >= len(pixels):
            row, pixels, sizes = row - len(pixels), self.more, self.more_sizes
        height, width = sizes[row]
        return pixels[row, :height, :width]


def prepare_pixels(data: Path, cache: Path) -> PixelCache:
    """Decodes every crop of `data` once into `cache`; does nothing where that is done."""
    cache.mkdir(parents=True, exist_ok=True)
    crops = read_table(data)
    if not (cache / "pixels.npy").exists():
        unfinished = cache / "pixels.part"
        shape = (len(crops), SIDE_PX, SIDE_PX, 3)
        pixels = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.uint8, shape=shape)
        sizes = np.zeros((len(crops), 2), dtype=np.int64)
        rows = {crop.member: crop.row for crop in crops}
        for member, jpeg in read_files(data, crops).items():
            crop = decode(jpeg)
            height, width = sizes[rows[member]] = crop.shape[:2]
            pixels[rows[member], :height, :width] = crop
        pixels.flush()
        np.save(cache / "sizes.npy", sizes)
        unfinished.rename(cache / "pixels.npy")
    return PixelCache(cache)


def _crop(index: int, row: dict[str, str]) -> Crop:
    if row["label"] not in ("real", "fake") or row["split"] not in ("train", "dev"):
        raise ValueError(f"row {index} has the label {row['label']!r} and the split {row['split']!r}")
    return Crop(
        row=index,
        member=row["member"],
        shard=int(row["shard"]),
        synthetic=row["label"] == "fake",
        source=row["source"],
        split=row["split"],
        origin=row["origin"],
        blob=row["blob_sha"],
    )
