"""Pictures of graphs and models, and their summaries as text."""

from .picture import Picture
from .plot import plot_graph

__all__ = ["Picture", "plot_graph"]
