"""Delicate functions, each once, with its own derivative."""
