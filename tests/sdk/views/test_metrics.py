"""The numbers of metadata that measure a version, and the direction that is better."""

from __future__ import annotations

import pytest

from gitreg.sdk.views.metrics import better, flat, is_metric


@pytest.mark.parametrize(
    ("key", "direction"),
    [
        ("val_loss", "lower"), ("logloss", "lower"), ("error_rate", "lower"), ("RMSE", "lower"), ("min_loss", "lower"),
        ("train_loss_epoch", "lower"), ("latency_ms", "lower"), ("perplexity", "lower"), ("metrics.mae", "lower"),
        ("accuracy", "higher"), ("testAccuracy", "higher"), ("ndcg@10", "higher"), ("F1", "higher"), ("R2", "higher"),
        ("f1_macro", "higher"), ("auc_roc", "higher"), ("top1_acc", "higher"),
        ("neg_mean_squared_error", "higher"), ("test_neg_log_loss", "higher"), ("neg_recall", ""),
        ("error_reduction", ""), ("loss_reduction", ""), ("error_free_rate", ""), ("accuracy_drop", ""),
        ("accuracy_gap", ""), ("lossDelta", ""), ("error_diff", ""), ("auc_change", ""), ("error_ratio", ""),
        ("dice_loss", "lower"), ("error_recall", ""),
        ("success_rate", ""), ("win_ratio", ""), ("score", ""), ("eval.gap", ""),
    ],
)  # fmt: skip
def test_a_name_of_a_measure_is_a_metric_though_it_never_changes(key: str, direction: str) -> None:
    assert is_metric(key, [0.5, 0.5])
    assert better(key) == direction


@pytest.mark.parametrize("key", [
    "learning_rate", "lr", "dropout_rate", "batch_size", "seed", "params.loss", "threshold", "weight_decay",
    "max_depth", "loss_weight", "config.accuracy", "f1_threshold",
])  # fmt: skip
def test_a_name_of_a_setting_is_none_though_it_changes(key: str) -> None:
    assert not is_metric(key, [0.1, 0.25])


@pytest.mark.parametrize(
    ("values", "metric"), [([0.1, 0.2], True), ([0.1, 0.1], False), ([0.1], False), ([1, 2], False), ([], False)]
)
def test_another_name_is_a_metric_if_it_has_a_fraction_and_changes(values: list[float], *, metric: bool) -> None:
    assert is_metric("quux", values) is metric


def test_nested_metadata_is_flat_and_nothing_is_lost() -> None:
    assert flat({"a": {"b": {"c": 1}, "d": {}}, "e": [1]}) == {"a.b.c": 1, "a.d": {}, "e": [1]}
    assert flat({"a.b": 1, "a": {"b": 2}}) == {"a.b": 1, "a": {"b": 2}}
