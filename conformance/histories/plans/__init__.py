"""What workers will ask, drawn from seeds."""
