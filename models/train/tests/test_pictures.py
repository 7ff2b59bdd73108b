"""Crops cut out of whole pictures: who is cut, at which scales, and that they are trained on."""

import csv

import numpy as np
import pytest
from conftest import drawn
from PIL import Image

from bonafide_train import splits
from bonafide_train.data import PixelCache, prepare_pixels, read_table
from bonafide_train.manifests import write_manifests
from bonafide_train.pictures import CROPS_PER_PICTURE, cut, prepare_pictures, read_picture_crops

COLUMNS = ["file", "label", "generator_or_source", "subject", "repo", "path", "blob_sha", "crop"]


@pytest.fixture
def pictures(tmp_path):
    """Four whole pictures: two to train on, one of a dev source, one that gave a dev crop."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    rows = [
        ("real", "photos A", "aa" * 20),
        ("fake", "generator A", "bb" * 20),
        ("real", "COCO", "cc" * 20),
        ("real", "photos A", f"{8:040x}"),
    ]
    with open(folder / "index.tsv", "w", newline="", encoding="utf-8") as table:
        writer = csv.writer(table, delimiter="\t")
        writer.writerow(COLUMNS)
        for index, (label, source, blob) in enumerate(rows):
            Image.fromarray(drawn(index, label == "fake", 600)).save(folder / f"{index}.png")
            writer.writerow([f"{index}.png", label, source, "other", "made/here", "x", blob, ""])
    return folder


def test_only_training_pictures_are_cut(data, pictures, tmp_path):
    cache = tmp_path / "cache"
    prepare_pixels(data, cache)
    assert prepare_pictures(data, cache, [pictures]) == 2 * CROPS_PER_PICTURE
    packed = read_table(data)
    crops = read_picture_crops(cache, len(packed))
    assert {(crop.source, crop.synthetic, crop.split) for crop in crops} == {
        ("photos A", False, "train"),
        ("generator A", True, "train"),
    }
    pixels = PixelCache(cache)
    assert all(pixels[crop.row].shape == (256, 256, 3) and pixels[crop.row].std() > 1 for crop in crops)
    assert np.array_equal(pixels[packed[3].row], pixels.pixels[3])


def test_several_crops_of_a_picture_weigh_as_one(data, pictures, tmp_path):
    cache = tmp_path / "cache"
    prepare_pixels(data, cache)
    prepare_pictures(data, cache, [pictures])
    packed = splits.training(read_table(data))
    crops = [*packed, *read_picture_crops(cache, len(read_table(data)))]
    weights = splits.weights(crops)
    assert sum(weights) == pytest.approx(1.0)
    share = {s: sum(w for w, c in zip(weights, crops, strict=True) if c.source == s) for s in ("photos A", "generator A")}
    assert share["photos A"] == pytest.approx(share["generator A"])
    assert len({c.picture for c in crops}) == len(packed) + 2


def test_scales_differ_and_repeat(pictures):
    with Image.open(pictures / "0.png") as picture:
        crops = [cut(picture, [1, place]) for place in range(8)]
        assert np.array_equal(crops[0], cut(picture, [1, 0]))
    assert len({crop.tobytes() for crop in crops}) == 8
    assert all(crop.shape == (256, 256, 3) for crop in crops)

def test_the_dev_pictures_are_listed_by_part(data, pictures, tmp_path):
    written = write_manifests(data, tmp_path / "dev", [pictures])
    assert [path.name for path in written] == ["test.tsv", "test-pictures.tsv", "calibration.tsv"]
    lists = [list(csv.DictReader(path.open(), delimiter="\t")) for path in written]
    assert {(row["label"], row["source"]) for row in lists[0]} >= {("real", "COCO"), ("synthetic", "DALL-E 2")}
    assert not {row["path"] for row in lists[0]} & {row["path"] for row in lists[2]}
    for path, rows in zip(written, lists, strict=True):
        assert rows and all((path.parent / row["path"]).is_file() for row in rows)
    assert [row["source"] for row in lists[1]] == ["COCO"]
