"""Tests of `conformance.servers`."""
