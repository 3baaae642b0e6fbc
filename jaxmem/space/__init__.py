"""Mechanisms placed along x: cables, trees, and the electrodiffusion of ions inside and outside of them."""

from .across import Across, across
from .cable import AbstractAlong, Cable, CableState
from .contents import AbstractTissue, TissueState
from .edges import central, scharfetter_gummel
from .phase import WATER, Cells, Opening, Phase, inside, outside
from .placed import Placed, place
from .tissue import Tissue
from .tree import Section, Tree, cylinder, tree

__all__ = [
    "WATER",
    "AbstractAlong",
    "AbstractTissue",
    "Across",
    "Cable",
    "CableState",
    "Cells",
    "Opening",
    "Phase",
    "Placed",
    "Section",
    "Tissue",
    "TissueState",
    "Tree",
    "across",
    "central",
    "cylinder",
    "inside",
    "outside",
    "place",
    "scharfetter_gummel",
    "tree",
]
