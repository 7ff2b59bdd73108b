"""Re-delivers a crop the way a picture travels: scaled, filtered, recompressed, cut.

Every step is drawn from one random generator that knows neither label nor source, so both classes are treated
alike, and the two members of an aligned pair get the very same treatment from the same seed. Arrays are `uint8
[H, W, 3]`, RGB.
"""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

GRID_PX = 8
"""Side of a JPEG block: crops are cut this much larger, so that the block grid falls anywhere in the result."""


def redeliver(pixels: np.ndarray, seed: int | list[int], side_px: int) -> np.ndarray:
    """Returns one random delivery of `pixels` as `uint8 [side_px, side_px, 3]`; the same seed, the same result."""
    random = np.random.default_rng(seed)
    picture = Image.fromarray(_turned(pixels, random))
    if random.random() < 0.25:
        picture = compressed(picture, random)
    picture = _scaled_cut(picture, side_px + GRID_PX, random)
    for step in random.permutation(len(_STEPS)):
        chance, apply = _STEPS[step]
        if random.random() < chance:
            picture = apply(picture, random)
    if random.random() < 0.85:
        picture = compressed(picture, random)
    return _fitted(np.asarray(picture), side_px, random)


def compressed(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """One round of JPEG (four in five; quality 30..95) or WebP (quality 40..95)."""
    if random.random() < 0.8:
        subsampling = int(random.choice([0, 2, 2, 2]))
        return jpeg(picture, int(random.integers(30, 96)), subsampling)
    return _encoded(picture, format="WEBP", quality=int(random.integers(40, 96)), method=0)


def jpeg(picture: Image.Image, quality: int, subsampling: int = 2) -> Image.Image:
    """Encodes as JPEG and decodes again; `subsampling` 0 is 4:4:4, 2 is 4:2:0."""
    return _encoded(picture, format="JPEG", quality=quality, subsampling=subsampling)


def tiled(pixels: np.ndarray, side_px: int) -> np.ndarray:
    """Repeats a smaller picture to the right and downwards until it fills a square of `side_px`."""
    height, width = pixels.shape[:2]
    down, right = max(0, side_px - height), max(0, side_px - width)
    return np.pad(pixels, ((0, down), (0, right), (0, 0)), mode="wrap")


def _turned(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    if random.random() < 0.5:
        pixels = pixels[:, ::-1]
    if random.random() < 0.3:
        pixels = np.rot90(pixels, int(random.integers(1, 4)))
    return np.ascontiguousarray(pixels)


def _scaled_cut(picture: Image.Image, side_px: int, random: np.random.Generator) -> Image.Image:
    """A square of at most `side_px`, in seven of ten cases out of the picture resized by 0.45..1.6.

    The factor is even in the logarithm, the kernel random. Only what the square shows is resized.
    """
    factor, kernel = 1.0, None
    if random.random() >= 0.3:
        factor = float(np.exp(random.uniform(np.log(0.45), np.log(1.6))))
        kernel = _KERNELS[int(random.integers(len(_KERNELS)))]
    scaled = [max(16, round(side * factor)) for side in picture.size]
    size = [min(side_px, side) for side in scaled]
    corner = [int(random.integers(whole - part + 1)) for whole, part in zip(scaled, size, strict=True)]
    if kernel is None:
        return picture.crop((*corner, *(start + part for start, part in zip(corner, size, strict=True))))
    steps = [side / whole for side, whole in zip(picture.size, scaled, strict=True)]
    first = [start * step for start, step in zip(corner, steps, strict=True)]
    ends = [(start + part) * step for start, part, step in zip(corner, size, steps, strict=True)]
    last = [min(end, side) for end, side in zip(ends, picture.size, strict=True)]
    return picture.resize(size, kernel, box=(*first, *last))


def _fitted(pixels: np.ndarray, side_px: int, random: np.random.Generator) -> np.ndarray:
    pixels = tiled(pixels, side_px)
    top = int(random.integers(pixels.shape[0] - side_px + 1))
    left = int(random.integers(pixels.shape[1] - side_px + 1))
    return np.ascontiguousarray(pixels[top : top + side_px, left : left + side_px])


def _light(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Exposure, contrast and colour balance, as a camera or an editor would set them."""
    curve = np.arange(256, dtype=np.float32) / 255.0
    curve = np.clip(curve ** random.uniform(0.75, 1.33), 0.0, 1.0)
    curve = (curve - 0.5) * random.uniform(0.8, 1.2) + 0.5 + random.uniform(-0.08, 0.08)
    tables = [np.clip(curve * random.uniform(0.93, 1.07) * 255.0 + 0.5, 0, 255) for _ in range(3)]
    return picture.point(np.concatenate(tables).astype(np.uint8).tolist())


def _grey(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    return picture.convert("L").convert("RGB")


def _blurred(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(float(random.uniform(0.3, 1.8))))


def _denoised(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    pixels = np.asarray(picture)
    for _ in range(int(random.choice([1, 1, 2]))):
        pixels = median_of_nine(pixels)
    return Image.fromarray(pixels)


def median_of_nine(pixels: np.ndarray) -> np.ndarray:
    """Median of each value and its eight neighbours, `uint8 [H, W, C]`; borders repeat the edge.

    What Pillow's filter gives, thirty times faster: with every column of three sorted, it is the median of the
    largest low, the median middle and the smallest high.
    """
    padded = np.pad(pixels, ((1, 1), (1, 1), (0, 0)), mode="edge")
    low, middle, high = _sorted(padded[:-2], padded[1:-1], padded[2:])
    lows, middles, highs = ((rows[:, :-2], rows[:, 1:-1], rows[:, 2:]) for rows in (low, middle, high))
    largest, smallest = np.maximum(np.maximum(*lows[:2]), lows[2]), np.minimum(np.minimum(*highs[:2]), highs[2])
    return _sorted(largest, _sorted(*middles)[1], smallest)[1]


def _sorted(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three arrays, sorted value by value."""
    a, b = np.minimum(a, b), np.maximum(a, b)
    b, c = np.minimum(b, c), np.maximum(b, c)
    return np.minimum(a, b), np.maximum(a, b), c


def _sharpened(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    radius, percent = float(random.uniform(0.6, 2.0)), int(random.integers(40, 200))
    return picture.filter(ImageFilter.UnsharpMask(radius, percent, 0))


def _noisy(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Gaussian noise of 0.5..8 grey levels, in one of two cases the same in all three colours."""
    pixels = np.asarray(picture, dtype=np.float32)
    channels = 1 if random.random() < 0.5 else 3
    noise = random.standard_normal((*pixels.shape[:2], channels), dtype=np.float32)
    return Image.fromarray(np.clip(pixels + noise * random.uniform(0.5, 8.0) + 0.5, 0, 255).astype(np.uint8))


def _softened(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Shrunk and enlarged again, as by a site that shows a thumbnail larger than it is."""
    factor = random.uniform(0.5, 0.9)
    small = picture.resize(tuple(max(16, round(side * factor)) for side in picture.size), Image.Resampling.BILINEAR)
    return small.resize(picture.size, Image.Resampling.BICUBIC)


def _encoded(picture: Image.Image, **options: object) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, **options)
    with Image.open(file) as decoded:
        return decoded.convert("RGB")


_Step = Callable[[Image.Image, np.random.Generator], Image.Image]

_STEPS: tuple[tuple[float, _Step], ...] = (
    (0.3, _light),
    (0.05, _grey),
    (0.25, _blurred),
    (0.12, _denoised),
    (0.15, _sharpened),
    (0.2, _noisy),
    (0.1, _softened),
)
"""Chance and step; applied in random order."""

_KERNELS = (
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
    Image.Resampling.BOX,
    Image.Resampling.HAMMING,
)
