"""The Git hooks: small scripts (shims) in ``hooks/`` call ``gitreg hook NAME``, which runs the functions here."""
