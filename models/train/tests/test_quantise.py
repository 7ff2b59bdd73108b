"""The 8-bit form: a stem that is exact, a logit that stays, words that are counted."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from conftest import drawn

from bonafide_train.batches import Batch
from bonafide_train.data import prepare_pixels
from bonafide_train.export import export, largest_difference, open_session
from bonafide_train.network import STEPS, build
from bonafide_train.quantise import quantise
from bonafide_train.warm import start_from


@pytest.fixture(params=["full", "wide"])
def files(request, data, tmp_path):
    """A network with statistics of its own, as a float file and in bytes."""
    torch.manual_seed(3)
    network = build(request.param)
    with torch.no_grad():
        network.train()(torch.from_numpy(np.stack([drawn(seed, seed % 2 == 1) for seed in range(4)])))
    cache = tmp_path / "cache"
    prepare_pixels(data, cache)
    model = export(network.eval(), tmp_path / "model.onnx")
    return network, model, quantise(data, cache, model, tmp_path / "bytes.onnx")


def test_planes_in_bytes_are_the_planes(files):
    network, _, small = files
    proto = onnx.load(str(small))
    planes = next(node for node in proto.graph.node if node.op_type == "QLinearConv").output[0]
    proto.graph.output.append(onnx.helper.make_tensor_value_info(planes, onnx.TensorProto.UINT8, None))
    crops = np.stack([drawn(7, True), np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)])
    found = onnxruntime.InferenceSession(proto.SerializeToString()).run([planes], {"crop": crops})[0]
    expected = network.stem(torch.from_numpy(crops).permute(0, 3, 1, 2).float()).numpy()
    assert np.array_equal(found.astype(np.float32) - 128, expected * STEPS)


def test_a_run_can_start_from_bytes(files):
    network, model, small = files
    crops = np.stack([drawn(seed, seed % 2 == 1) for seed in range(4)])
    start_from(small, network, [Batch(0, torch.from_numpy(crops), torch.zeros(4), 0)])
    assert 0 < largest_difference(network, model, crops) < 0.2


def test_the_logit_stays(files):
    _, model, small = files
    crops = np.stack([drawn(seed, seed % 2 == 1) for seed in range(20, 28)])
    before, after = (open_session(file).run(["logit"], {"crop": crops})[0] for file in (model, small))
    assert np.abs(before - after).max() < 0.1
