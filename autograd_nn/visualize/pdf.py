"""PDF of a canvas: one page of outlines, and words in the reader's own Helvetica.

Format: ISO 32000-1 (PDF 1.7), sections 7.5, 8.5 and 9.4. Words that Helvetica's WinAnsi encoding lacks need the page as
an image instead, so that every script comes out.
"""

import re
import zlib

from .canvas import Canvas, Outline, Words

ENCODING = "cp1252"
MARGIN = 10.0
FONTS = " ".join(
    f"/F{k} << /Type /Font /Subtype /Type1 /BaseFont /{base} /Encoding /WinAnsiEncoding >>"
    for k, base in enumerate(("Helvetica", "Helvetica-Bold"))
)


def fits_pdf(canvas: Canvas) -> bool:
    """Whether Helvetica has every character of the picture."""
    text = "".join(mark.text for part in canvas.parts for mark in part.marks if isinstance(mark, Words))
    try:
        text.encode(ENCODING)
    except UnicodeEncodeError:
        return False
    return True


def to_pdf(canvas: Canvas) -> bytes:
    """The picture as a document of one page of its size."""
    marks = [mark for part in canvas.parts for mark in part.marks]
    lines = ["1 j", *(_words(mark) if isinstance(mark, Words) else _outline(mark) for mark in marks)]
    box = f"[{-MARGIN:g} {-MARGIN:g} {canvas.width + MARGIN:g} {canvas.height + MARGIN:g}]"
    return _file(box, f"/Font << {FONTS} >>", "\n".join(lines).encode(ENCODING))


def _words(words: Words) -> str:
    text = re.sub(r"([\\()])", r"\\\1", words.text)
    font = f"/F{int(words.bold)} {words.size:g} Tf"
    return f"{_color(words.color)} rg BT {font} {words.x:.2f} {words.y:.2f} Td ({text}) Tj ET"


def _outline(outline: Outline) -> str:
    state = [f"{outline.width:g} w [{' '.join(f'{d:g}' for d in outline.dashes)}] 0 d"]
    if outline.line:
        state.append(f"{_color(outline.line)} RG")
    if outline.fill:
        state.append(f"{_color(outline.fill)} rg")
    paint = {(True, True): "B", (True, False): "f", (False, True): "S", (False, False): "n"}
    close = "h " if outline.closed else ""
    return f"{' '.join(state)} {_path(outline)} {close}{paint[bool(outline.fill), bool(outline.line)]}"


def _path(outline: Outline) -> str:
    first, *rest = [f"{x:.2f} {y:.2f}" for x, y in outline.points]
    if not outline.curved:
        return " ".join([f"{first} m", *(f"{point} l" for point in rest)])
    return " ".join([f"{first} m", *(f"{' '.join(rest[k : k + 3])} c" for k in range(0, len(rest), 3))])


def _color(text: str) -> str:
    return " ".join(f"{int(text[k : k + 2], 16) / 255:.3g}" for k in (1, 3, 5))


def image_to_pdf(jpeg: bytes, dpi: float) -> bytes:
    """A page that is one JPEG."""
    width, height = jpeg_size(jpeg)
    across, down = f"{width * 72 / dpi:g}", f"{height * 72 / dpi:g}"
    head = (
        f"/Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceRGB "
        "/BitsPerComponent 8 /Filter /DCTDecode"
    )
    content = f"q {across} 0 0 {down} 0 0 cm /I0 Do Q".encode()
    return _file(f"[0 0 {across} {down}]", "/XObject << /I0 5 0 R >>", content, _stream(head, jpeg))


def jpeg_size(jpeg: bytes) -> tuple[int, int]:
    """Width and height, from the frame header (ITU-T T.81, B.2.2)."""
    at = 2
    while jpeg[at + 1] not in (0xC0, 0xC1, 0xC2):
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    return int.from_bytes(jpeg[at + 7 : at + 9]), int.from_bytes(jpeg[at + 5 : at + 7])


def _stream(head: str, data: bytes) -> bytes:
    return f"<< {head} /Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream"


def _file(box: str, resources: str, content: bytes, *more: bytes) -> bytes:
    """The objects of a document of one page, and the table that says where each begins."""
    page = f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Resources << {resources} >> /Contents 4 0 R >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page.encode(),
        _stream("/Filter /FlateDecode", zlib.compress(content, 9)),
        *more,
    ]
    out = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    table = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n"
    for k, body in enumerate(objects, 1):
        table += f"{len(out):010} 00000 n \n"
        out += f"{k} 0 obj\n".encode() + body + b"\nendobj\n"
    trailer = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return out + table.encode() + trailer.encode()
