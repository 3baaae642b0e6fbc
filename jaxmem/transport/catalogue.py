"""Stoichiometries of well-known transporters, particles into the cell per turn.

Counts in dispute are data: `GAT1` is given with one chloride and as `GAT1_WITHOUT_CHLORIDE`.

**Source:** Hille 2001; Lauger 1991; Zerangue & Kavanaugh, Nature 383, 634 (1996) (EAAT); Wright, Loo & Hirayama,
Physiol. Rev. 91, 733 (2011) (SGLT).
"""

from ..electrochemistry import HCO3, Ca, Cl, H, K, Na, gaba, glc, glu
from .stoichiometry import Stoichiometry

NA_K_ATPASE = Stoichiometry("Na/K-ATPase", {Na: -3, K: 2}, atp=1)
SERCA = Stoichiometry("SERCA", {Ca: -2}, atp=1)
PMCA = Stoichiometry("PMCA", {Ca: -1, H: 1}, atp=1)
H_ATPASE = Stoichiometry("H-ATPase", {H: -1}, atp=1)
NCX = Stoichiometry("NCX 3:1", {Na: 3, Ca: -1})
NCX_4_1 = Stoichiometry("NCX 4:1", {Na: 4, Ca: -1})
NCKX = Stoichiometry("NCKX", {Na: 4, Ca: -1, K: -1})
KCC2 = Stoichiometry("KCC2", {K: -1, Cl: -1}, electroneutral=True)
NKCC1 = Stoichiometry("NKCC1", {Na: 1, K: 1, Cl: 2}, electroneutral=True)
NCC = Stoichiometry("NCC", {Na: 1, Cl: 1}, electroneutral=True)
NBC = Stoichiometry("NBC 1:2", {Na: 1, HCO3: 2})
NBC_1_3 = Stoichiometry("NBC 1:3", {Na: 1, HCO3: 3})
AE = Stoichiometry("AE", {Cl: 1, HCO3: -1}, electroneutral=True)
NHE = Stoichiometry("NHE", {Na: 1, H: -1}, electroneutral=True)
EAAT = Stoichiometry("EAAT", {Na: 3, H: 1, glu: 1, K: -1})
GAT1 = Stoichiometry("GAT1", {Na: 2, Cl: 1, gaba: 1})
GAT1_WITHOUT_CHLORIDE = Stoichiometry("GAT1 without Cl", {Na: 2, gaba: 1})
SGLT1 = Stoichiometry("SGLT1 2:1", {Na: 2, glc: 1})
GLUT = Stoichiometry("GLUT", {glc: 1})
CHX = Stoichiometry("CHX", {K: 1, H: -1}, electroneutral=True)
