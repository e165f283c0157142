"""Work trees: checked out, kept in step with their branch, and their index."""
