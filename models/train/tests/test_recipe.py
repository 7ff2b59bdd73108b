"""The whole recipe on made-up pictures, from the packed crops to the card."""

import hashlib
import json
import tomllib

import numpy as np
import pytest
import torch
from conftest import drawn

from bonafide_train import splits
from bonafide_train.baselines import baselines
from bonafide_train.batches import BatchPlan, BatchSource
from bonafide_train.calibrate import calibrate
from bonafide_train.card import write_card
from bonafide_train.data import prepare_pixels, read_table
from bonafide_train.evaluate import evaluate
from bonafide_train.export import export
from bonafide_train.quantise import compare, quantise
from bonafide_train.train import Run, Settings, learning_rate, load_averaged, train
from bonafide_train.twins import with_spectrum_of


@pytest.fixture
def cache(data, tmp_path):
    """Decoded pixels, and twins that are the originals with a checkerboard."""
    folder = tmp_path / "cache"
    prepare_pixels(data, folder)
    rows = [crop.row for crop in splits.training(read_table(data)) if not crop.synthetic]
    np.save(folder / "twins.npy", np.stack([drawn(row, synthetic=True) for row in rows]))
    np.save(folder / "twin_rows.npy", np.array(rows))
    return folder


def test_from_crops_to_card(data, cache, tmp_path, capsys):
    run, model = tmp_path / "run", tmp_path / "synth.onnx"
    torch.set_num_threads(1)
    train(data, cache, run, Settings(minutes=5, steps=30, batch=16, pairs=2, warm_up_steps=5))
    export(load_averaged(run), model)
    evaluate(data, cache, model, run)
    assert "Kolors" in (shown := capsys.readouterr().out) and "COCO" not in shown
    calibrate(data, run)
    baselines(data, cache, run, steps=20)
    found = compare(data, cache, run, quantise(data, cache, model, tmp_path / "small.onnx"))
    assert 0.5 < found["same_words"] <= 1 and set(found["auc_steps"]) == {"clean", "web", "hard"}
    assert (tmp_path / "small.onnx").stat().st_size < 0.9 * model.stat().st_size
    whole = tmp_path / "whole.toml"
    whole.write_text("[calibration.many]\nwindows = 4\nslope = 2.5\nfalse_alarm = [{ llr = 1.5, rate = 0.01 }]\n")
    card = tomllib.loads(write_card(data, run, model, whole).read_text(encoding="utf-8"))
    assert card["calibration"]["many"] == {"windows": 4, "slope": 2.5, "false_alarm": [{"llr": 1.5, "rate": 0.01}]}
    assert any("whole pictures" in source for source in card["training"]["sources"]) is False
    assert card["name"] == "synth" and card["file"] == "synth.onnx"
    assert card["sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert card["calibration"]["slope"] > 0 and card["calibration"]["real_pictures"] == 4
    assert card["training"]["crops"] == 8
    assert "bytes" not in card["evaluation"] and "start" not in card["training"]
    small = tomllib.loads(write_card(data, run, tmp_path / "small.onnx").read_text(encoding="utf-8"))
    assert "8-bit" in small["evaluation"]["bytes"]
    assert {row["name"] for row in card["evaluation"]["source"]} >= {"COCO", "DALL-E 2"}
    assert card["evaluation"]["clean"]["auc"] == json.loads((run / "figures.json").read_text())["tiers"]["clean"]["auc"]


def test_a_run_goes_on_where_it_stopped(data, cache, tmp_path):
    settings = Settings(minutes=5, steps=3, batch=8, pairs=2, average=0.9)
    train(data, cache, tmp_path / "run", settings)
    train(data, cache, tmp_path / "run", Settings(minutes=5, steps=5, batch=8, pairs=2, average=0.9))
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert state["step"] == 5


def test_a_batch_follows_from_seed_and_step(data, cache):
    plan = BatchPlan(size=12, pairs=2, seed=7)
    source = BatchSource(splits.training(read_table(data)), cache, plan)
    first, again, other = source.batch(3, 128), source.batch(3, 128), source.batch(4, 128)
    assert first.crops.shape == (12, 128, 128, 3)
    assert torch.equal(first.crops, again.crops) and not torch.equal(first.crops, other.crops)
    assert first.synthetic.tolist() == [0, 1, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1]


def test_a_batch_that_cannot_be_halved_is_refused():
    with pytest.raises(ValueError, match="pairs"):
        BatchPlan(size=7, pairs=1, seed=0)


def test_the_learning_rate_warms_up_and_falls():
    settings = Settings(minutes=1, warm_up_steps=10)
    rates = [learning_rate(settings, 0.0, step) for step in (0, 9)]
    assert rates[0] < rates[1] == pytest.approx(settings.learning_rate)
    assert learning_rate(settings, 1.0, 1000) == pytest.approx(settings.last_learning_rate)


def test_progress_is_the_further_of_steps_and_minutes():
    run = Run(Settings(minutes=1, steps=100))
    run.step, run.seconds = 50, 6.0
    assert run.progress() == 0.5
    run.seconds = 600.0
    assert run.progress() == 1.0


def test_a_twin_takes_on_the_spectrum_of_its_original():
    sharp = np.random.default_rng(0).integers(60, 190, (64, 64, 3)).astype(np.uint8)
    soft = (sharp.astype(float) * 0.6 + 50).astype(np.uint8)
    spread = [float(image.std()) for image in (sharp, soft, with_spectrum_of(sharp, soft))]
    assert abs(spread[2] - spread[0]) < 0.2 * abs(spread[1] - spread[0])
