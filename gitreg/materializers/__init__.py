"""Objects as files and back: a DataFrame, an array, a trained model, each in the safe format of its own ecosystem.

Nothing is pickled, and nothing pickled is loaded, unless the caller says ``unsafe_pickle=True``. No framework is
imported before an object of its type, or a file that it wrote, turns up.
"""

from gitreg.materializers.base import Materializer, check_exact, qualified
from gitreg.materializers.finding import names
from gitreg.materializers.running import read, write

__all__ = ["Materializer", "check_exact", "names", "qualified", "read", "write"]
