"""Slow forms of the methods, obviously right, to compare the fast ones with."""
