"""Verdicts on files by their content: data, a pickle of known types, unknown, or code; nothing is imported or run.

:mod:`gitreg.contents.scanner`, which reads the files, is imported only where a file is scanned.
"""

from gitreg.contents.findings import CODE, DATA, LIMITED, OPAQUE, RULES, VERDICTS, Finding, worst

__all__ = ["CODE", "DATA", "LIMITED", "OPAQUE", "RULES", "VERDICTS", "Finding", "worst"]
