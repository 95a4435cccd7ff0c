"""The oracles: what a correct store would do, one for each contract and capability."""
