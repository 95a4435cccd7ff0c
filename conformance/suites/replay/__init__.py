"""The suite `replay`: what was written is read the same for ever, in any process, on any day; a log is its fold."""
