"""The card of a task of Metaflow: which models it saved and loaded, what is said of them, where they are from.

It is written by this process: Metaflow's ``@card`` starts a Python of its own for each.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from html import escape
from types import SimpleNamespace
from typing import Any

TYPE = "gitreg_model"
"""What the card is called: ``python flow.py card view STEP --type gitreg_model``."""

_STYLE = """\
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } h3 { font-size: 1rem; margin-bottom: .25rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; }
dt { opacity: .75; } dd { margin: 0; overflow-wrap: anywhere; } code { font-size: .9em; }
"""


def write_card(flow_datastore: Any, pathspec: str, told: Mapping[str, Any], logger: Any) -> None:
    """Write a task's card; the task has ended well, so what goes wrong here is only said."""
    from metaflow.plugins.cards.card_datastore import CardDatastore

    try:
        storage = type(flow_datastore._storage_impl)
        cards = storage(CardDatastore.get_storage_root(storage.TYPE))
        place = SimpleNamespace(flow_name=flow_datastore.flow_name, _storage_impl=cards)
        CardDatastore(place, pathspec=pathspec).save_card(uuid.uuid4().hex, TYPE, render(pathspec, told))
    except Exception as error:
        logger(f"[@model] the card was not written: {error}", timestamp=False, bad=True)


def render(pathspec: str, told: Mapping[str, Any]) -> str:
    """Give the whole page. Nothing that was said of a model is taken for markup, and nothing is fetched.

    Parameters
    ----------
    pathspec:
        The task, as Metaflow names it.
    told:
        ``run``, ``source``, ``saved`` and ``loaded``, as :class:`gitreg.integrations.metaflow_task.FlowTask` has them.
    """
    saved = "".join(_model(_title(each), each) for each in told["saved"])
    loaded = "".join(_model(f"{name}: {_title(each)}", each) for name, each in told["loaded"].items())
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Models of {escape(pathspec)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>Models of {escape(pathspec)}</h1>"
        f"<section><h2>Saved</h2>{saved or '<p>None.</p>'}</section>"
        f"<section><h2>Loaded</h2>{loaded or '<p>None.</p>'}</section>"
        f"<section><h2>Lineage</h2>{_lineage(told)}</section>"
        "</main></body></html>"
    )


def _title(reference: Mapping[str, Any]) -> str:
    return str(reference["reference"] or f"{reference['model']} (not published yet)")


def _model(title: str, reference: Mapping[str, Any]) -> str:
    facts = {
        "Digest": reference["digest"],
        "Size": f"{reference['size']:,} bytes",
        "Saved at": reference["created_at"],
        "Run": _run(reference.get("run") or {}),
        **{f"metadata.{key}": value for key, value in reference["metadata"].items()},
    }
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{_value(value)}</dd>" for name, value in facts.items() if value)
    return f"<article><h3>{escape(title)}</h3><dl>{rows}</dl></article>"


def _value(value: Any) -> str:
    if isinstance(value, str):
        return escape(value)
    return f"<code>{escape(json.dumps(value, ensure_ascii=False))}</code>"


def _run(run: Mapping[str, Any]) -> str:
    return "/".join(str(run[part]) for part in ("pipeline", "run", "step") if part in run)


def _lineage(told: Mapping[str, Any]) -> str:
    """Say what was made from what: loaded versions, this run of some code, saved versions."""
    source = told["source"]
    code = f"code {str(source['commit'])[:12]}" if source.get("commit") else "code outside of Git"
    steps = [
        ("Made from", [f"{_title(each)} ({_run(each.get('run') or {})})" for each in told["loaded"].values()]),
        ("By", [_run(told["run"]), code + (" with uncommitted changes" if source.get("dirty") else "")]),
        ("Made", [_title(each) for each in told["saved"]]),
    ]
    rows = "".join(f"<dt>{name}</dt><dd>{'<br>'.join(map(escape, items))}</dd>" for name, items in steps if items)
    return f"<dl>{rows}</dl>"
