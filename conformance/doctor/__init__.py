"""What a machine can measure and what it can't: each answer comes from a trial, none from a table of platforms."""
