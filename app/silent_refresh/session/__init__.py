"""What is remembered of a signed-in user, and where."""
