"""The benchmark engine: operations of several stores and of the bare disk, measured in turns: drift hits all."""
