"""Promotion: the policy of a stage held against the evidence of a snapshot."""
