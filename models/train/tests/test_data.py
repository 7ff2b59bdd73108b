"""The packed crops are read as they lie; splits are by source."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import drawn

from bonafide_train import splits
from bonafide_train.data import decode, prepare_pixels, read_files, read_table


def test_every_row_finds_its_pixels(data, tmp_path):
    crops = read_table(data)
    cache = prepare_pixels(data, tmp_path / "cache")
    files = read_files(data, crops)
    assert len(crops) == 24
    for crop in crops:
        assert np.array_equal(cache[crop.row], decode(files[crop.member]))
        assert np.abs(cache[crop.row].astype(int) - drawn(crop.row, crop.synthetic)).mean() < 5


def test_an_unknown_label_is_refused(data):
    table = data / "crops.tsv"
    table.write_text(table.read_text().replace("fake", "unsure"))
    with pytest.raises(ValueError, match="unsure"):
        read_table(data)


def test_a_missing_crop_is_named(data):
    crops = read_table(data)
    lost = [type(crops[0])(**{**vars(crops[0]), "member": "99999.jpg"})]
    with pytest.raises(ValueError, match="99999.jpg"):
        read_files(data, lost)


def test_no_source_is_in_two_parts(data):
    crops = read_table(data)
    parts = [splits.training(crops), splits.calibration(crops), splits.test(crops)]
    sources = [{crop.source for crop in part} for part in parts]
    assert [len(part) for part in parts] == [8, 8, 8]
    assert not (sources[0] & sources[1] or sources[0] & sources[2] or sources[1] & sources[2])


def test_chances_sum_to_one_and_favour_small_sources(data):
    crops = read_table(data)
    few, many = crops[0], [replace(crops[4], member=f"{index}.jpg") for index in range(80)]
    chances = splits.weights([few, *many])
    assert sum(chances) == pytest.approx(1.0)
    assert chances[0] == pytest.approx(2.0 * chances[1])
