"""Runs, steps and pipelines: what they record, and how other processes join them."""
