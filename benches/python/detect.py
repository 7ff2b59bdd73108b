"""Detects with the shipped model the way a Python service would: Pillow, NumPy and ONNX Runtime on one thread.

The steps are those of the detector crate, but for where four of the windows lie: decode, eight native windows of 256 pixels, half of them where there is
most texture, the view as delivered (shorter side 512, JPEG 85) with four, the mean logit of each view, and the
card's line. It stands in for nobody's product; it is what one writes first.

usage: detect.py MODEL.onnx FOLDER
"""

import io
import json
import sys
import tomllib
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

SIDE_PX = 256
CELL_PX = 16


def main() -> None:
    model, folder = Path(sys.argv[1]), Path(sys.argv[2])
    calibration = tomllib.loads(model.with_suffix(".toml").read_text(encoding="utf-8"))["calibration"]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    for file in sorted(folder.iterdir()):
        with Image.open(file) as opened:
            picture = opened.convert("RGB")
        native = logit(session, np.asarray(picture), 8)
        delivered = logit(session, np.asarray(as_delivered(picture)), 4)
        llr = calibration["slope"] * native + calibration["intercept"]
        if abs(native - delivered) > 2:
            llr = min(max(llr, -1.0), 1.0)
        print(json.dumps({"file": file.name, "native": native, "delivered": delivered, "llr": llr}))


def logit(session: onnxruntime.InferenceSession, pixels: np.ndarray, most: int) -> float:
    windows = [pixels[y : y + SIDE_PX, x : x + SIDE_PX] for y, x in places(pixels, most)]
    return float(np.mean([session.run(["logit"], {"crop": window[None]})[0][0] for window in windows]))


def places(pixels: np.ndarray, most: int) -> list[tuple[int, int]]:
    """Corners of the windows: the busiest, then four along the diagonal, then the busiest of the rest."""
    height, width = pixels.shape[:2]
    cells = pixels[: height // CELL_PX * CELL_PX, : width // CELL_PX * CELL_PX, 1].astype(np.float32)
    cells = cells.reshape(height // CELL_PX, CELL_PX, width // CELL_PX, CELL_PX).var(axis=(1, 3))
    steps = [np.linspace(0, side - SIDE_PX, max(1, -(-(side - SIDE_PX) * 2 // SIDE_PX) + 1)) for side in (height, width)]
    corners = [(int(y), int(x)) for y in steps[0] for x in steps[1]]
    texture = {
        (y, x): cells[-(-y // CELL_PX) : (y + SIDE_PX) // CELL_PX, -(-x // CELL_PX) : (x + SIDE_PX) // CELL_PX].mean()
        for y, x in corners
    }
    busiest = sorted(corners, key=lambda corner: -texture[corner])
    spread = [(int(y), int(x)) for y, x in zip(
        np.linspace(0, height - SIDE_PX, 4), np.linspace(0, width - SIDE_PX, 4), strict=True
    )]
    chosen: list[tuple[int, int]] = []
    for group, limit in ((busiest, most // 2), (spread, most), (busiest, most)):
        for corner in group:
            if len(chosen) < limit and not any(crowds(corner, other) for other in chosen):
                chosen.append(corner)
    return chosen


def crowds(one: tuple[int, int], other: tuple[int, int]) -> bool:
    down, right = (max(0, SIDE_PX - abs(a - b)) for a, b in zip(one, other, strict=True))
    return 2 * down * right >= SIDE_PX * SIDE_PX


def as_delivered(picture: Image.Image) -> Image.Image:
    short = min(picture.size)
    if short > 512:
        picture = picture.resize(tuple(side * 512 // short for side in picture.size), Image.Resampling.BILINEAR)
    file = io.BytesIO()
    picture.save(file, format="JPEG", quality=85, subsampling=0)
    return Image.open(file).convert("RGB")


if __name__ == "__main__":
    main()
