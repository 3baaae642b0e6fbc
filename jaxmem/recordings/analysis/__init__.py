"""Analyses that an electrophysiologist starts from."""
