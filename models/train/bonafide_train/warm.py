"""Starts a run from the weights of an exported model instead of from chance.

An exported file holds every normalisation folded into its convolution. Unfolding needs the mean and spread of each
plane, which a few training batches give; the network then computes what the file computes.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from .batches import Batch
from .network import PatchNetwork


def start_from(model: Path, network: PatchNetwork, batches: Iterable[Batch]) -> None:
    """Loads the weights of `model` into `network`, whose shape it must have, and sets its statistics from `batches`.

    Raises `ValueError` where the file's convolutions are not those of the network.
    """
    layers = [layer for layer in network.body.modules() if isinstance(layer, nn.Conv2d | nn.BatchNorm2d)]
    pairs = list(zip(layers[::2], layers[1::2], strict=True))
    *folded, head = _convolutions(model)
    shapes = [tuple(convolution.weight.shape) for convolution, _ in pairs]
    if [tuple(weight.shape) for weight, _ in folded] != shapes or head[0].shape != network.head.weight.shape:
        raise ValueError(f"{model} is not a network of this shape; name its own with --network")
    with torch.no_grad():
        network.head.weight.copy_(head[0])
        network.head.bias.copy_(head[1])
        for (convolution, norm), (weight, bias) in zip(pairs, folded, strict=True):
            convolution.weight.copy_(weight)
            _pass_through(norm, bias)
        _measure(network, pairs, [bias for _, bias in folded], list(batches))


def _convolutions(model: Path) -> list[tuple[Tensor, Tensor]]:
    """Weight and bias of every convolution after the stem, of a file in floating point or in bytes."""
    graph = onnx.load(str(model)).graph
    makers = {node.output[0]: node for node in graph.node}
    constants = {tensor.name: tensor for tensor in graph.initializer}

    def value(name: str) -> np.ndarray:
        maker = makers.get(name)
        if maker is None:
            return onnx.numpy_helper.to_array(constants[name]).astype(np.float32)
        if maker.op_type == "Constant":
            return onnx.numpy_helper.to_array(maker.attribute[0].t).astype(np.float32)
        whole, step, zero = (value(part) for part in maker.input)
        along = (-1, *[1] * (whole.ndim - 1))
        return (whole - zero.reshape(along)) * step.reshape(along)

    nodes = [node for node in graph.node if node.op_type in ("Conv", "QLinearConv")]
    return [tuple(torch.from_numpy(value(name).copy()) for name in node.input[1:3]) for node in nodes[1:]]


def _pass_through(norm: nn.BatchNorm2d, bias: Tensor) -> None:
    """Makes the normalisation add `bias` and nothing else."""
    norm.running_mean.zero_()
    norm.running_var.fill_(1.0 - norm.eps)
    norm.weight.fill_(1.0)
    norm.bias.copy_(bias)


def _measure(network: PatchNetwork, pairs: list, biases: list[Tensor], batches: list[Batch]) -> None:
    """Gives every normalisation its plane's mean and variance and undoes them in weight and bias."""
    found: dict[nn.Module, list[Tensor]] = {norm: [] for _, norm in pairs}

    def note(norm: nn.Module, inputs: tuple[Tensor]) -> None:
        planes = inputs[0].float()
        found[norm].append(torch.stack([planes.mean((0, 2, 3)), planes.square().mean((0, 2, 3))]))

    hooks = [norm.register_forward_pre_hook(note) for _, norm in pairs]
    network.eval()
    for batch in batches:
        network(batch.crops)
    for hook in hooks:
        hook.remove()
    for (_, norm), bias in zip(pairs, biases, strict=True):
        mean, square = torch.stack(found[norm]).mean(0)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_((square - mean.square()).clamp_min(1e-4))
        norm.weight.copy_((norm.running_var + norm.eps).sqrt())
        norm.bias.copy_(bias + mean)
