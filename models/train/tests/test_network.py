"""The network's promises: shapes, fixed stem, pooling, and the same figures from ONNX Runtime."""

import numpy as np
import onnx
import pytest
import torch
from conftest import drawn
from torch.nn import functional as F

from bonafide_train.batches import Batch
from bonafide_train.export import TOLERANCE, check_contract, export, largest_difference, open_session
from bonafide_train.network import NETWORKS, STEPS, PatchNetwork, PhaseStem, Stem, build, parameters, pool
from bonafide_train.warm import start_from


@pytest.fixture(params=NETWORKS)
def network(request) -> PatchNetwork:
    """Untrained, but with normalisation statistics that are not trivial."""
    torch.manual_seed(3)
    network = build(request.param)
    crops = np.stack([drawn(seed, seed % 2 == 1) for seed in range(4)])
    with torch.no_grad():
        network.train()(torch.from_numpy(crops))
    return network.eval()


def test_it_is_small(network):
    assert 100_000 < parameters(network) < 800_000


def test_one_logit_per_eight_pixels(network):
    patch_logits, logit = network(torch.zeros(2, 128, 192, 3, dtype=torch.uint8))
    assert patch_logits.shape == (2, 16, 24) and logit.shape == (2,)


def test_residuals_of_a_flat_picture_are_zero():
    planes = Stem()(torch.full((1, 3, 32, 32), 200.0))
    assert planes[:, 3:].abs().max() < 1e-3
    assert planes[:, :3] == pytest.approx(torch.full((1, 3, 32, 32), (200 - 127.5) / 64).numpy(), abs=0.5 / STEPS)


def test_phases_hold_every_pixel_of_the_full_planes():
    pixels = torch.randint(0, 256, (1, 3, 16, 24)).float()
    full = Stem()(pixels)
    together = F.pixel_shuffle(PhaseStem()(pixels), 2)
    assert together == pytest.approx(full.numpy(), abs=1e-4)


def test_pooling_lies_between_mean_and_maximum_and_survives_large_logits():
    logits = torch.tensor([[[0.0, 1.0], [2.0, 200.0]]])
    pooled = float(pool(logits))
    assert 50.75 < pooled < 200.0
    assert pooled == pytest.approx(200.0 - np.log(4), abs=1e-3)
    assert float(pool(torch.full((1, 4, 4), -0.5))) == pytest.approx(-0.5)


def test_onnx_runtime_agrees_on_pictures(network, tmp_path):
    model = export(network, tmp_path / "synth.onnx")
    crops = np.stack([drawn(seed, seed % 2 == 1) for seed in range(6)])
    assert largest_difference(network, model, crops) <= TOLERANCE


def test_the_batch_size_changes_nothing(network, tmp_path):
    session = open_session(export(network, tmp_path / "synth.onnx"))
    crops = np.stack([drawn(seed, seed % 2 == 1) for seed in range(5)])
    together = session.run(["logit"], {"crop": crops})[0]
    alone = [session.run(["logit"], {"crop": crop[None]})[0][0] for crop in crops]
    assert together == pytest.approx(np.array(alone), abs=1e-4)
    assert np.array_equal(together, session.run(["logit"], {"crop": crops})[0])


def test_a_renamed_output_breaks_the_contract(network, tmp_path):
    model = export(network, tmp_path / "synth.onnx")
    check_contract(model)
    proto = onnx.load(str(model))
    proto.graph.output[0].name = "map"
    for node in proto.graph.node:
        node.output[:] = ["map" if name == "patch_logits" else name for name in node.output]
        node.input[:] = ["map" if name == "patch_logits" else name for name in node.input]
    onnx.save(proto, str(model))
    with pytest.raises(ValueError, match="contract"):
        check_contract(model)


def test_a_run_can_start_from_an_exported_file(network, tmp_path):
    model = export(network, tmp_path / "model.onnx")
    name = next(name for name, make in NETWORKS.items() if parameters(make()) == parameters(network))
    started, crops = build(name), np.stack([drawn(seed, seed % 2 == 1) for seed in range(4)])
    start_from(model, started, [Batch(0, torch.from_numpy(crops), torch.zeros(4), 0)])
    assert largest_difference(started, model, crops) < TOLERANCE
    other = build("full" if name != "full" else "phases")
    with pytest.raises(ValueError, match="--network"):
        start_from(model, other, [])
