"""The three browsers that the tests run in."""
