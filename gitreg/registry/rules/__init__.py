"""The rules of a branch: what a commit, a merge or a push must not change."""
