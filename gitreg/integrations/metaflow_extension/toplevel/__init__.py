"""The extension's top level: names that Metaflow takes in place of its own."""

toplevel = "toplevel"
