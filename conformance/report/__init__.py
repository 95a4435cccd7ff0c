"""From results to everything that people and machines read."""
