"""Tests of `conformance.histories.checkers`."""
