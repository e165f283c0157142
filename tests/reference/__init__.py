"""The API reference: one page with all public names, made by pdoc from the docstrings.

``python -m tests.reference FOLDER`` writes it; open ``FOLDER/gitreg.html``.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pdoc
import pdoc.doc
import pdoc.render
from markupsafe import Markup

import gitreg

FIRST = (
    "Registry", "load", "load_object", "Model", "ModelStages", "Client", "run", "step", "pipeline", "ArtifactConfig",
    "get_step_context", "save_artifact", "load_artifact", "get_artifact_version", "link_artifact_to_model", "model",
    "current",
)  # fmt: skip
"""The names that a program begins with, in this order; values that these return follow, errors come last."""

CONSTRUCTED = {"ArtifactConfig", "Client", "Model"}
"""The classes that users make instances of by a call; for the others the page shows no constructor."""

_ITEM = re.compile(r"^(\S.*):\n(?=    )", re.MULTILINE)
_DOT = r'(?:</span><span class="o">)?\.(?:</span><span class="n">)?'
_PLACE = re.compile(rf"\b(?:gitreg|typing|collections|contextlib|pathlib)(?:{_DOT}[a-z_]+)*{_DOT}(?=[A-Z])")


def order(name: str) -> tuple[bool, int, str]:
    """Return the key by which the names of the page are sorted."""
    value = getattr(gitreg, name)
    is_error = isinstance(value, type) and issubclass(value, Exception)
    return is_error, FIRST.index(name) if name in FIRST else len(FIRST), name


def build(folder: Path) -> None:
    """Write ``gitreg.html`` and what belongs to it into a folder."""
    module = pdoc.doc.Module(gitreg)
    # The names are imported at their first use: pdoc looks into the module's dictionary, where it would not find them.
    module.__dict__["_member_objects"] = {name: getattr(gitreg, name) for name in sorted(gitreg.__all__, key=order)}
    module._var_docstrings["current"] = gitreg.current.__doc__ or ""
    pdoc.render.configure(
        docformat="numpy",
        include_undocumented=False,
        show_source=False,
        search=False,
        footer_text=f"gitreg {gitreg.__version__}",
        template_directory=Path(__file__).parent,
    )
    pdoc.render.env.globals["constructed"] = CONSTRUCTED
    # The documents say `name:` where pdoc reads a name without a colon.
    pdoc.render.env.filters["items"] = lambda text: _ITEM.sub(r"\1\n", text)
    pdoc.render.env.filters["short"] = lambda text: Markup(_PLACE.sub("", text))
    with warnings.catch_warnings():
        # Of the constructors of named tuples, which are not shown.
        warnings.filterwarnings("ignore", r"Error parsing type annotation .* for gitreg\.\w+\.__init__")
        page = pdoc.render.html_module(module, {"gitreg": module})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gitreg.html").write_text(page, "utf-8")
