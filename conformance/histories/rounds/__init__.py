"""Rounds: a fresh store, a plan carried out on it by several workers at once, and the history of it."""
