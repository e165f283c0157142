"""``python -m gitreg``."""

from gitreg.cli.start import main

main()
