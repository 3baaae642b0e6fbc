"""Networks of cells: populations, connections with delays, a space that cells share."""

from .connections import Connections, Line, Timing
from .copies import Copies, copies
from .network import Network, NetworkState

__all__ = ["Connections", "Copies", "Line", "Network", "NetworkState", "Timing", "copies"]
