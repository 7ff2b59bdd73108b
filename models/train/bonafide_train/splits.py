"""Which source is used for what, and how often it is drawn.

Fixed before the first run and never by looking at scores. Every assignment is by source, so that no picture of a
source is on two sides.
"""

from collections import Counter

from .data import Crop

CALIBRATION_SOURCES = frozenset(
    {
        "Open Images",
        "web kangaroo",
        "LAION web (DIF real)",
        "Midjourney v2/v3 (2022)",
        "GLID-3-XL",
        "Kolors",
        "Stable Cascade",
        "HiDream-I1",
        "Qwen-Image",
    }
)
"""Dev sources that fit the calibration. All other dev sources are the test part."""

SAME_SHEET_SOURCES = frozenset({"FLUX.1-dev|pro (SFHQ-T2I)"})
"""Dev sources cut from contact sheets that also gave training crops of sibling generators.

They are measured in a row of their own and are in neither the calibration nor a pooled figure.
"""

SOURCE_FACTORS = {
    "FFHQ": 1.5,
    "RealArt web (curated)": 3.0,
    "UTKFace": 0.4,
    "web faces (mask dataset)": 0.4,
    "generated.photos (StyleGAN family)": 0.3,
    "Stable Diffusion 1.5 (artist study)": 0.4,
    "Stable Diffusion 1.x": 0.4,
    "gpt-4o / nano-banana mixed": 2.0,
    "FLUX.1-schnell (SFHQ-T2I)": 1.5,
    "FLUX.1": 3.0,
    "SDXL": 3.0,
    "Midjourney v4/v5 (DIF)": 3.0,
    "Midjourney v6 (cw)": 3.0,
    "AiArtData web mixed (MJ/DALL-E/SD, 2023; noisy)": 0.5,
}
"""How much more often than by size alone a training source is drawn; 1 where not named.

From the data folder's README: sharp real portraits and real art are scarce and are what earlier models took for
generated; noisy and over-represented sources count less. FFHQ at 1.5 makes real and generated portraits equally
frequent; at 3 three draws in ten of the real ones were portraits against two of the generated, and the network learnt
that portraits are real (EXPERIMENTS.md, `phases` and `wide`).
"""

SMALLEST_COUNT = 20
"""A source with fewer crops is weighted as if it had this many, or a single picture would be learnt by heart."""


def training(crops: list[Crop]) -> list[Crop]:
    """Crops the network is fitted on."""
    return [crop for crop in crops if crop.split == "train"]


def calibration(crops: list[Crop]) -> list[Crop]:
    """Dev crops that fit slope, intercept and the false-alarm table."""
    return [crop for crop in crops if crop.split == "dev" and crop.source in CALIBRATION_SOURCES]


def test(crops: list[Crop]) -> list[Crop]:
    """Dev crops of the pooled figures: never used for fitting or for choosing anything."""
    kept_out = CALIBRATION_SOURCES | SAME_SHEET_SOURCES
    return [crop for crop in crops if crop.split == "dev" and crop.source not in kept_out]


def same_sheet(crops: list[Crop]) -> list[Crop]:
    """Dev crops that share a file with training crops; reported apart."""
    return [crop for crop in crops if crop.split == "dev" and crop.source in SAME_SHEET_SOURCES]


def weights(crops: list[Crop]) -> list[float]:
    """Chance of each crop to be drawn, summing to 1.

    A source is drawn by its factor times (number of its pictures) ** 0.5, and each of its crops equally often; several
    crops of one picture count as one picture.
    """
    crops_of = Counter(crop.source for crop in crops)
    pictures_of = Counter(source for source, _ in {(crop.source, crop.picture) for crop in crops})
    share = {s: pictures_of[s] / (max(pictures_of[s], SMALLEST_COUNT) ** 0.5 * crops_of[s]) for s in crops_of}
    raw = [SOURCE_FACTORS.get(c.source, 1.0) * share[c.source] for c in crops]
    total = sum(raw)
    return [weight / total for weight in raw]
