"""Draws training batches.

Which pictures a batch holds and what happens to them follows from the seed and the step alone, so a resumed run
sees what an uninterrupted one would have seen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from . import splits
from .augment import redeliver
from .data import Crop, PixelCache

PIXEL_MIX_CHANCE = 0.2
"""Share of twins blended with their original, at most to four fifths (as in DDA, NeurIPS 2025)."""

PIXEL_MIX_MOST = 0.8


@dataclass(frozen=True)
class BatchPlan:
    """Composition of a batch: `pairs` originals with their twins, the rest half real, half synthetic."""

    size: int
    pairs: int
    seed: int

    def __post_init__(self) -> None:
        if (self.size - 2 * self.pairs) % 2 or self.size < 2 * self.pairs:
            raise ValueError(f"a batch of {self.size} cannot hold {self.pairs} pairs and two equal halves")


@dataclass(frozen=True)
class Batch:
    """`crops` `uint8 [N, H, W, 3]` and `synthetic` `float32 [N]`; the first `2 * pairs` alternate original, twin."""

    step: int
    crops: Tensor
    synthetic: Tensor
    pairs: int


class BatchSource:
    """Makes the batch of any step."""

    def __init__(self, crops: list[Crop], cache: Path, plan: BatchPlan) -> None:
        self.plan = plan
        self.pixels = PixelCache(cache)
        self.real, self.synthetic = ([c for c in crops if c.synthetic is side] for side in (False, True))
        self.chances = {side: splits.weights(group) for side, group in ((False, self.real), (True, self.synthetic))}
        if plan.pairs:
            self._open_twins(cache)

    def batch(self, step: int, side_px: int) -> Batch:
        """Returns the batch of `step` with crops of `side_px`."""
        random = np.random.default_rng([self.plan.seed, step])
        singles = self.plan.size // 2 - self.plan.pairs
        crops, labels = [], []
        for place in range(self.plan.pairs):
            seed = [self.plan.seed, step, place]
            crops += [redeliver(pixels, seed, side_px) for pixels in self._pair(random)]
            labels += [0.0, 1.0]
        for side, group in ((False, self.real), (True, self.synthetic)):
            for index in random.choice(len(group), singles, p=self.chances[side]):
                seed = [self.plan.seed, step, len(labels)]
                crops.append(redeliver(self.pixels[group[index].row], [*seed, 1], side_px))
                labels.append(float(side))
        return Batch(step, torch.from_numpy(np.stack(crops)), torch.tensor(labels), self.plan.pairs)

    def _pair(self, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        index = int(random.choice(len(self.twin_rows), p=self.twin_chances))
        original, twin = self.pixels[self.twin_rows[index]], self.twins[index]
        if random.random() < PIXEL_MIX_CHANCE:
            share = random.uniform(0.0, PIXEL_MIX_MOST)
            twin = (share * original + (1.0 - share) * twin + 0.5).astype(np.uint8)
        return original, twin

    def _open_twins(self, cache: Path) -> None:
        self.twins = np.load(cache / "twins.npy", mmap_mode="r")
        self.twin_rows = np.load(cache / "twin_rows.npy")
        chance = {crop.row: c for crop, c in zip(self.real, self.chances[False], strict=True)}
        raw = np.array([chance.get(row, 0.0) for row in self.twin_rows])
        self.twin_chances = raw / raw.sum()


class _Stream(IterableDataset):
    def __init__(self, source: BatchSource, first_step: int, sides_px: list[int]) -> None:
        self.source, self.first_step, self.sides_px = source, first_step, sides_px

    def __iter__(self) -> Iterator[Batch]:
        step = self.first_step
        while True:
            yield self.source.batch(step, self.sides_px[step % len(self.sides_px)])
            step += 1


def stream(source: BatchSource, first_step: int, sides_px: list[int]) -> DataLoader:
    """Batches from `first_step` on without end, made in one process beside the training one.

    Crop sides go round through `sides_px`.
    """
    dataset = _Stream(source, first_step, sides_px)
    return DataLoader(dataset, batch_size=None, num_workers=1, prefetch_factor=8)
