"""The registry at one commit: snapshot, index, refs, history and references."""
