"""What Metaflow loads of this extension: names of its own, put over those that it has."""

toplevel = "toplevel"
