"""Tests of `conformance.histories.drivers`."""
