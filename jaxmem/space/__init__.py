"""Mechanisms placed along x: cables, trees, and the electrodiffusion of ions inside and outside of them."""

from .cable import AbstractAlong, Cable, CableState
from .placed import Placed, place
from .tree import Section, Tree, cylinder, tree

__all__ = ["AbstractAlong", "Cable", "CableState", "Placed", "Section", "Tree", "cylinder", "place", "tree"]
