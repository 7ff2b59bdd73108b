"""The detector: fixed high-pass stem, small residual body, one logit per patch of 8 x 8 pixels.

Shallow and never pooled before the end, so that a patch logit speaks about a neighbourhood of about 100 pixels and
not about what the picture shows.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STRIDE_PX = 8
"""Side of the square of pixels one patch logit stands for."""

STEPS = 32
"""Steps per unit of a plane: planes are whole numbers of steps from -128 to 127, so that bytes hold them exactly.

Residuals beyond four times their unit come from edges of the content and are cut off there.
"""


class Stem(nn.Module):
    """Turns RGB pixels into nine fixed planes: three colours and two high-pass residuals of each.

    In: `float32 [N, 3, H, W]`, 0..255. Out: `float32 [N, 9, H, W]`, -4..4 in steps of 1/32. Borders repeat the edge pixel.
    The residuals are in units of 4 grey levels: the pixel minus its binomial 3 x 3 mean, and a 5 x 5
    high-pass as known from steganalysis (Fridrich and Kodovsky 2012, kernel "SQUARE 5x5").
    """

    stride = 1

    def __init__(self) -> None:
        super().__init__()
        weight, bias = self.kernels()
        self.register_buffer("weight", weight, persistent=False)
        self.register_buffer("bias", bias, persistent=False)

    def kernels(self) -> tuple[Tensor, Tensor]:
        """Weight and bias of the one convolution."""
        return stem_kernels()

    def forward(self, pixels: Tensor) -> Tensor:
        top, bottom = pixels[:, :, :1], pixels[:, :, -1:]
        pixels = torch.cat([top, top, pixels, bottom, bottom], 2)
        left, right = pixels[:, :, :, :1], pixels[:, :, :, -1:]
        pixels = torch.cat([left, left, pixels, right, right], 3)
        planes = F.conv2d(pixels, self.weight, self.bias, stride=self.stride)
        return planes.mul_(STEPS).round_().clamp_(-128, 127).div_(STEPS)


class PhaseStem(Stem):
    """The same planes at half the resolution, each split into the four phases of a 2 x 2 grid.

    Out: `float32 [N, 36, H / 2, W / 2]`, sides even. Nothing is lost by the halving, since every pixel of a plane lands
    in one of its phases, and every layer after it costs a quarter.
    """

    stride = 2

    def kernels(self) -> tuple[Tensor, Tensor]:
        weight, bias = stem_kernels()
        return in_phases(weight), bias.repeat_interleave(len(PHASES))


class Block(nn.Module):
    """Two 3 x 3 convolutions around a skip connection; shape `[N, C, H, W]` in and out."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(channels, channels, dilation=dilation),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, planes: Tensor) -> Tensor:
        return F.relu(planes + self.body(planes))


class PatchNetwork(nn.Module):
    """The whole detector.

    In: `uint8 [N, H, W, 3]`, RGB, H and W multiples of 8. Out: patch logits `float32 [N, H / 8, W / 8]` and one
    logit per crop `float32 [N]`; above 0 speaks for synthetic.
    """

    def __init__(self, stem: Stem, body: nn.Sequential, width: int) -> None:
        super().__init__()
        self.stem, self.body = stem, body
        self.head = nn.Conv2d(width, 1, 1)

    def forward(self, crop: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(crop.device.type, enabled=False):
            planes = self.stem(crop.permute(0, 3, 1, 2).float())
        features = self.body(planes)
        with torch.autocast(crop.device.type, enabled=False):
            patch_logits = self.head(features.float())[:, 0]
        return patch_logits, pool(patch_logits)


def build(name: str) -> PatchNetwork:
    """Makes the untrained network called `name`: one of `NETWORKS`.

    `full` starts at full resolution: half a million parameters, 1.0 G multiplications a crop of 256 pixels. `phases`
    starts at half: 0.2 million, 0.3 G. `wide` starts at half with half as many planes again: 0.4 million, 0.5 G.
    Raises `KeyError` for another name.
    """
    return NETWORKS[name]()


def _full(full: int = 16, half: int = 32, quarter: int = 64, eighth: int = 96) -> PatchNetwork:
    body = nn.Sequential(
        *_convolution(9, full),
        *_convolution(full, half, stride=2),
        *_convolution(half, quarter, stride=2),
        Block(quarter),
        *_convolution(quarter, eighth, stride=2),
        Block(eighth),
        Block(eighth, dilation=2),
    )
    return PatchNetwork(Stem(), body, eighth)


def _phases(quarter: int = 48, eighth: int = 64) -> PatchNetwork:
    body = nn.Sequential(
        *_convolution(9 * len(PHASES), quarter, stride=2),
        *_convolution(quarter, eighth, stride=2),
        Block(eighth),
        Block(eighth, dilation=2),
    )
    return PatchNetwork(PhaseStem(), body, eighth)


def pool(patch_logits: Tensor) -> Tensor:
    """Logarithm of the mean of the exponentials over all patches: `[N, h, w]` to `[N]`.

    Between mean and maximum: a few convincing patches count more than many indifferent ones. The mean keeps the
    value independent of the number of patches; the maximum is taken out first so that nothing overflows.
    """
    flat = patch_logits.flatten(1)
    highest = flat.amax(1, keepdim=True)
    return (flat - highest).exp().mean(1).log() + highest.squeeze(1)


def stem_kernels() -> tuple[Tensor, Tensor]:
    """Returns the stem's weight `[9, 3, 5, 5]` and bias `[9]`."""
    identity = torch.zeros(5, 5)
    identity[2, 2] = 1.0
    line = torch.tensor([0.0, 1.0, 2.0, 1.0, 0.0]) / 4.0
    first = (identity - torch.outer(line, line)) / 4.0
    second = SQUARE_5X5 / 12.0 / 4.0
    weight = torch.zeros(9, 3, 5, 5)
    for plane, kernel in enumerate((identity / 64.0, first, second)):
        for colour in range(3):
            weight[plane * 3 + colour, colour] = kernel
    bias = torch.zeros(9)
    bias[:3] = -127.5 / 64.0
    return weight, bias


def in_phases(weight: Tensor) -> Tensor:
    """Moves every kernel of `[P, 3, 5, 5]` to the four phases of a 2 x 2 grid: `[4 P, 3, 6, 6]` for stride 2."""
    moved = torch.zeros(len(weight), len(PHASES), 3, 6, 6)
    for phase, (down, right) in enumerate(PHASES):
        moved[:, phase, :, down : down + 5, right : right + 5] = weight
    return moved.flatten(0, 1)


def parameters(network: nn.Module) -> int:
    """Number of trained numbers."""
    return sum(parameter.numel() for parameter in network.parameters())


def _convolution(inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=dilation, dilation=dilation, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]


PHASES = ((0, 0), (0, 1), (1, 0), (1, 1))

NETWORKS = {"full": _full, "phases": _phases, "wide": lambda: _phases(quarter=64, eighth=96)}

SQUARE_5X5 = torch.tensor(
    [
        [-1.0, 2.0, -2.0, 2.0, -1.0],
        [2.0, -6.0, 8.0, -6.0, 2.0],
        [-2.0, 8.0, -12.0, 8.0, -2.0],
        [2.0, -6.0, 8.0, -6.0, 2.0],
        [-1.0, 2.0, -2.0, 2.0, -1.0],
    ]
)
