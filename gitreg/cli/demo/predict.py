"""Predict with a loaded model: python predict.py FOLDER."""

import sys
from pathlib import Path

import skops.io
from sklearn.datasets import load_iris

file = Path(sys.argv[1]) / "model.skops"
# skops loads no code that it does not know; all that it asks about here is scikit-learn's own.
unknown = [name for name in skops.io.get_untrusted_types(file=file) if not name.startswith("sklearn.")]
assert not unknown, f"{file} holds types that are not scikit-learn's: {unknown}"
classifier = skops.io.load(file, trusted=skops.io.get_untrusted_types(file=file))
iris = load_iris()
for flower in (0, 70, 149):
    species = iris.target_names[classifier.predict(iris.data[[flower]])[0]]
    print(f"{iris.data[flower]} -> {species}")
