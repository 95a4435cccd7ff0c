"""Damaged files are noticed: no flipped bit, lost block, cut, old or missing file is served as truth."""
