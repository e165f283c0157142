"""Names that ``metaflow`` has because this extension is installed."""

__mf_extensions__ = "gitreg"
__version__ = "0.1.0"


def model(*args, **kwargs):
    """Add ``current.model`` to a step, which saves and loads models of a gitreg registry (``gitreg.model``).

    gitreg is imported when the decorator is used, so that whatever is wrong with it leaves ``import metaflow`` alone.
    """
    from gitreg import model as gitreg_model

    return gitreg_model(*args, **kwargs)
