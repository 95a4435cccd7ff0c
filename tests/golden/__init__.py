"""Stores as earlier releases wrote them, which every later one must read."""
