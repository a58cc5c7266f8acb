"""What a gradient check found."""

from dataclasses import dataclass
from typing import Any

Index = tuple[int, ...]


@dataclass(frozen=True)
class Finding:
    """One derivative compared, and what is said about it.

    input:     the name of the input
    index:     the element of the input, None where the finding is not about one element
    analytic:  what the gradient rules give
    numeric:   what differences (or a run that must agree) give
    tolerance: how far the two may be apart
    cause:     one word for the likely cause, empty for a right one
    hint:      the cause in a sentence
    """

    input: str = ""
    index: Index | None = None
    analytic: float = 0.0
    numeric: float = 0.0
    tolerance: float = 0.0
    cause: str = ""
    hint: str = ""

    @property
    def share(self) -> float:
        """The difference as a share of the tolerance; infinite where it is not a number."""
        difference = abs(self.analytic - self.numeric)
        if difference == 0:
            return 0.0
        share = difference / self.tolerance if self.tolerance else float("inf")
        return share if share == share else float("inf")

    @property
    def place(self) -> str:
        """`x[1, 2]`."""
        if self.index is None or self.index == ():
            return self.input
        return f"{self.input}[{', '.join(map(str, self.index))}]"


@dataclass(frozen=True)
class GradcheckReport:
    """The result of `gradcheck`: true in a test where the gradient is right.

    ok:      whether every comparison held
    order:   the order of derivative that failed, else the highest that was checked
    worst:   the comparison that failed, else the one nearest to its tolerance
    checked: how many derivatives were compared with differences
    notes:   what the reader should know besides
    """

    ok: bool
    order: int
    worst: Finding
    checked: int = 0
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.ok

    @property
    def input(self) -> str:
        """The name of the input that `worst` is about."""
        return self.worst.input

    @property
    def index(self) -> Index | None:
        """The element of that input; None where the finding is not about one element."""
        return self.worst.index

    @property
    def analytic(self) -> float:
        """The derivative that the gradient rules give."""
        return self.worst.analytic

    @property
    def numeric(self) -> float:
        """The derivative that differences give."""
        return self.worst.numeric

    @property
    def ratio(self) -> float:
        """analytic / numeric."""
        if self.numeric == 0:
            return 1.0 if self.analytic == 0 else float("inf")
        return self.analytic / self.numeric

    @property
    def cause(self) -> str:
        """One word for the likely cause: 'sign', 'factor', 'transposed', ...; empty where all is right."""
        return self.worst.cause

    @property
    def hint(self) -> str:
        """The likely cause in a sentence; empty where all is right."""
        return self.worst.hint

    @property
    def headline(self) -> str:
        """The result on one line."""
        if self.ok:
            return f"gradcheck passed: order {self.order}, {self.checked} derivatives compared"
        where = f" at {self.worst.place}" if self.input else ""
        return f"gradcheck failed (order {self.order}){where}: {self.hint}"

    def __str__(self) -> str:
        return "\n".join([self.headline, *self.details()])

    def __repr__(self) -> str:
        return f"<GradcheckReport {self.headline.removeprefix('gradcheck ')}>"

    def details(self) -> list[str]:
        """The lines below the headline."""
        lines = [f"  {label:<9} {text}" for label, text in self._rows()]
        return [*lines, *(f"  note      {note}" for note in self.notes)]

    def _rows(self) -> list[tuple[str, Any]]:
        if not self.input:
            return []
        worst = self.worst
        rows = [
            ("analytic", f"{worst.analytic:.9g}"), ("numeric", f"{worst.numeric:.9g}"), ("ratio", f"{self.ratio:.9g}"),
            ("apart", f"{abs(worst.analytic - worst.numeric):.2e}, allowed {worst.tolerance:.2e}"),
        ]  # fmt: skip
        return [("closest", f"{worst.place} came nearest to its tolerance"), *rows] if self.ok else rows
