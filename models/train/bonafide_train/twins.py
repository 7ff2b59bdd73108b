"""Aligned twins: a real crop and what a generator's decoder makes of the same content.

A twin is generated in every pixel and shows what its original shows, so content, light and scale give nothing
away. The codec is the tiny autoencoder of FLUX.2 (taesd by madebyollin, MIT), read from a folder given by the caller;
it is a tool for training and never shipped. Layers follow from the shapes stored in its files.
"""

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from .data import SIDE_PX, Crop, PixelCache

WIDTH = 64
"""Channels of every layer of the codec."""

LATENT_CHANNELS = 32

BATCH = 8
"""Crops coded at once."""

NOISE = 0.3
"""Most noise on the latents of a twin, in standard deviations of the latents: a generator's latents never were a picture."""


class CodecBlock(nn.Module):
    """Three convolutions around a skip connection, after an optional normalised 1 x 1 pair."""

    def __init__(self, normalised: bool = False) -> None:
        super().__init__()
        layers = [_conv(), nn.ReLU(), _conv(), nn.ReLU(), _conv()]
        self.conv = nn.Sequential(*layers)
        if normalised:
            wide = 4 * WIDTH
            widen, narrow = nn.Conv2d(WIDTH, wide, 1, bias=False), nn.Conv2d(wide, WIDTH, 1, bias=False)
            self.pool = nn.Sequential(widen, nn.GroupNorm(4, wide), nn.ReLU(), narrow)

    def forward(self, planes: Tensor) -> Tensor:
        if hasattr(self, "pool"):
            planes = planes + self.pool(planes)
        return torch.relu(planes + self.conv(planes))


class Bounded(nn.Module):
    """Keeps latents within +-3, softly."""

    def forward(self, latents: Tensor) -> Tensor:
        return torch.tanh(latents / 3.0) * 3.0


def load_codec(folder: Path) -> nn.Sequential:
    """Loads encoder and decoder; `float32 [N, 3, H, W]` in 0..1 on both sides, H and W multiples of 8."""
    encoder, decoder = _encoder(), _decoder()
    for name, part in (("encoder", encoder), ("decoder", decoder)):
        weights = torch.load(folder / f"taef2_{name}.pth", map_location="cpu", weights_only=True)
        part.load_state_dict({key: value.float() for key, value in weights.items()})
    return nn.Sequential(encoder, decoder).eval().to(memory_format=torch.channels_last)


def prepare_twins(crops: list[Crop], pixels: PixelCache, codec: nn.Module, cache: Path, most: int) -> Path:
    """Writes `cache/twins.npy` (`uint8 [n, 256, 256, 3]`) and `cache/twin_rows.npy` (row of each twin's original).

    `crops` are real training crops; those smaller than 256 pixels are left out, and no more than `most` of the
    rest are taken, in table order, which mixes the sources. Every second twin gets the radial spectrum of its
    original, so that overall softness does not tell them apart, every second batch noise on its latents, and all are
    saved once with the settings the packed crops have.
    """
    rows = np.array([crop.row for crop in crops if min(pixels.sizes[crop.row]) == SIDE_PX][:most])
    shape = (len(rows), SIDE_PX, SIDE_PX, 3)
    unfinished = cache / "twins.part"
    twins = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.uint8, shape=shape)
    for start in range(0, len(rows), BATCH):
        originals = pixels.pixels[rows[start : start + BATCH]]
        noise = NOISE * np.random.default_rng(start).random() * (start // BATCH % 2)
        for offset, twin in enumerate(reconstruct(codec, originals, noise, seed=start)):
            if (start + offset) % 2 == 0:
                twin = with_spectrum_of(originals[offset], twin)
            twins[start + offset] = _saved(twin)
    twins.flush()
    np.save(cache / "twin_rows.npy", rows)
    unfinished.rename(cache / "twins.npy")
    return cache / "twins.npy"


@torch.inference_mode()
def reconstruct(codec: nn.Sequential, originals: np.ndarray, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """Encodes and decodes `uint8 [N, H, W, 3]`, with `noise` standard deviations of it between; same shape and type."""
    planes = torch.from_numpy(np.ascontiguousarray(originals)).permute(0, 3, 1, 2).float() / 255.0
    encoder, decoder = codec
    with torch.autocast("cpu", torch.bfloat16):
        latents = encoder(planes.contiguous(memory_format=torch.channels_last)).float()
        shaken = torch.randn(latents.shape, generator=torch.Generator().manual_seed(seed))
        planes = decoder(latents + noise * latents.std() * shaken).float()
    return (planes.clamp(0, 1) * 255.0 + 0.5).to(torch.uint8).permute(0, 2, 3, 1).numpy()


def with_spectrum_of(original: np.ndarray, twin: np.ndarray) -> np.ndarray:
    """Gives `twin` the mean power per radius of `original`; the gain per radius stays within 0.5..2.

    Both `uint8 [H, H, 3]`. The phase, and with it the content, stays.
    """
    wanted, found = (np.fft.fft2(image.astype(np.float32), axes=(0, 1)) for image in (original, twin))
    radius = _radius(original.shape[0])
    counts = np.bincount(radius.ravel())
    powers = [np.bincount(radius.ravel(), (np.abs(s) ** 2).mean(2).ravel()) / counts for s in (wanted, found)]
    gain = np.clip(np.sqrt(powers[0] / (powers[1] + 1e-6)), 0.5, 2.0)
    gain[0] = 1.0
    shaped = np.fft.ifft2(found * gain[radius][:, :, None], axes=(0, 1)).real
    return np.clip(shaped + 0.5, 0, 255).astype(np.uint8)


def _radius(side: int) -> np.ndarray:
    steps = np.fft.fftfreq(side) * side
    return np.hypot(steps[:, None], steps[None, :]).round().astype(np.int64)


def _saved(pixels: np.ndarray) -> np.ndarray:
    """JPEG quality 92, 4:2:0: the compression every packed crop has."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="JPEG", quality=92, subsampling=2)
    return np.asarray(Image.open(file).convert("RGB"))


def _conv(inputs: int = WIDTH, outputs: int = WIDTH, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=bias)


def _encoder() -> nn.Sequential:
    layers: list[nn.Module] = [_conv(3), CodecBlock()]
    for level in range(3):
        layers += [_conv(stride=2, bias=False), *(CodecBlock(normalised=level == 2) for _ in range(3))]
    return nn.Sequential(*layers, _conv(WIDTH, LATENT_CHANNELS))


def _decoder() -> nn.Sequential:
    layers: list[nn.Module] = [Bounded(), _conv(LATENT_CHANNELS), nn.ReLU()]
    for level in range(3):
        blocks = [CodecBlock(normalised=level == 0) for _ in range(3)]
        layers += [*blocks, nn.Upsample(scale_factor=2), _conv(bias=False)]
    return nn.Sequential(*layers, CodecBlock(), _conv(WIDTH, 3))
