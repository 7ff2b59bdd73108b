"""CPU time per picture of `bonafide scan` and of detect.py beside it, on the same pictures and the same model.

Both run on one thread over the same folder, in turns; what a run over one picture costs is taken off, so that
start-up and loading do not count. The figure is the least of the rounds.

usage: compare.py --bonafide PATH --models FOLDER [--pictures FOLDER] [--rounds 5]
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

PICTURES = 24


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bonafide", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--pictures", type=Path, help="folder of JPEGs of about 1 MP; drawn ones when not given")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        many, one = Path(folder) / "many", Path(folder) / "one"
        fill(many, one, arguments.pictures)
        ours = [str(arguments.bonafide), "scan", "--jobs", "1", "--models", str(arguments.models)]
        theirs = [sys.executable, str(Path(__file__).with_name("detect.py")), str(arguments.models / "synth.onnx")]
        costs: dict[str, list[float]] = {"bonafide": [], "python": []}
        for _ in range(arguments.rounds):
            for name, command in (("bonafide", ours), ("python", theirs)):
                costs[name].append((cpu_s([*command, str(many)]) - cpu_s([*command, str(one)])) / (PICTURES - 1))
    best = {name: min(values) * 1e3 for name, values in costs.items()}
    for name, values in costs.items():
        print(f"{name}: least {best[name]:.1f} ms of CPU per picture, {', '.join(f'{v * 1e3:.1f}' for v in values)}")
    print(f"ratio of the least: {best['bonafide'] / best['python']:.2f}")


def fill(many: Path, one: Path, pictures: Path | None) -> None:
    """Puts the same pictures into `many` and the first of them into `one`."""
    for folder in (many, one):
        folder.mkdir()
    given = sorted(pictures.iterdir())[:PICTURES] if pictures else []
    for place in range(PICTURES):
        if given:
            content = given[place % len(given)].read_bytes()
            (many / f"{place:03}.jpg").write_bytes(content)
        else:
            drawn(place).save(many / f"{place:03}.jpg", quality=90, subsampling=2)
    (one / "000.jpg").write_bytes((many / "000.jpg").read_bytes())


def drawn(seed: int) -> Image.Image:
    """1,000 x 1,000 pixels of soft shapes and sensor-like noise."""
    random = np.random.default_rng(seed)
    small = Image.fromarray(random.integers(0, 256, (40, 40, 3), dtype=np.uint8))
    soft = np.asarray(small.resize((1_000, 1_000), Image.Resampling.BICUBIC), dtype=np.float32)
    return Image.fromarray(np.clip(soft + random.normal(0, 4, soft.shape), 0, 255).astype(np.uint8))


def cpu_s(command: list[str]) -> float:
    """User and system time of a command, in seconds; its output is thrown away."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
