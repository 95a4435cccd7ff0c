"""The suite `differential`: the same calls on two backends, until they part."""
