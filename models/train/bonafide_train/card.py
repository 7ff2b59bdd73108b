"""Writes the model card: what the file is, how to run it, what its logit means and how weak it is.

Every figure comes from the run's folder; nothing is typed in by hand.
"""

import hashlib
import json
import math
import tomllib
from collections import Counter
from datetime import date
from pathlib import Path

from . import splits
from .data import SIDE_PX, Crop, read_table
from .network import build, parameters
from .tiers import TIERS

VERSION = "0.3.0"


def write_card(data: Path, run: Path, model: Path, whole: Path | None = None) -> Path:
    """Writes the card beside `model` under the same stem and returns its path.

    `whole` is a card that `bonafide models add --calibrate` fitted to whole pictures: its calibration for many windows
    is taken over, because only production knows how windows are joined.
    """
    figures, calibration, settings, baselines, drawn = (
        json.loads((run / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("figures", "calibration", "settings", "baselines", "data")
    )
    crops = splits.training(read_table(data))
    tables = [
        ("", _head(model, figures, settings["network"])),
        ("input", {"name": "crop", "element": "uint8", "layout": "nhwc", "side_px": SIDE_PX}),
        ("output", {"logit": "logit", "patch_logits": "patch_logits"}),
        ("calibration", _calibration(calibration)),
        *([("calibration.many", _many(whole))] if whole else []),
        ("training", _training(crops, settings, drawn)),
        ("evaluation", _evaluation(figures, baselines) | _bytes(run / "int8.json", model)),
        *((f"evaluation.{tier}", figures["tiers"][tier] | calibration["test"][tier]) for tier in TIERS),
    ]
    text = "\n".join(_table(name, values) for name, values in tables)
    rows = "\n".join(_table("[evaluation.source]", _source(row)) for row in figures["sources"])
    card = model.with_suffix(".toml")
    card.write_text(text + "\n" + rows, encoding="utf-8")
    return card


def _head(model: Path, figures: dict, network: str) -> dict:
    aucs = " / ".join(f"{figures['tiers'][tier]['auc']:.2f}" for tier in TIERS)
    return {
        "name": model.stem,
        "version": VERSION,
        "task": "synthetic_image",
        "file": model.name,
        "sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
        "license": "MIT OR Apache-2.0",
        "description": DESCRIPTION.format(aucs=aucs, millions=parameters(build(network)) / 1e6),
    }


def _calibration(calibration: dict) -> dict:
    kept = ("slope", "intercept", "real_pictures", "synthetic_pictures", "false_alarm")
    return {name: calibration[name] for name in kept}


def _many(whole: Path) -> dict:
    return tomllib.loads(whole.read_text(encoding="utf-8"))["calibration"]["many"]


def _training(crops: list[Crop], settings: dict, drawn: dict) -> dict:
    counts = Counter((crop.source, crop.synthetic) for crop in crops)
    origins: dict[str, set[str]] = {}
    for crop in crops:
        origins.setdefault(crop.source, set()).add(crop.origin)
    sources = [
        f"{source}: {count} {'synthetic' if synthetic else 'real'} crops from {', '.join(sorted(origins[source]))}"
        for (source, synthetic), count in sorted(counts.items())
    ]
    twins = [TWIN_SOURCE.format(**drawn)] if settings["pairs"] else []
    cuts = [CUT_SOURCE.format(**drawn)] if drawn["cuts"] else []
    return {
        "date": date.today().isoformat(),
        "recipe": "models/train",
        "crops": len(crops),
        "sources": [*sources, *cuts, *twins],
        **({"start": START_TEXT.format(**settings)} if settings.get("start") else {}),
        "notes": NOTES,
    }


def _evaluation(figures: dict, baselines: dict) -> dict:
    gates = ", ".join(f"{gate} {100 * rate:.0f} %" for gate, rate in figures["gates"].items())
    return {
        "split": SPLIT,
        "tiers": TIER_TEXT,
        "gates": GATES_TEXT.format(gates=gates),
        "baselines": BASELINES_TEXT.format(**baselines),
    }


def _bytes(compared: Path, model: Path) -> dict:
    """What became of the scores when the file was turned into bytes; nothing for another file."""
    found = json.loads(compared.read_text(encoding="utf-8")) if compared.exists() else {}
    if found.get("sha256") != hashlib.sha256(model.read_bytes()).hexdigest():
        return {}
    step = max(map(abs, found["auc_steps"].values()))
    return {"bytes": BYTES_TEXT.format(step=step, same=100 * found["same_words"])}


def _source(row: dict) -> dict:
    remark = f" ({row['remark']})" if row["remark"] else ""
    return {"name": row["name"] + remark, **{key: value for key, value in row.items() if key not in ("name", "remark")}}


def _table(name: str, values: dict) -> str:
    lines = [f"[{name}]"] if name else []
    lines += [f"{key} = {_value(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    """One TOML value; figures are rounded to five decimals."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a card figure is not finite")
        return repr(round(value, 5))
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[\n" + "".join(f"  {_value(inner)},\n" for inner in value) + "]"
    return str(value)


DESCRIPTION = (
    "A small patch network ({millions:.1f} million parameters) that reads noise and compression traces of single crops "
    "and looks for wholly generated pictures. On sources it has never seen it orders a generated above a real picture "
    "with probability {aucs} (clean / web / hard delivery). A hint for a person, never a proof; it knows nothing of "
    "face swaps, edits or splices."
)

SPLIT = "by source: no source of this split occurs in training; calibration and test use different dev sources"

TIER_TEXT = (
    "Measured on packed 256 px crops, one per picture. clean: as packed (JPEG 92). web: shrunk by a factor of "
    "0.75..1 fixed by the crop's name, then JPEG 60. hard: 0.5..0.67, then JPEG 40. Shrunk crops are repeated to "
    "fill 256 px. The factors do not depend on the class. The test part has no source of the calibration part; "
    "rows marked 'calibration part' and 'same sheets as training' are in no pooled figure."
)

GATES_TEXT = (
    "False alarms among real test crops after a harmless treatment, where 5 % of the untreated ones raise one: {gates}."
)

BASELINES_TEXT = (
    "On the same test part, clean tier: AUC {format_auc:.2f} from the size of the file alone (direction learnt on the "
    "training part) and {content_auc:.2f} from a 32 x 32 thumbnail alone. What the thumbnail reaches is content, not "
    "traces: the pooled figures must be read against it."
)

BYTES_TEXT = (
    "The file computes in 8-bit numbers. Against the same weights in floating point the AUC of no tier moved by more than "
    "{step:.4f}, and {same:.2f} % of the dev crops kept their word."
)

START_TEXT = "The run started from the weights of the model with SHA-256 {start}, trained on the same sources."

TWIN_SOURCE = (
    "{twins} aligned twins: real training crops coded and decoded by the tiny autoencoder of FLUX.2 "
    "(madebyollin/taesd, MIT)"
)

CUT_SOURCE = "{cuts} more crops at many scales of {pictures} whole pictures of the same sources"

NOTES = (
    "The data table records the repository of each picture but no licence for the pictures; most may not be "
    "redistributed, and none is contained in this model's folder. Every crop was last saved as JPEG 92 4:2:0, "
    "originals with a short side over 1,400 px were halved first. The first calibration saw one "
    "crop per picture; production averages up to 8 crops of a picture, for which [calibration.many] was fitted where it "
    "is present. Known weaknesses: today's generators are few in training, sharp press portraits and art on the web "
    "raised many false alarms in an earlier model of this kind, labels of the web collections are up to a quarter "
    "doubtful, and split by source is not split by repository: some test sources "
    "come from repositories that also gave training sources."
)
