"""What can be done to a registry: pure functions from a snapshot and arguments to changes.

None of them reads or writes anything else, so that each can run again on a newer snapshot when another writer was
faster.
"""
