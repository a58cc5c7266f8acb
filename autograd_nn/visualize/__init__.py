"""Pictures of graphs and models, and their summaries as text."""

from typing import TYPE_CHECKING

from ..lazy import later

if TYPE_CHECKING:
    from .picture import Picture
    from .plot import plot_graph
    from .summary import summary as summarize

__all__ = ["Picture", "plot_graph", "summarize"]

__getattr__ = later(
    globals(), {"Picture": ".picture:Picture", "plot_graph": ".plot:plot_graph", "summarize": ".summary:summary"}
)
