"""Git objects: loose and packed ones read, new ones written, received packs taken in."""
