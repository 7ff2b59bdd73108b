"""Two detectors that must not be good: one sees only the file's size, one only a thumbnail.

What they reach is what the data gives away besides traces of generation. Same training crops, same test part,
clean tier only.
"""

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from . import metrics, splits
from .data import Crop, PixelCache, read_files, read_table
from .tiers import deliver

THUMBNAIL_PX = 32


def baselines(data: Path, cache: Path, run: Path, steps: int = 800) -> dict:
    """Measures both, writes `baselines.json` into `run` and returns the AUCs."""
    crops = read_table(data)
    train, test = splits.training(crops), splits.test(crops)
    run.mkdir(parents=True, exist_ok=True)
    found = {"format_auc": _format_auc(data, train, test), "content_auc": _content_auc(cache, train, test, steps)}
    (run / "baselines.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(found)
    return found


def _format_auc(data: Path, train: list[Crop], test: list[Crop]) -> float:
    """Bytes per crop, the only format property that packing left; the direction is learnt on the training part."""
    files = read_files(data, [*train, *test])
    sizes = {member: float(len(jpeg)) for member, jpeg in files.items()}
    learnt = _auc(train, np.array([sizes[crop.member] for crop in train]))
    sign = 1.0 if learnt >= 0.5 else -1.0
    return _auc(test, sign * np.array([sizes[crop.member] for crop in test]))


def _content_auc(cache: Path, train: list[Crop], test: list[Crop], steps: int) -> float:
    """A small network on thumbnails of 32 x 32 pixels, which hold content and colours but no traces."""
    torch.manual_seed(0)
    pixels = PixelCache(cache)
    inputs, labels = _thumbnails(pixels, train), torch.tensor([float(crop.synthetic) for crop in train])
    chances = torch.tensor(splits.weights(train))
    network = _thumbnail_network()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.05)
    for _ in range(steps):
        rows = torch.multinomial(chances, 64, replacement=True)
        batch = inputs[rows]
        batch = batch.flip(3) if torch.rand(()) < 0.5 else batch
        value = nn.functional.binary_cross_entropy_with_logits(network(batch).squeeze(1), labels[rows])
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    with torch.inference_mode():
        return _auc(test, network.eval()(_thumbnails(pixels, test)).squeeze(1).numpy())


def _thumbnails(pixels: PixelCache, crops: list[Crop]) -> torch.Tensor:
    size = (THUMBNAIL_PX, THUMBNAIL_PX)
    views = (Image.fromarray(deliver(pixels[crop.row], crop.member, "clean")) for crop in crops)
    stack = np.stack([np.asarray(view.resize(size, Image.Resampling.BOX)) for view in views])
    return torch.from_numpy(stack).permute(0, 3, 1, 2).float() / 127.5 - 1.0


def _thumbnail_network() -> nn.Module:
    layers: list[nn.Module] = []
    for inputs, outputs in ((3, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(inputs, outputs, 3, 2, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(128 * 16, 1))


def _auc(crops: list[Crop], scores: np.ndarray) -> float:
    synthetic = np.array([crop.synthetic for crop in crops])
    return metrics.auc(scores[~synthetic], scores[synthetic])
