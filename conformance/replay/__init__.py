"""Engines that look at a store over a long time: what replay gives, and what grows."""
