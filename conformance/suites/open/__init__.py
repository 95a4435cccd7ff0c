"""Whether a backend opens at all."""
