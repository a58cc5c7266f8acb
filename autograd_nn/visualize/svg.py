"""SVG of a canvas: outlines, words and tooltips; no link, script, style sheet or id; the same bytes in every run."""

from html import escape
from typing import NamedTuple

from .canvas import Canvas, Outline, Part, Points, Words

MARGIN = 10.0
KEEP_SPACES = ' xml:space="preserve"'
FONTS = "Helvetica, Arial, 'Liberation Sans', sans-serif"


class Tip(NamedTuple):
    """The kind of a part, and its tooltip."""

    kind: str
    text: str


def to_svg(canvas: Canvas, title: str, description: str, tips: dict[str, Tip]) -> str:
    """The picture with a title and description to be read aloud; it scales down with the page.

    The length of every line of text is given, so that it fits its box in any font; but layout programs do not know how
    long text outside ASCII is, so that is centred where it stands.
    """
    width, height = canvas.width + 2 * MARGIN, canvas.height + 2 * MARGIN
    parts = "".join(_part(part, canvas.height, tips) for part in canvas.parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.2f} {height:.2f}" style="max-width:100%;height:auto">\n'
        f"<title>{escape(title)}</title>\n<desc>{escape(description)}</desc>\n"
        f'<g transform="translate({MARGIN:g} {MARGIN:g})" font-family="{FONTS}">\n'
        f"{parts}</g>\n</svg>\n"
    )


def _part(part: Part, height: float, tips: dict[str, Tip]) -> str:
    tip = _edge_tip(part, tips) if part.what == "edge" else tips.get(part.tail, Tip("legend", ""))
    title = f"<title>{escape(tip.text)}</title>" if tip.text else ""
    marks = "".join(_words(m, height) if isinstance(m, Words) else _outline(m, height) for m in part.marks)
    return f'<g class="{part.what} {tip.kind}">{title}\n{marks}</g>\n'


def _edge_tip(part: Part, tips: dict[str, Tip]) -> Tip:
    names = [tips[end].text.partition("\n")[0] if end in tips else "" for end in (part.tail, part.head)]
    return Tip("line", " → ".join(names))


def _words(words: Words, height: float) -> str:
    weight = ' font-weight="bold"' if words.bold else ""
    start, fit = words.x, f'textLength="{words.length:.1f}" lengthAdjust="spacingAndGlyphs"'
    if not words.text.isascii():
        start, fit = words.x + words.length / 2, 'text-anchor="middle"'
    spaces = KEEP_SPACES if words.text[:1] == " " or "  " in words.text else ""
    place = f'x="{start:.1f}" y="{height - words.y:.1f}" {fit}'
    look = f'font-size="{words.size:g}"{weight} fill="{words.color}"'
    return f"<text {place} {look}{spaces}>{escape(words.text)}</text>\n"


def _outline(outline: Outline, height: float) -> str:
    dashes = f' stroke-dasharray="{" ".join(f"{d:g}" for d in outline.dashes)}"' if outline.dashes else ""
    stroke = f'stroke="{outline.line}" stroke-width="{outline.width:g}"' if outline.line else 'stroke="none"'
    return f'<path d="{_path(outline, height)}" fill="{outline.fill or "none"}" {stroke}{dashes}/>\n'


def _path(outline: Outline, height: float) -> str:
    first, *rest = _numbers(outline.points, height)
    return f"M{first}{'C' if outline.curved else 'L'}{' '.join(rest)}{'Z' if outline.closed else ''}"


def _numbers(points: Points, height: float) -> list[str]:
    return [f"{x:.1f},{height - y:.1f}" for x, y in points]
