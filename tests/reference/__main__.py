"""``python -m tests.reference FOLDER``: write the API reference."""

import sys
from pathlib import Path

from tests.reference import build

if len(sys.argv) != 2:
    sys.exit("usage: python -m tests.reference FOLDER")
build(Path(sys.argv[1]))
print(Path(sys.argv[1], "gitreg.html"))
