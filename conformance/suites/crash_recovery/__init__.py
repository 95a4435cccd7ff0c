"""What was acknowledged survives: kills, power loss, crashes of the recovery, and errors of the disk."""
