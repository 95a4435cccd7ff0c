"""Tests of `conformance.histories`."""
