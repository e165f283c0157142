"""The interface of ZenML's Model Control Plane: Client, Model and artifacts."""
