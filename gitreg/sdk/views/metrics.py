"""The numbers of metadata that measure a version, apart from the settings that it was made with.

A number is a metric if a gate names it, or its name does: by a word such as ``loss``, ``accuracy`` or ``latency``, or
as ``metrics.KEY``. It is a setting by a word such as ``learning`` or ``seed``, or as ``params.KEY``. Any other number
is a metric if it has a fraction and differs between versions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

_LARGEST = 10**300  # largest integer in a plot, which is drawn with floats
_LOWER = frozenset([
    "loss", "err", "error", "errors", "rmse", "mse", "mae", "mape", "mad", "perplexity", "ppl", "wer", "cer",
    "eer", "fid", "brier", "latency", "bits", "nll", "ece",
])  # fmt: skip
_HIGHER = frozenset([
    "acc", "accuracy", "f1", "f2", "auc", "auroc", "roc", "auprc", "precision", "recall", "ndcg", "mrr", "bleu",
    "rouge", "meteor", "r2", "iou", "dice", "hits", "specificity", "sensitivity", "throughput",
])  # fmt: skip
_MEASURES = frozenset([
    "score", "rate", "ratio", "gain", "lift", "time", "duration", "seconds", "ms", "kappa", "mcc",
])  # fmt: skip
_TURNED = frozenset([
    "drop", "reduction", "free", "gap", "delta", "diff", "difference", "change", "ratio", "improvement", "gain", "lift",
    "increase", "decrease", "negative", "inverse", "correction", "corrected", "recovery", "detection", "avoided",
    "budget", "target", "tolerance", "scale",
])  # fmt: skip
"""The words that may turn the direction of a measure round: less of an error is worse where it is a reduction."""
_SETTINGS = frozenset([
    "lr", "learning", "dropout", "decay", "momentum", "warmup", "weight", "epoch", "epochs", "batch", "seed",
    "layers", "hidden", "depth", "steps", "size", "alpha", "beta", "gamma", "lambda", "eta", "max", "min",
    "num", "n", "threshold", "temperature", "clip", "patience", "workers", "sample", "sampling",
])  # fmt: skip
_AGGREGATES = frozenset(["epoch", "step", "max", "min"])  # train_loss_epoch is a loss
_METRIC_GROUPS = frozenset(["metric", "metrics", "eval", "evaluation", "result", "results", "scores"])
_SETTING_GROUPS = frozenset([
    "param", "params", "parameters", "hparams", "hyperparameters", "config", "settings", "args",
])  # fmt: skip
_WORD = re.compile(r"[A-Z]?[a-z]+[0-9]?(?![a-z])|[A-Z]+[0-9]?(?![a-z])|[^\W_A-Za-z]+")


def flat(metadata: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return metadata with the keys of nested mappings joined by dots, as filters and gates name them."""
    found: dict[str, Any] = {}
    for key, value in metadata.items():
        inner = flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {}
        if inner and inner.keys().isdisjoint(found):
            found |= inner
        else:
            found[f"{prefix}{key}"] = value
    return found


def is_number(value: Any) -> bool:
    """Return whether a value can be drawn in a plot."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -_LARGEST < value < _LARGEST if isinstance(value, int) else isfinite(value)


def is_metric(key: str, values: Iterable[Any]) -> bool:
    """Return whether a number measures a version, by its key and by its values over the versions."""
    group, _, _ = key.lower().partition(".")
    if group in _SETTING_GROUPS or group in _METRIC_GROUPS:
        return group in _METRIC_GROUPS
    words = _words(key)
    while len(words) > 1 and words[-1] in _AGGREGATES:
        words.pop()
    if not _SETTINGS.isdisjoint(words) and not _measures(words[-1:]):
        return False
    if not _MEASURES.isdisjoint(words) or _measures(words):
        return True
    numbers = [value for value in values if is_number(value)]
    return len(set(numbers)) > 1 and any(value != int(value) for value in numbers)


def better(key: str) -> str:
    """Return ``lower`` or ``higher``, whichever is better by the name of a metric; "" where it is not sure.

    ``neg_`` turns an error round, as the scorers of scikit-learn are named.
    """
    words = _words(key)
    low, high = _is_lower(words), not _HIGHER.isdisjoint(words)
    if not _TURNED.isdisjoint(words) or (high and ("neg" in words or (low and not _is_lower(words[-1:])))):
        return ""
    if low:
        return "higher" if "neg" in words else "lower"
    return "higher" if high else ""


def _measures(words: Sequence[str]) -> bool:
    return _is_lower(words) or not _HIGHER.isdisjoint(words)


def _is_lower(words: Sequence[str]) -> bool:
    return any(word in _LOWER or word.endswith(("loss", "error")) for word in words)


def _words(key: str) -> list[str]:
    return [found.lower() for found in _WORD.findall(key.rpartition(".")[2])]
