"""The three delivery tiers, as far as a packed crop of 256 pixels can show them, and the bias gates.

On whole pictures `web` means longest side at most 768 and JPEG quality 60, `hard` at most 512 and quality 40. A
packed crop no longer knows its picture, and scaling by the picture's true size would hand each class its own
factor. So every crop, real or generated, is shrunk by a factor drawn from its member name: 0.75..1 for `web`,
0.5..0.67 for `hard`; then saved at the tier's quality, 4:2:0; then repeated to fill 256 pixels, as production does
with small pictures.
"""

import hashlib

import numpy as np
from PIL import Image, ImageFilter

from .augment import jpeg, tiled
from .data import SIDE_PX

TIERS = ("clean", "web", "hard")

_DELIVERIES = {"web": (0.75, 1.0, 60), "hard": (0.5, 0.67, 40)}
"""Least and greatest factor, JPEG quality."""

GATES = ("blurred", "upscaled", "denoised", "jpeg 75")
"""Harmless treatments that must not make a real picture look generated."""


def deliver(pixels: np.ndarray, member: str, tier: str) -> np.ndarray:
    """Returns the crop as the tier delivers it, `uint8 [256, 256, 3]`; deterministic."""
    if tier == "clean":
        return tiled(pixels, SIDE_PX)
    least, greatest, quality = _DELIVERIES[tier]
    factor = least + (greatest - least) * _unit(member, tier)
    picture = Image.fromarray(pixels)
    small = picture.resize(tuple(round(side * factor) for side in picture.size), Image.Resampling.LANCZOS)
    return tiled(np.asarray(jpeg(small, quality)), SIDE_PX)


def treat(pixels: np.ndarray, gate: str) -> np.ndarray:
    """Applies one treatment of `GATES`; `uint8 [256, 256, 3]`."""
    picture = Image.fromarray(tiled(pixels, SIDE_PX))
    if gate == "blurred":
        treated = picture.filter(ImageFilter.GaussianBlur(0.8))
    elif gate == "upscaled":
        inner = picture.crop((SIDE_PX // 4, SIDE_PX // 4, 3 * SIDE_PX // 4, 3 * SIDE_PX // 4))
        treated = inner.resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC)
    elif gate == "denoised":
        treated = picture.filter(ImageFilter.MedianFilter(3))
    elif gate == "jpeg 75":
        treated = jpeg(picture, 75)
    else:
        raise ValueError(f"no gate is called {gate!r}")
    return np.asarray(treated)


def _unit(member: str, tier: str) -> float:
    """A number in 0..1 that depends on nothing but the names."""
    digest = hashlib.sha256(f"{tier}/{member}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 0xFFFFFFFF
