"""Command line: one subcommand per step, see the README for the order."""

import argparse
from pathlib import Path

import torch

from . import splits
from .data import prepare_pixels, read_table
from .network import NETWORKS


def main() -> None:
    """Runs the step named on the command line."""
    torch.set_num_threads(1)
    arguments = _parser().parse_args()
    arguments.run_step(arguments)


def _prepare(a: argparse.Namespace) -> None:
    from .pictures import prepare_pictures
    from .twins import load_codec, prepare_twins

    pixels = prepare_pixels(a.data, a.cache)
    if a.pictures:
        print(prepare_pictures(a.data, a.cache, a.pictures), "crops of whole pictures")
    if a.codec:
        real = [crop for crop in splits.training(read_table(a.data)) if not crop.synthetic]
        prepare_twins(real, pixels, load_codec(a.codec), a.cache, a.twins)


def _manifests(a: argparse.Namespace) -> None:
    from .manifests import write_manifests

    for path in write_manifests(a.data, a.out, a.pictures):
        print(path)


def _train(a: argparse.Namespace) -> None:
    from .train import Settings, train

    settings = Settings(minutes=a.minutes, network=a.network, steps=a.steps, pairs=a.pairs, seed=a.seed)
    print(train(a.data, a.cache, a.run, settings, a.start))


def _export(a: argparse.Namespace) -> None:
    from .export import export
    from .train import load_averaged

    print(export(load_averaged(a.run), a.model))


def _quantise(a: argparse.Namespace) -> None:
    from .quantise import compare, quantise

    found = compare(a.data, a.cache, a.run, quantise(a.data, a.cache, a.model, a.out))
    print(found)
    if not found["ships"]:
        raise SystemExit(f"{a.out} differs too much from {a.model}: ship the float file")


def _evaluate(a: argparse.Namespace) -> None:
    from .evaluate import evaluate

    evaluate(a.data, a.cache, a.model, a.run, a.show_test)


def _calibrate(a: argparse.Namespace) -> None:
    from .calibrate import calibrate

    calibrate(a.data, a.run)


def _card(a: argparse.Namespace) -> None:
    from .card import write_card

    print(write_card(a.data, a.run, a.model, a.whole))


def _baselines(a: argparse.Namespace) -> None:
    from .baselines import baselines

    baselines(a.data, a.cache, a.run)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bonafide_train", description=__doc__)
    steps = parser.add_subparsers(required=True)
    prepare = _step(steps, "prepare", _prepare, "data", "cache")
    prepare.add_argument("--codec", type=Path, help="folder with taef2_*.pth; makes aligned twins")
    prepare.add_argument("--twins", type=int, default=1_000_000, help="most twins to make; one takes 0.2 s")
    prepare.add_argument("--pictures", type=Path, nargs="+", help="folders written by materialise.py; more crops")
    manifests = _step(steps, "manifests", _manifests, "data")
    manifests.add_argument("--out", type=Path, required=True, help="folder for the lists and the unpacked dev crops")
    manifests.add_argument("--pictures", type=Path, nargs="+", default=[], help="folders written by materialise.py")
    train = _step(steps, "train", _train, "data", "cache", "run")
    train.add_argument("--minutes", type=float, required=True, help="wall time of training")
    train.add_argument("--network", choices=NETWORKS, default="full", help="phases costs a third of full, wide half")
    train.add_argument("--steps", type=int, default=1_000_000, help="most steps, whatever the time")
    train.add_argument("--pairs", type=int, default=4, help="aligned pairs per batch of 32; 0 needs no twins")
    train.add_argument("--seed", type=int, default=1)
    train.add_argument("--start", type=Path, help="exported model of the same network to start from; else from chance")
    _step(steps, "export", _export, "run", "model")
    evaluate = _step(steps, "evaluate", _evaluate, "data", "cache", "model", "run")
    evaluate.add_argument("--show-test", action="store_true", help="print the test part too: once, when all is chosen")
    _step(steps, "calibrate", _calibrate, "data", "run")
    quantise = _step(steps, "quantise", _quantise, "data", "cache", "run", "model")
    quantise.add_argument("--out", type=Path, required=True, help="the 8-bit file; needs the run's scores and calibration")
    card = _step(steps, "card", _card, "data", "run", "model")
    card.add_argument("--whole", type=Path, help="a card fitted to whole pictures by `bonafide models add --calibrate`")
    _step(steps, "baselines", _baselines, "data", "cache", "run")
    return parser


def _step(steps: argparse._SubParsersAction, name: str, run_step: object, *needed: str) -> argparse.ArgumentParser:
    step = steps.add_parser(name)
    step.set_defaults(run_step=run_step)
    for option in needed:
        step.add_argument(
            f"--{option}", type=Path, required=option != "cache", default=Path("cache"), help=_HELP[option]
        )
    return step


_HELP = {
    "data": "folder with crops-*.tar and crops.tsv",
    "cache": "folder for decoded pixels, about 2.5 GB (default: cache)",
    "run": "folder of one run: checkpoint, curve, scores",
    "model": "the ONNX file",
}

if __name__ == "__main__":
    main()
