"""Drivers: they carry out plans of several workers on one store, and record the history."""
