"""Damage: what a store does when its files are not what it wrote: flipped bits, lost blocks, files cut, old or gone."""
