"""What the library needs of the place where it runs, as protocols."""
