"""The base of all layers: state, a call with everything around it, and a config."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any, TypeVar

from .. import ops, regularizers
from ..engine.convert import as_tensor
from ..engine.signatures import Checked, unknown_argument
from ..engine.spec import as_dtype, default_float
from ..engine.tensor import MODE, Tensor, scope, symbol, tracing, user_site
from ..engine.tree import flatten, tree_map, unflatten
from ..engine.variable import Trace
from ..errors import ArgumentTypeError, AutogradError, DTypeError, GraphError, ShapeError, short
from . import masks
from .arguments import (
    as_input,
    bind_init,
    build_names,
    call_spec,
    check_call,
    first_layer_shape,
    has_tensor,
    init_names,
    is_numbers,
    shapes_of,
    symbols_of,
    tensors_in,
)
from .context import CONTEXT, entered
from .described import Described
from .input_spec import check_inputs
from .naming import check_name, snake_case, unique_name
from .node import Call, infer_call, record_call, split
from .stateless import stateless_call
from .weights import Weighted

L = TypeVar("L", bound="Layer")
_FIRST_LAYER = ("input_shape", "input_dim", "batch_input_shape", "batch_shape", "input_length", "weights")


class Layer(Described, Weighted, metaclass=Checked):
    """Base of layers: weights, and a `call` that computes on tensors.

    activity_regularizer: penalty on the outputs, divided by the batch size, added to `losses`
    trainable:            whether the weights may be trained
    dtype:                of weights and computation; the default float if None. Float inputs are cast to it
    autocast:             whether float inputs are cast
    name:                 unique in a model; made from the class name if None
    input_shape, input_dim, batch_input_shape: sizes of the input, for the first layer of a Sequential

    A subclass defines `call(self, inputs, ...)`, usually `build(self, input_shape)` that makes the weights once the
    sizes are known, and `get_config` where its `__init__` takes more than plain values. `call` may take `training`
    and `mask`; they are filled in from the calls around it and from the inputs.

    Raises ArgumentTypeError for an unknown argument, InvalidArgument for a name with other characters than letters,
    digits, `_`, `-`, `.` and spaces.

    >>> import autograd_nn as ag
    >>> class Scale(ag.layers.Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")
    ...     def call(self, inputs):
    ...         return inputs * self.factor
    >>> Scale()([[1.0, 2.0]]).tolist()
    [[1.0, 2.0]]
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        layer = super().__new__(cls)
        layer._init_arguments = bind_init(cls, args, kwargs)
        layer._site = user_site()
        return layer

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _building(vars(cls)["build"])  # type: ignore[method-assign]

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        kind = type(self).__name__
        unknown = [key for key in kwargs if key not in _FIRST_LAYER]
        if unknown:
            raise unknown_argument(kind, unknown, (*init_names(type(self)), *_FIRST_LAYER[:3]))
        self.name: str = unique_name(snake_case(kind)) if name is None else check_name(name, kind)
        self.built = False
        self.autocast = autocast
        self.activity_regularizer = regularizers.get(activity_regularizer)
        # Whoever says what the mask of the outputs is, has one to pass on.
        self.supports_masking = type(self).compute_mask is not Layer.compute_mask
        self.input_spec: Any = None
        self._kind = _checked_dtype(dtype, kind)
        self._losses: list[tuple[Tensor, Trace | None]] = []
        self._calls: list[Call] = []
        self._built_site: Any = None
        self._init_weights(trainable)
        self._batch_input_shape = first_layer_shape(kwargs, kind)
        self._first_weights = kwargs.get("weights")

    _init_arguments: dict[str, Any]
    _site: Any

    # --- what a subclass defines

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of that shape; None stands for sizes that may change from call to call."""

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The layer's computation on tensors."""
        raise NotImplementedError(f"{type(self).__name__} must define call(self, inputs)")

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the outputs; that of the inputs unless a subclass says otherwise."""
        return previous_mask

    # --- dtype

    @property
    def dtype(self) -> str:
        """The dtype of the weights."""
        return self._kind.name

    @property
    def variable_dtype(self) -> str:
        return self._kind.name

    @property
    def compute_dtype(self) -> str:
        """The dtype of the computation, to which float inputs are cast."""
        return self._kind.name

    @property
    def input_dtype(self) -> str:
        return self._kind.name

    # --- the call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The layer on tensors or arrays: builds it first, and leaves a node where the tensors have no value yet."""
        if len(args) == 1 and not kwargs and type(args[0]) is Tensor and "_own_trainable" in self.__dict__:
            # Nearly every call inside a model; nothing to take apart.
            mask = masks.get_mask(args[0])
            args = (self._cast(args[0]),)
            symbolic = args[0].value is None
        else:
            args, kwargs = self._checked_arguments(args, kwargs)
            mask = masks.masks_of(args[0]) if args else None
            args, kwargs = tree_map(self._cast, (args, kwargs))
            symbolic = any(t.value is None for t in tensors_in((args, kwargs)))
        if not CONTEXT.layers:
            self._clear_losses()
        first = args[0] if args else next(iter(kwargs.values()), None)
        if self.input_spec is not None:
            check_inputs(self.input_spec, first, self.name, self._built_site if self.built else None)
        if not self.built:
            self._build_for(args, kwargs)
        if symbolic and MODE.trace is None:
            made = record_call(self, args, kwargs)
            self._calls.append(made)
            return made.outputs
        return self._run(first, mask, args, kwargs)

    def _run(self, first: Any, mask: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`call` with training flag and masks filled in; losses and masks of the outputs noted."""
        training = self._fill_training(args, kwargs)
        if call_spec(type(self).call).masks:
            self._fill_masks(args, kwargs, mask)
        with entered(self, training), scope(self.name, self):
            try:
                outputs = self.call(*args, **kwargs)
            except (ShapeError, DTypeError) as error:
                raise _located(error, self.name) from None
            if self.activity_regularizer is not None:
                self._regularize(outputs)
        previous = kwargs.get("mask")
        self._pass_mask(first, outputs, mask if previous is None else previous)
        return outputs

    def _checked_arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        """The arguments with arrays as tensors; ArgumentTypeError for what cannot be meant as a tensor."""
        if "_own_trainable" not in self.__dict__:
            getattr(self, "name")  # noqa: B009  the attribute error says what to do
        check_call(self.name, call_spec(type(self).call), args, kwargs)
        if args and not isinstance(args[0], Tensor) and is_numbers(args[0]):
            args = (as_tensor(args[0]), *args[1:])
        args, kwargs = tree_map(as_input, (args, kwargs))
        for x in flatten(args[:1])[0]:
            if not isinstance(x, Tensor):
                raise ArgumentTypeError(
                    f"layer {self.name!r} expects tensors or arrays as inputs, got {short(x)} ({type(x).__name__})"
                )
        return args, kwargs

    def _cast(self, x: Any) -> Any:
        """A float tensor in the dtype of the computation; anything else as it is."""
        if not self.autocast or not isinstance(x, Tensor):
            return x
        dtype = x.dtype
        return x if dtype.kind != "f" or dtype == self._kind or self._kind.kind != "f" else ops.cast(x, self._kind)

    def _build_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Build for the shapes of these arguments."""
        names = build_names(_unwrapped(type(self).build))
        given = dict(zip(call_spec(type(self).call).names, args)) | kwargs
        if len(names) <= 1:
            first = args[0] if args else next(iter(kwargs.values()), None)
            self.build(*[shapes_of(first)][: len(names)])
            return
        shapes = {f"{name}_shape": shapes_of(value) for name, value in given.items() if has_tensor(value)}
        self.build(**{name: shapes.get(name) for name in names})

    def _fill_training(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """The training flag: given, else of the call around, else the default of `call`, else False."""
        takes = call_spec(type(self).call)
        place = takes.names.index("training") if "training" in takes.names else len(args)
        given = args[place] if place < len(args) else kwargs.pop("training", None)
        explicit = given is not None
        if explicit and isinstance(given, str):
            raise ArgumentTypeError(f"layer {self.name!r}: training must be True or False, got {short(given)}")
        if given is None:
            given = CONTEXT.training if CONTEXT.training is not None else takes.default_training
        training = False if given is None else given
        if place >= len(args) and ("training" in takes.names or takes.open and explicit):
            kwargs["training"] = training
        return training

    def _fill_masks(self, args: tuple[Any, ...], kwargs: dict[str, Any], mask: Any) -> None:
        """Pass the masks of the inputs on to a `call` that asks for them."""
        names = call_spec(type(self).call).names
        given = {name: value for name, value in (dict(zip(names, args)) | kwargs).items() if has_tensor(value)}
        if "mask" in names and "mask" not in given and names.index("mask") >= len(args) and kwargs.get("mask") is None:
            kwargs["mask"] = mask if mask is not None and masks.any_mask(mask) else None
        for name, value in given.items():
            wanted = f"{name}_mask"
            if wanted in names and kwargs.get(wanted) is None and names.index(wanted) >= len(args):
                kwargs[wanted] = masks.masks_of(value)

    def _pass_mask(self, inputs: Any, outputs: Any, mask: Any) -> None:
        found = self.compute_mask(inputs, mask) if self.supports_masking else None
        if found is not None and masks.any_mask(found) and not masks.all_masked(outputs):
            masks.set_masks(outputs, found)

    # --- losses

    def add_loss(self, loss: Any) -> None:
        """Add a scalar tensor (or several) to what training minimizes; forgotten at the next outermost call.

        Raises ShapeError for a tensor that is not scalar.

        >>> import autograd_nn as ag
        >>> class Small(ag.layers.Layer):
        ...     def call(self, inputs):
        ...         self.add_loss(ag.ops.sum(ag.ops.abs(inputs)))
        ...         return inputs
        >>> layer = Small()
        >>> y = layer(ag.tensor([1.0, -2.0]))
        >>> [float(loss) for loss in layer.losses]
        [3.0]
        """
        for value in loss if isinstance(loss, (list, tuple)) else (loss,):
            scalar = as_tensor(value)
            if scalar.ndim:
                raise ShapeError(
                    f"add_loss in {self.name!r}: expected a scalar, got shape {scalar.shape}; use ops.mean"
                )
            if not CONTEXT.silent:
                self._losses.append((scalar, MODE.trace))

    @property
    def losses(self) -> list[Tensor]:
        """The scalars of the last call: `add_loss`, activity regularizers, then the regularizers of the weights."""
        own = [loss for layer in self._flatten_layers() for loss, trace in layer._losses if trace is MODE.trace]
        penalties = [v.regularizer(v) for v in self.trainable_weights if v.regularizer is not None]
        return [*own, *penalties]

    def _clear_losses(self) -> None:
        for layer in self._flatten_layers():
            layer._losses.clear()

    def _regularize(self, outputs: Any) -> None:
        for t in flatten(outputs)[0]:
            penalty = self.activity_regularizer(t)
            if t.ndim:
                penalty = penalty / ops.cast(ops.size_of(t, 0), penalty.dtype)
            self.add_loss(penalty)

    # --- shapes

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Tensors without values that have the shapes and dtypes of the outputs for such inputs.

        >>> import autograd_nn as ag
        >>> ag.layers.Dense(3).compute_output_spec(ag.layers.Input((4,))).shape
        (None, 3)
        """
        args, kwargs = self._checked_arguments(args, kwargs)
        if not self.built:
            self._build_for(args, kwargs)
        arguments, inputs = split(args, kwargs)
        specs, structure = infer_call(self, arguments, inputs)
        return unflatten(structure, [symbol(spec) for spec in specs])

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The shape of the outputs for inputs of these shapes, None for unknown sizes.

        >>> import autograd_nn as ag
        >>> ag.layers.Dense(3).compute_output_shape((None, 4))
        (None, 3)
        """
        inputs = [symbols_of(shape, self.compute_dtype) for shape in args]
        named = {key.removesuffix("_shape"): symbols_of(shape, self.compute_dtype) for key, shape in kwargs.items()}
        if len(named) == 1 and not inputs:
            inputs, named = list(named.values()), {}
        return shapes_of(self.compute_output_spec(*inputs, **named))

    # --- calls remembered

    @property
    def input(self) -> Any:
        """The input tensors of the layer's first call on tensors without values."""
        return self._first_call().inputs

    @property
    def output(self) -> Any:
        """The output tensors of the layer's first call on tensors without values."""
        return self._first_call().outputs

    def _first_call(self) -> Call:
        if not self._calls:
            raise GraphError(
                f"layer {self.name!r} has no input and output yet: it was never called on a tensor made from Input"
            )
        return self._calls[0]

    # --- a call without side effects

    def stateless_call(
        self,
        trainable_variables: Any,
        non_trainable_variables: Any,
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The layer with other values for its variables, changing nothing.

        trainable_variables, non_trainable_variables: tensors or arrays in the order of the properties of these names

        Returns (outputs, new values of the non-trainable variables), with the losses as a third if `return_losses`.
        Raises NotBuiltError before the layer is built, ShapeError when the number of variables differs.

        >>> import autograd_nn as ag
        >>> layer = ag.layers.Dense(1, use_bias=False)
        >>> layer.build((None, 2))
        >>> layer.stateless_call([[[1.0], [2.0]]], [], [[1.0, 1.0]])[0].tolist()
        [[3.0]]
        """
        self._require_built("stateless_call")
        given = (list(trainable_variables), list(non_trainable_variables))
        args, kwargs = self._checked_arguments(args, kwargs)
        return stateless_call(self, given, args, kwargs, return_losses)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        # Losses of the last call belong to that call.
        state = {**self.__dict__, "_losses": []}
        twin.__dict__.update((name, deepcopy(value, memo)) for name, value in state.items())
        return twin

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


# --- helpers


def _building(build: Callable[..., Any]) -> Callable[..., Any]:
    """`build` outside of any trace, after which the layer counts as built."""

    def wrapped(self: Layer, *args: Any, **kwargs: Any) -> None:
        if CONTEXT.layers and CONTEXT.layers[-1] is self:
            build(self, *args, **kwargs)
            return
        if self.built:
            return
        with tracing(None), entered(self, None):
            build(self, *args, **kwargs)
        self.built = True
        self._built_site = self._built_site or user_site()
        if not self._trainable:
            self.trainable = False
        if self._first_weights is not None:
            self.set_weights(self._first_weights)

    wrapped.__wrapped__ = build  # type: ignore[attr-defined]
    wrapped.__doc__ = build.__doc__
    return wrapped


def _unwrapped(build: Callable[..., Any]) -> Callable[..., Any]:
    return getattr(build, "__wrapped__", build)


Layer.build = _building(Layer.build)  # type: ignore[method-assign]


def _checked_dtype(dtype: Any, what: str) -> Any:
    if dtype is None:
        return default_float()
    try:
        return as_dtype(dtype)
    except DTypeError as error:
        raise DTypeError(f"{what}: {error}") from None


def _located(error: AutogradError, name: str) -> AutogradError:
    """The error with the innermost layer named in its first line."""
    if getattr(error, "layer", None) is not None or repr(name) in str(error):
        return error
    new = type(error)(f"layer {name!r}: {error}").with_traceback(error.__traceback__)
    new.layer = name  # type: ignore[attr-defined]
    return new
