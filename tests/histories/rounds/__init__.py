"""Tests of `conformance.histories.rounds`."""
