"""LoRA: a frozen weight, and beside it the product of two narrow ones that is trained in its place."""

from typing import Any

from .. import initializers, ops
from ..engine.tensor import Tensor
from ..engine.variable import Variable
from ..errors import InvalidArgument, NotBuiltError, check_number
from .context import Rebuilt
from .layer import Layer
from .weights import check_positive_int, freeze


class Adaptable(Layer):
    """Base of layers whose weight can be adapted by two narrow ones (Hu et al. 2021, arXiv 2106.09685).

    A subclass says which weight that is, calls `_init_lora` in `__init__`, `_adapt_if_asked` at the end of `build`, and
    computes with `_adapted_weight()`.
    """

    _general_config = True
    # The name of the weight, which is the attribute of that name behind an underscore.
    _adapted = "kernel"

    def _init_lora(self, rank: Any, alpha: Any) -> None:
        what = type(self).__name__
        self.lora_rank = None if rank is None else check_positive_int(rank, f"{what}: lora_rank")
        if alpha is not None:
            check_number(what, "lora_alpha", alpha, above=0)
        self.lora_alpha = rank if alpha is None else alpha
        self.lora_enabled = False
        if rank is not None:
            self._check_no_constraint()

    def _check_no_constraint(self) -> None:
        name = f"{self._adapted}_constraint"
        if getattr(self, name) is not None:
            raise InvalidArgument(
                f"LoRA: {self.name!r} has a {name}, which the sum of two weights cannot keep; leave it out"
            )

    def _adapt_if_asked(self) -> None:
        if self.lora_rank is not None:
            self._adapt(self.lora_rank, self.lora_alpha, "he_uniform", "zeros")

    def enable_lora(
        self, rank: int, lora_alpha: Any = None, a_initializer: Any = "he_uniform", b_initializer: Any = "zeros"
    ) -> None:
        """Freeze the weight, and train the product of two narrow ones in its place: `weight + alpha / rank * a @ b`.

        rank:          the size of the axis between the two
        lora_alpha:    how much of the product is added, times `rank`, above 0; all of it if None
        a_initializer: of the first one, (..., rank)
        b_initializer: of the second one, (rank, last size); with zeros the layer computes at first what it did

        Both are float32. A model must be compiled again afterwards. Raises NotBuiltError before the layer is built,
        InvalidArgument for a weight with a constraint, and the second time.

        >>> import autograd_nn as ag
        >>> layer = ag.layers.Dense(4)
        >>> layer.build((None, 6))
        >>> layer.enable_lora(2)
        >>> [tuple(v.shape) for v in layer.trainable_weights]
        [(4,), (6, 2), (2, 4)]
        """
        rank = check_positive_int(rank, f"enable_lora of {self.name!r}: rank")
        if lora_alpha is not None:
            check_number(f"enable_lora of {self.name!r}", "lora_alpha", lora_alpha, above=0)
        if not self.built:
            raise NotBuiltError(
                f"enable_lora: {self.name!r} is not built; call it on data, or build(input_shape), to make its weights"
            )
        if self.lora_enabled:
            raise InvalidArgument(f"enable_lora: {self.name!r} has it already, of rank {self.lora_rank}; once is all")
        self._adapt(rank, lora_alpha, a_initializer, b_initializer)
        Rebuilt.times += 1

    def _adapt(self, rank: int, alpha: Any, a_initializer: Any, b_initializer: Any) -> None:
        self._check_no_constraint()
        name, regularizer = self._adapted, getattr(self, f"{self._adapted}_regularizer")
        makers = initializers.get(a_initializer), initializers.get(b_initializer)
        frozen: Variable = getattr(self, f"_{name}")
        shapes = (*frozen.shape[:-1], rank), (rank, frozen.shape[-1])
        for letter, shape, make in zip("ab", shapes, makers):
            called = f"lora_{name}_{letter}"
            made = self.add_weight(shape, make, dtype="float32", regularizer=regularizer, name=called)
            made.name = made.path = f"{frozen.path.rpartition('/')[0]}/{called}"
            setattr(self, called, made)
        freeze(frozen)
        self.lora_enabled = True
        self.lora_rank = rank
        self.lora_alpha = rank if alpha is None else alpha

    def _narrow(self) -> tuple[Variable, Variable]:
        return getattr(self, f"lora_{self._adapted}_a"), getattr(self, f"lora_{self._adapted}_b")

    def _adapted_weight(self) -> Tensor:
        """The weight, and the product added to it where there is one."""
        if not self.built and f"_{self._adapted}" not in self.__dict__:
            raise NotBuiltError(f"{self._adapted}: {self.name!r} is not built; call it on data, or build(input_shape)")
        frozen: Variable = getattr(self, f"_{self._adapted}")
        if not self.lora_enabled:
            return frozen
        a, b = self._narrow()
        return ops.cast(frozen + (self.lora_alpha / self.lora_rank) * ops.matmul(a, b), self.compute_dtype)

    def _variables_of_keras(self) -> list[Variable]:
        """Files of Keras hold the sum in the place of the three."""
        own = super()._variables_of_keras()
        if not self.lora_enabled:
            return own
        frozen, narrow = getattr(self, f"_{self._adapted}"), self._narrow()
        kept = [v for v in own if v is not narrow[0] and v is not narrow[1]]
        return [_Merged(self._adapted_weight(), frozen, narrow) if v is frozen else v for v in kept]

    def get_config(self) -> dict[str, Any]:
        """The arguments, those of LoRA where it is used."""
        config = super().get_config()
        lora = {"lora_rank": self.lora_rank, "lora_alpha": self.lora_alpha} if self.lora_rank is not None else {}
        return {**{key: value for key, value in config.items() if key not in ("lora_rank", "lora_alpha")}, **lora}


class _Merged(Variable):
    """The sum as one weight: given a value, the frozen one has it and the narrow ones are zero."""

    __slots__ = ("_frozen", "_narrow")

    def __init__(self, value: Tensor, frozen: Variable, narrow: tuple[Variable, Variable]) -> None:
        super().__init__(value, dtype=frozen.dtype, name=frozen.path)
        self._frozen = frozen
        self._narrow = narrow

    def assign(self, value: Any) -> Tensor:
        for variable in self._narrow:
            variable.assign(ops.zeros(variable.shape, variable.dtype))
        return self._frozen.assign(value)
