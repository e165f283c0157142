"""Train a classifier on scikit-learn's own iris data: python train.py logistic|forest."""

import json
import sys
from pathlib import Path

import skops.io
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split

CLASSIFIERS = {
    "logistic": LogisticRegression(C=0.05, max_iter=1000),
    "forest": RandomForestClassifier(n_estimators=50, max_depth=3, random_state=0),
}

TUNED = {"logistic": ["C"], "forest": ["n_estimators", "max_depth"]}

kind = sys.argv[1]
X, y = load_iris(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=7, stratify=y)
classifier = CLASSIFIERS[kind].fit(X_train, y_train)

folder = Path("build") / kind
folder.mkdir(parents=True, exist_ok=True)
skops.io.dump(classifier, folder / "model.skops")
metrics = {
    "accuracy": accuracy_score(y_test, classifier.predict(X_test)),
    "log_loss": log_loss(y_test, classifier.predict_proba(X_test)),
    "classifier": type(classifier).__name__,
    "params": {
        key: value for key, value in classifier.get_params().items() if key in ("C", "n_estimators", "max_depth")
    },
}
(Path("build") / f"{kind}.json").write_text(json.dumps(metrics))
print(f"{type(classifier).__name__}: accuracy {metrics['accuracy']:.3f}, log loss {metrics['log_loss']:.3f}")
