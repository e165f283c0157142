"""Weights of a registry: stores that are trusted, verification, replicas, garbage and scans."""
