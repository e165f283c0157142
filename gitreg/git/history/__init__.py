"""The commits of a branch: walked, replayed on a newer base, and their merge bases."""
