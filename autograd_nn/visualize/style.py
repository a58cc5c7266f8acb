"""How a picture looks: a shape and a colour per kind of node.

All fills are opaque, so that the text on them can be read on a dark page as on a white one; what stands on the page
itself (edges) is grey enough for both.
"""

from typing import NamedTuple

from .scene import Kind

FONT = "Helvetica"
TEXT, SOFT = "#1b2530", "#5a6673"
EDGE = "#8592a2"
GRADIENT_TEXT, GRADIENT_FILL = "#9a3f06", "#fbe3d0"
NAME_SIZE, TEXT_SIZE = 11, 9
WHITE = "#ffffff"


class Look(NamedTuple):
    """Attributes of a kind of node, and its word in the legend."""

    shape: str
    fill: str
    line: str
    word: str
    style: str = "filled"
    margin: str = "0.09,0.04"


LOOKS: dict[Kind, Look] = {
    Kind.INPUT: Look("invhouse", "#efe9fa", "#7a5fb0", "input"),
    Kind.PARAMETER: Look("cylinder", "#e2f3e6", "#3c8a57", "parameter"),
    Kind.STATE: Look("cylinder", "#eef4f0", "#7f9c8a", "state", "filled,dashed"),
    Kind.CONSTANT: Look("note", "#f1f2f4", "#98a1ab", "constant"),
    Kind.OPERATION: Look("box", "#e9f1fb", "#4f7cac", "operation", "filled,rounded"),
    Kind.LAYER: Look("box", "#dbe8f8", "#3f6a9a", "layer", "filled,rounded,bold"),
    Kind.GRADIENT: Look("octagon", GRADIENT_FILL, "#c4601d", "gradient"),
    Kind.BLOCK: Look("box3d", "#dbe8f8", "#3f6a9a", "closed block", margin="0.14,0.1"),
    Kind.REST: Look("box", "#f7f8fa", "#98a1ab", "left out", "filled,rounded,dashed"),
}
CLUSTER_FILLS = ("#f6f8fa", "#eef1f5", "#e6eaf0")
CLUSTER_LINE = "#c6ced8"
REPEAT_FILL, REPEAT_LINE = "#fdf8ea", "#b9953a"
