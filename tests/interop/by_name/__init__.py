"""Servers by name, at what they document: their contracts as data, and the recipe's lines for each."""
