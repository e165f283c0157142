"""Real servers for the tests: on loopback, on free ports, with their data in a temporary folder."""
