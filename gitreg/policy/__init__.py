"""Pure decisions: what the rules of a registry allow, over facts that are handed in."""
