"""Names that ``metaflow`` has because this extension is installed."""

__mf_extensions__ = "gitreg"
__version__ = "0.1.0"


def model(*args, **kwargs):
    """Give a step ``current.model``, which saves and loads models of a gitreg registry (``gitreg.model``).

    gitreg is imported when the decorator is used, so that whatever is wrong with it leaves ``import metaflow`` alone.
    """
    from gitreg import model as gitreg_model

    return gitreg_model(*args, **kwargs)
