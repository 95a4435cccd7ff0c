"""Checkers: from a history to a verdict. They know nothing of stores, threads or pytest."""
