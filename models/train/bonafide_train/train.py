"""Fits the network: one run, one folder with its settings, loss curve and checkpoint."""

import copy
import hashlib
import json
import math
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import splits
from .batches import Batch, BatchPlan, BatchSource, stream
from .data import SIDE_PX, read_table
from .network import PatchNetwork, build, parameters
from .pictures import read_picture_crops
from .warm import start_from


@dataclass(frozen=True)
class Settings:
    """Everything a run depends on besides the data; written to `settings.json`.

    The learning rate falls along a cosine with the share of the run that is done, by steps or by minutes,
    whichever is further; `minutes` is wall time of training over all resumptions. `start` is the SHA-256 of the
    exported model the run starts from, empty where it starts from chance.
    """

    minutes: float
    network: str = "full"
    steps: int = 1_000_000
    batch: int = 32
    pairs: int = 4
    seed: int = 1
    learning_rate: float = 1.5e-3
    last_learning_rate: float = 1e-5
    warm_up_steps: int = 200
    weight_decay: float = 0.02
    label_smoothing: float = 0.05
    patch_weight: float = 0.3
    pair_weight: float = 0.3
    average: float = 0.999
    sides_px: tuple[int, ...] = (128, 128, 128, 160)
    start: str = ""


class Run:
    """State of a training run; everything in it survives in the checkpoint."""

    def __init__(self, settings: Settings) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.network = build(settings.network).to(memory_format=torch.channels_last)
        self.averaged = copy.deepcopy(self.network).eval()
        groups = _groups(self.network, settings.weight_decay)
        self.optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate, fused=True)
        self.step = 0
        self.seconds = 0.0

    def progress(self) -> float:
        """Share of the run that is done, in 0..1."""
        by_time = self.seconds / (60.0 * self.settings.minutes)
        return min(1.0, max(by_time, self.step / self.settings.steps))

    def save(self, path: Path) -> None:
        """Writes the checkpoint; an interruption leaves the former one whole."""
        parts = {name: getattr(self, name).state_dict() for name in ("network", "averaged", "optimizer")}
        unfinished = path.with_suffix(".part")
        torch.save({**parts, "step": self.step, "seconds": self.seconds}, unfinished)
        unfinished.rename(path)

    def load(self, path: Path) -> None:
        """Continues from a checkpoint."""
        state = torch.load(path, map_location="cpu", weights_only=True)
        for name in ("network", "averaged", "optimizer"):
            getattr(self, name).load_state_dict(state[name])
        self.step, self.seconds = state["step"], state["seconds"]


def train(data: Path, cache: Path, folder: Path, settings: Settings, start: Path | None = None) -> Path:
    """Trains, or goes on where `folder` stopped, and returns the checkpoint's path.

    A new run starts from the exported model `start` where one is given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if start:
        settings = replace(settings, start=hashlib.sha256(start.read_bytes()).hexdigest())
    (folder / "settings.json").write_text(json.dumps(asdict(settings), indent=1) + "\n", encoding="utf-8")
    run, checkpoint = Run(settings), folder / "checkpoint.pt"
    if checkpoint.exists():
        run.load(checkpoint)
    print(f"{parameters(run.network):,} parameters, from step {run.step}", flush=True)
    plan = BatchPlan(settings.batch, settings.pairs, settings.seed)
    crops = read_table(data)
    source = BatchSource([*splits.training(crops), *read_picture_crops(cache, len(crops))], cache, plan)
    record_data(data, cache, folder)
    if start and not checkpoint.exists():
        start_from(start, run.network, [source.batch(step, SIDE_PX) for step in range(START_BATCHES)])
        run.averaged.load_state_dict(run.network.state_dict())
    _loop(run, stream(source, run.step, list(settings.sides_px)), folder)
    run.save(checkpoint)
    return checkpoint


def record_data(data: Path, cache: Path, folder: Path) -> None:
    """Writes `data.json`: how many crops, cuts of whole pictures and twins the run draws from."""
    crops = read_table(data)
    cuts = read_picture_crops(cache, len(crops))
    twins = cache / "twin_rows.npy"
    counts = {
        "crops": len(splits.training(crops)),
        "cuts": len(cuts),
        "pictures": len({cut.blob for cut in cuts}),
        "twins": len(np.load(twins)) if twins.exists() else 0,
    }
    (folder / "data.json").write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")


def load_averaged(folder: Path) -> PatchNetwork:
    """Loads the averaged weights of a run, ready to be measured or exported."""
    settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    network = build(settings.get("network", "full"))
    state = torch.load(folder / "checkpoint.pt", map_location="cpu", weights_only=True)
    network.load_state_dict(state["averaged"])
    return network.eval()


def loss(patch_logits: Tensor, logit: Tensor, batch: Batch, settings: Settings) -> Tensor:
    """Cross-entropy of the crop logit, a share of it per patch, and a margin within aligned pairs.

    A generated crop is generated in every patch, so every patch may carry the crop's label.
    """
    target = batch.synthetic * (1 - settings.label_smoothing) + settings.label_smoothing / 2
    total = F.binary_cross_entropy_with_logits(logit, target)
    per_patch = target[:, None, None].expand_as(patch_logits)
    total = total + settings.patch_weight * F.binary_cross_entropy_with_logits(patch_logits, per_patch)
    if batch.pairs:
        paired = logit[: 2 * batch.pairs].view(-1, 2)
        total = total + settings.pair_weight * F.softplus(1.0 - (paired[:, 1] - paired[:, 0])).mean()
    return total


def learning_rate(settings: Settings, progress: float, step: int) -> float:
    """Linear warm-up, then half a cosine down to the last rate."""
    cosine = (1 + math.cos(math.pi * progress)) / 2
    rate = settings.last_learning_rate + (settings.learning_rate - settings.last_learning_rate) * cosine
    return rate * min(1.0, (step + 1) / settings.warm_up_steps)


def _loop(run: Run, batches: Iterable[Batch], folder: Path) -> None:
    window, before, saved = [], time.monotonic(), time.monotonic()
    for batch in batches:
        if run.progress() >= 1.0:
            break
        window.append(_update(run, batch))
        now = time.monotonic()
        run.seconds, before = run.seconds + min(now - before, LONGEST_STEP_S), now
        if run.step % LOG_EVERY_STEPS == 0:
            _log(run, window, folder / "curve.tsv")
            window.clear()
        if now - saved > SAVE_EVERY_S:
            run.save(folder / "checkpoint.pt")
            saved = now


def _update(run: Run, batch: Batch) -> tuple[float, float, float]:
    """One step of the optimiser; returns loss, accuracy over all crops, share of pairs in the right order."""
    rate = learning_rate(run.settings, run.progress(), run.step)
    for group in run.optimizer.param_groups:
        group["lr"] = rate
    run.network.train()
    with torch.autocast("cpu", torch.bfloat16):
        patch_logits, logit = run.network(batch.crops)
    value = loss(patch_logits, logit, batch, run.settings)
    run.optimizer.zero_grad(set_to_none=True)
    value.backward()
    nn.utils.clip_grad_norm_(run.network.parameters(), 2.0)
    run.optimizer.step()
    run.step += 1
    _average(run)
    right = ((logit > 0).float() == batch.synthetic).float().mean()
    paired = logit[: 2 * batch.pairs].view(-1, 2)
    ordered = (paired[:, 1] > paired[:, 0]).float().mean() if batch.pairs else torch.tensor(math.nan)
    return float(value.detach()), float(right), float(ordered)


@torch.no_grad()
def _average(run: Run) -> None:
    """Moving average of weights and normalisation statistics, short at first."""
    share = min(run.settings.average, run.step / (run.step + 10))
    averaged = run.averaged.state_dict()
    for name, value in run.network.state_dict().items():
        if value.dtype.is_floating_point:
            averaged[name].lerp_(value, 1 - share)
        else:
            averaged[name].copy_(value)


def _groups(network: nn.Module, weight_decay: float) -> list[dict]:
    """Weight decay for convolutions only, not for biases and normalisation."""
    flat = [p for p in network.parameters() if p.ndim <= 1]
    deep = [p for p in network.parameters() if p.ndim > 1]
    return [{"params": deep, "weight_decay": weight_decay}, {"params": flat, "weight_decay": 0.0}]


def _log(run: Run, window: list[tuple[float, float, float]], curve: Path) -> None:
    """Appends step, seconds and the means of the window to the loss curve, and prints them."""
    means = [sum(column) / len(window) for column in zip(*window, strict=True)]
    line = "\t".join([str(run.step), f"{run.seconds:.0f}", *(f"{mean:.4f}" for mean in means)])
    with open(curve, "a", encoding="utf-8") as file:
        file.write(line + "\n")
    print(line, flush=True)


LOG_EVERY_STEPS = 100
SAVE_EVERY_S = 120.0

LONGEST_STEP_S = 5.0
"""A process that was stopped for a while has not trained meanwhile."""

START_BATCHES = 16
"""Batches that measure the planes of a model a run starts from."""
