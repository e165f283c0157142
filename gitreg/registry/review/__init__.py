"""Pull requests and pushes: the check, its report, proposals and the forges."""
