"""Cuts training crops out of whole pictures, each at several scales.

The packed crops know one scale of each picture. Where the pictures themselves are at hand (the folders that
`materialise.py` of the data folder wrote), every training picture gives a few more crops, each from the picture
shrunk by a factor of its own: resizing after the generator is what most published pictures went through, and real
and generated ones get the same range. Only sources of the train split are read; a picture whose blob also gave a dev
crop is left out.
"""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .augment import jpeg
from .data import SIDE_PX, Crop, read_table

CROPS_PER_PICTURE = 3

SHORTEST_PX = 288
"""No picture is shrunk below this short side: a crop shall not show the whole picture."""

LONGEST_SHORT_PX = 1400
"""Larger pictures are brought below this short side first, as the packed crops were."""

MOST_PIXELS = 60_000_000


@dataclass(frozen=True)
class Picture:
    """One row of an `index.tsv`: its file, label and source, and the blob it is cut from."""

    file: Path
    synthetic: bool
    source: str
    blob: str
    cut: str


def prepare_pictures(data: Path, cache: Path, folders: list[Path]) -> int:
    """Cuts crops from the pictures in `folders` into `cache` and returns how many; does nothing where that is done."""
    if not (cache / "picture_crops.json").exists():
        Image.MAX_IMAGE_PIXELS = MOST_PIXELS
        pictures = [p for folder in folders for p in read_index(folder)]
        _cut_all(training_pictures(pictures, read_table(data)), cache)
    return len(json.loads((cache / "picture_crops.json").read_text(encoding="utf-8")))


def read_index(folder: Path) -> list[Picture]:
    """Returns the rows of `folder/index.tsv`."""
    with open(folder / "index.tsv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        Picture(folder / r["file"], r["label"] == "fake", r["generator_or_source"], r["blob_sha"], r["crop"] or "")
        for r in rows
    ]


def training_pictures(pictures: list[Picture], crops: list[Crop]) -> list[Picture]:
    """Keeps the pictures of training sources that share no blob with a dev crop."""
    train = {crop.source for crop in crops if crop.split == "train"}
    dev = {crop.source for crop in crops if crop.split == "dev"}
    dev_blobs = {crop.blob for crop in crops if crop.split == "dev"}
    return [p for p in pictures if p.source in train - dev and p.blob not in dev_blobs]


def read_picture_crops(cache: Path, first_row: int) -> list[Crop]:
    """Returns the crops cut by `prepare_pictures`, numbered from `first_row`; none where it never ran."""
    path = cache / "picture_crops.json"
    if not path.exists():
        return []
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [
        Crop(first_row + index, "", -1, synthetic, source, "train", "", blob)
        for index, (synthetic, source, blob) in enumerate(rows)
    ]


def cut(pixels: Image.Image, seed: list[int]) -> np.ndarray:
    """Returns one crop of `pixels` at a scale drawn from `seed`, `uint8 [H, W, 3]`, sides at most 256.

    The factor is even in the logarithm between what leaves a short side of 288 pixels and 1 (or what brings the
    short side to 1400). Saved once as JPEG 92, 4:2:0, as every packed crop was.
    """
    random = np.random.default_rng(seed)
    short = min(pixels.size)
    most = min(1.0, LONGEST_SHORT_PX / short)
    least = min(most, SHORTEST_PX / short)
    factor = float(np.exp(random.uniform(np.log(least), np.log(most)))) if random.random() < 0.7 else most
    if factor < 1.0:
        kernel = (Image.Resampling.BICUBIC, Image.Resampling.LANCZOS, Image.Resampling.BOX)[int(random.integers(3))]
        pixels = pixels.resize(tuple(max(16, round(side * factor)) for side in pixels.size), kernel)
    width, height = (min(SIDE_PX, side) for side in pixels.size)
    left = int(random.integers(pixels.width - width + 1))
    top = int(random.integers(pixels.height - height + 1))
    return np.asarray(jpeg(pixels.crop((left, top, left + width, top + height)), 92))


def _cut_all(pictures: list[Picture], cache: Path) -> None:
    shape = (len(pictures) * CROPS_PER_PICTURE, SIDE_PX, SIDE_PX, 3)
    unfinished = cache / "picture_pixels.part"
    store = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.uint8, shape=shape)
    sizes, rows = np.ones((shape[0], 2), dtype=np.int64), []
    for index, picture in enumerate(pictures):
        try:
            with Image.open(picture.file) as opened:
                pixels = opened.convert("RGB")
        except (OSError, Image.DecompressionBombError) as error:
            print(f"left out: {picture.file.name}: {error}", flush=True)
            continue
        for place in range(CROPS_PER_PICTURE):
            crop = cut(pixels, [int(picture.blob[:12], 16), index, place])
            height, width = sizes[len(rows)] = crop.shape[:2]
            store[len(rows), :height, :width] = crop
            rows.append((picture.synthetic, picture.source, f"{picture.blob} {picture.cut}"))
        if index % 1000 == 0:
            print(f"{index} of {len(pictures)} pictures", flush=True)
    store.flush()
    np.save(cache / "picture_sizes.npy", sizes)
    unfinished.rename(cache / "picture_pixels.npy")
    (cache / "picture_crops.json").write_text(json.dumps(rows), encoding="utf-8")
