"""``python -m gitreg``."""

from gitreg.cli.main import main

main()
