"""The suite `benchmark`: operations that are measured in turns, beside the bare disk. It runs when it is asked for."""
