"""Objects as files and back: DataFrames, arrays, trained models, each in the safe format of its ecosystem.

Nothing is pickled or unpickled unless the caller passes ``unsafe_pickle=True``. A framework is imported only when an
object of its type, or a file that it wrote, is handled.
"""

from gitreg.materializers.base import Materializer, check_exact, qualified
from gitreg.materializers.dispatch import read, write
from gitreg.materializers.lookup import names

__all__ = ["Materializer", "check_exact", "names", "qualified", "read", "write"]
