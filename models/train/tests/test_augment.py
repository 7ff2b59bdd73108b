"""Re-delivery treats both classes alike: it sees pixels and a seed and nothing else."""

import numpy as np
import pytest
from conftest import drawn
from PIL import Image, ImageFilter

from bonafide_train.augment import median_of_nine, redeliver, tiled
from bonafide_train.tiers import GATES, TIERS, deliver, treat


@pytest.mark.parametrize("seed", range(40))
def test_every_delivery_has_the_size_asked_for(seed):
    view = redeliver(drawn(seed, synthetic=False, side_px=256 - 3 * seed), seed, 160)
    assert view.shape == (160, 160, 3) and view.dtype == np.uint8


def test_the_same_seed_gives_the_same_delivery():
    pixels = drawn(1, synthetic=True)
    assert np.array_equal(redeliver(pixels, [1, 2], 128), redeliver(pixels, [1, 2], 128))
    assert not np.array_equal(redeliver(pixels, [1, 2], 128), redeliver(pixels, [1, 3], 128))


def test_a_pair_stays_aligned():
    original = drawn(2, synthetic=False)
    twin = np.clip(original.astype(int) + 1, 0, 255).astype(np.uint8)
    for seed in range(20):
        views = [redeliver(pixels, seed, 128).astype(int) for pixels in (original, twin)]
        assert np.abs(views[0] - views[1]).mean() < 8


def test_the_median_is_that_of_the_library():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(pixels).filter(ImageFilter.MedianFilter(3)))
    assert np.array_equal(median_of_nine(pixels), expected)


def test_tiling_repeats_and_never_invents():
    small = drawn(3, synthetic=False, side_px=100)
    filled = tiled(small, 256)
    assert filled.shape == (256, 256, 3)
    assert np.array_equal(filled[100:200, :100], small)


@pytest.mark.parametrize("tier", TIERS)
def test_tiers_are_deterministic(tier):
    pixels = drawn(4, synthetic=False)
    view = deliver(pixels, "00004.jpg", tier)
    assert view.shape == (256, 256, 3)
    assert np.array_equal(view, deliver(pixels, "00004.jpg", tier))
    assert np.array_equal(view, pixels) == (tier == "clean")


@pytest.mark.parametrize("gate", GATES)
def test_gates_change_pixels_but_not_the_size(gate):
    pixels = drawn(5, synthetic=False)
    view = treat(pixels, gate)
    assert view.shape == pixels.shape and not np.array_equal(view, pixels)


def test_an_unknown_gate_is_refused():
    with pytest.raises(ValueError, match="mirrored"):
        treat(drawn(6, synthetic=False), "mirrored")
