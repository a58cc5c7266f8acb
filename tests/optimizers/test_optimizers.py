"""Optimizers: rule and face agree, options do what they say, bad arguments are refused; tests/oracle has Keras."""

import math

import numpy as np
import pytest

from autograd_nn import Sequential, Variable, jit, layers, optimizers, tensor
from autograd_nn.errors import ArgumentTypeError, InvalidArgument, NotBuiltError, ShapeError, UnknownName
from autograd_nn.initializers import GlorotUniform
from autograd_nn.optimizers import schedules
from autograd_nn.optimizers.clipping import clip_by_global_norm, clip_by_norm

KINDS = {
    "sgd": lambda **options: optimizers.SGD(0.1, **options),
    "momentum": lambda **options: optimizers.SGD(0.1, momentum=0.9, **options),
    "nesterov": lambda **options: optimizers.SGD(0.1, momentum=0.9, nesterov=True, **options),
    "rmsprop": lambda **options: optimizers.RMSprop(0.1, **options),
    "rmsprop all": lambda **options: optimizers.RMSprop(0.1, momentum=0.5, centered=True, **options),
    "adam": lambda **options: optimizers.Adam(0.1, **options),
    "amsgrad": lambda **options: optimizers.Adam(0.1, amsgrad=True, **options),
    "adamw": lambda **options: optimizers.AdamW(0.1, **{"weight_decay": 0.01, **options}),
    "adagrad": lambda **options: optimizers.Adagrad(0.5, **options),
    "adadelta": lambda **options: optimizers.Adadelta(1.0, epsilon=1e-2, **options),
    "adamax": lambda **options: optimizers.Adamax(0.1, **options),
    "nadam": lambda **options: optimizers.Nadam(0.1, **options),
    "lamb": lambda **options: optimizers.Lamb(0.03, **options),
    "lion": lambda **options: optimizers.Lion(0.04, beta_2=0.9, **options),
    "ftrl": lambda **options: optimizers.Ftrl(0.5, l1_regularization_strength=0.01, **options),
    "adafactor": lambda **options: optimizers.Adafactor(0.5, **options),
}
every_kind = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)


def gradients(step):
    rng = np.random.default_rng(step)
    return [rng.normal(size=(3, 2)), rng.normal(size=4)]


def variables():
    rng = np.random.default_rng(99)
    return [Variable(rng.normal(size=(3, 2)), name="dense/kernel"), Variable(rng.normal(size=4), name="dense/bias")]


def train(optimizer, steps=5, weights=None):
    weights = weights or variables()
    for step in range(steps):
        optimizer.apply([tensor(g) for g in gradients(step)], weights)
    return weights


def same(a, b):
    return all(np.allclose(x.numpy(), y.numpy(), rtol=1e-12, atol=0) for x, y in zip(a, b))


@every_kind
@pytest.mark.parametrize("options", [{}, {"clipnorm": 0.5}, {"weight_decay": 0.1}], ids=str)
def test_the_pure_update_agrees_with_apply(make, options):
    pure = make(**options)
    weights = [tensor(v.numpy()) for v in variables()]
    state = pure.init(weights)
    for step in range(5):
        weights, state = pure.update(weights, [tensor(g) for g in gradients(step)], state)
    assert same(weights, train(make(**options)))
    assert int(state["step"]) == 5
    assert int(pure.iterations) == 0


@every_kind
def test_a_traced_step_agrees_with_an_eager_one(make):
    optimizer, weights = make(), variables()
    optimizer.build(weights)
    step = jit(lambda grads: optimizer.apply(grads, weights))
    for k in range(5):
        step([tensor(g) for g in gradients(k)])
    assert step.traces == 1
    assert same(weights, train(make()))


def test_the_learning_rate_changes_without_a_new_trace():
    optimizer, weights = optimizers.SGD(0.5), [Variable(np.zeros(1))]
    optimizer.build(weights)
    step = jit(lambda g: optimizer.apply([g], weights))
    step(tensor(np.ones(1)))
    optimizer.learning_rate = 0.25
    step(tensor(np.ones(1)))
    assert weights[0].tolist() == [-0.75]
    assert step.traces == 1
    assert float(optimizer.learning_rate) == 0.25


@every_kind
def test_a_smaller_loss(make):
    w = [Variable(np.array([3.0, -2.0]))]
    optimizer = make()
    for _ in range(300):
        optimizer.apply([tensor(2 * w[0].numpy())], w)
    assert (w[0].numpy() ** 2).sum() < 0.02


@every_kind
def test_a_compiled_fit_agrees_with_an_eager_one(make):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)).astype("float32"), rng.normal(size=(20, 2)).astype("float32")
    weights = []
    for eager in (False, True):
        model = Sequential([layers.Dense(4, "tanh", kernel_initializer=GlorotUniform(1)), layers.Dense(2)])
        model.build((None, 3))
        model.layers[1].kernel.assign(np.full((4, 2), 0.5))
        model.compile(make(clipnorm=1.0), "mse", run_eagerly=eager)
        model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    assert all(np.allclose(a, b, rtol=1e-4, atol=1e-6) for a, b in zip(*weights))


def test_every_optimizer_is_tried():
    assert {type(make()).__name__ for make in KINDS.values()} == {cls.__name__ for cls in optimizers.KNOWN.values()}


def test_state_beside_zeros_is_kept_apart_by_weight():
    matrix, vector = variables()
    optimizer = optimizers.Adafactor()
    optimizer.build([matrix, vector])
    assert [v.shape for v in optimizer.variables[2:]] == [(3,), (2,), (4,)]
    adagrad = optimizers.Adagrad(initial_accumulator_value=0.5)
    adagrad.build([vector])
    assert adagrad.variables[-1].tolist() == [0.5] * 4
    nadam = optimizers.Nadam(beta_1=0.8)
    nadam.apply([tensor(np.ones(4))], [vector])
    assert np.isclose(float(nadam.variables[-1]), 0.8 * (1 - 0.5 * 0.96))


def test_ftrl_keeps_weights_of_small_gradients_at_zero():
    w = [Variable(np.zeros(2))]
    optimizer = optimizers.Ftrl(0.1, l1_regularization_strength=1.0)
    for _ in range(3):
        optimizer.apply([tensor(np.array([0.1, 5.0]))], w)
    assert w[0].tolist()[0] == 0 and w[0].tolist()[1] < 0


def test_clipping():
    g = tensor(np.array([3.0, 4.0]))
    assert np.allclose(clip_by_norm(g, 1.0), [0.6, 0.8])
    assert np.allclose(clip_by_norm(g, 10.0), [3, 4])
    assert not clip_by_norm(tensor(np.zeros(2)), 1.0).numpy().any()
    a, b = clip_by_global_norm([tensor(np.array([3.0])), tensor(np.array([4.0]))], 1.0)
    assert np.allclose([a[0], b[0]], [0.6, 0.8])
    assert np.isnan(clip_by_global_norm([tensor(np.array([np.inf]))], 1.0)[0].numpy()).all()
    w = [Variable(np.zeros(2))]
    optimizers.SGD(1.0, clipvalue=0.5).apply([tensor(np.array([3.0, -0.1]))], w)
    assert np.allclose(w[0], [-0.5, 0.1])


def test_weight_decay_spares_what_is_excluded():
    for exclude in ({"var_names": ["bias"]}, {"var_list": True}):
        w = [Variable(np.ones(1), name="kernel"), Variable(np.ones(1), name="bias")]
        optimizer = optimizers.SGD(0.5, weight_decay=0.5)
        optimizer.exclude_from_weight_decay(**{k: [w[1]] if v is True else v for k, v in exclude.items()})
        optimizer.apply([tensor(np.zeros(1))] * 2, w)
        assert [v.item() for v in w] == [0.75, 1.0]
        with pytest.raises(InvalidArgument, match="before the optimizer is built"):
            optimizer.exclude_from_weight_decay(var_names=["kernel"])


def test_gathered_gradients_update_with_their_mean():
    optimizer, w = optimizers.SGD(1.0, gradient_accumulation_steps=2), [Variable(np.zeros(1))]
    seen = []
    for g in (1.0, 3.0, 5.0, 7.0):
        optimizer.apply([tensor(np.array([g]))], w)
        seen.append(w[0].item())
    assert seen == [0.0, -2.0, -2.0, -8.0]
    assert int(optimizer.iterations) == 2


def test_moving_averages_replace_the_weights():
    optimizer, w = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5), [Variable(np.zeros(1))]
    for _ in range(2):
        optimizer.apply([tensor(np.ones(1))], w)
    assert w[0].item() == -2.0
    optimizer.finalize_variable_values(w)
    assert w[0].item() == -1.5
    often = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2)
    w = train(often, 2, [Variable(np.zeros((3, 2))), Variable(np.zeros(4))])
    first, second = (gradients(k)[1] for k in range(2))
    assert np.allclose(w[1], 0.5 * -first + 0.5 * (-first - second))


def test_constraints_hold_after_an_update():
    w = Variable(np.ones(2), constraint=lambda v: v * 0)
    optimizers.SGD(0.1).apply([tensor(np.ones(2))], [w])
    assert w.tolist() == [0, 0]


def test_missing_gradients():
    w = [Variable(np.ones(1), name="a"), Variable(np.ones(1), name="b")]
    with pytest.warns(UserWarning, match="no gradient for b"):
        optimizers.SGD(0.5).apply([tensor(np.ones(1)), None], w)
    assert [v.item() for v in w] == [0.5, 1.0]
    with pytest.raises(InvalidArgument, match="no gradient for any"):
        optimizers.SGD(0.5).apply([None, None], w)
    optimizers.SGD(0.5).apply([], w)


def test_wrong_use_of_apply():
    w = Variable(np.ones(2), name="w")
    with pytest.raises(NotBuiltError, match="build"):
        optimizers.SGD().apply([tensor(np.ones(2))])
    with pytest.raises(ShapeError, match=r"'w' has shape \(3,\), expected \(2,\)"):
        optimizers.SGD().apply([tensor(np.ones(3))], [w])
    with pytest.raises(InvalidArgument, match="1 gradients for 2"):
        optimizers.SGD().apply([tensor(np.ones(2))], [w, w])
    optimizer = optimizers.SGD()
    optimizer.build([w])
    with pytest.raises(InvalidArgument, match="'other' is not among"):
        optimizer.apply([tensor(np.ones(2))], [Variable(np.ones(2), name="other")])
    assert w.tolist() == [1, 1]


def test_apply_gradients_takes_pairs():
    w = Variable(np.ones(1))
    optimizer = optimizers.SGD(0.5)
    assert int(optimizer.apply_gradients(zip([tensor(np.ones(1))], [w]))) == 1
    assert w.tolist() == [0.5]


def test_a_rule_of_the_user():
    class Signs(optimizers.Optimizer):
        def update_step(self, gradient, variable, learning_rate):
            self.assign_sub(variable, learning_rate * gradient / abs(gradient))

    w = Variable(np.zeros(2))
    Signs(0.5).apply([tensor(np.array([3.0, -0.1]))], [w])
    assert w.tolist() == [-0.5, 0.5]
    assert isinstance(optimizers.get(Signs(0.5)), Signs)


@pytest.mark.parametrize("rate", [0, -1, math.nan, math.inf, "1e-3", None, True, [0.1]], ids=repr)
@every_kind
def test_learning_rates_that_cannot_be_meant(make, rate):
    kind = type(make())
    with pytest.raises(InvalidArgument, match="learning_rate must be a finite number > 0"):
        kind(learning_rate=rate)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"clipnorm": 0}, "clipnorm"),
        ({"clipvalue": -1.0}, "clipvalue"),
        ({"global_clipnorm": "1"}, "global_clipnorm"),
        ({"weight_decay": -0.1}, "weight_decay"),
        ({"ema_momentum": 2.0}, "ema_momentum"),
        ({"ema_overwrite_frequency": 0}, "ema_overwrite_frequency"),
        ({"gradient_accumulation_steps": 1}, "gradient_accumulation"),
        ({"clipnorm": 1.0, "clipvalue": 1.0}, "only one of"),
    ],
)
def test_options_that_cannot_be_meant(options, message):
    with pytest.raises(InvalidArgument, match=message):
        optimizers.Adam(**options)


@pytest.mark.parametrize(
    "kind, word, hint",
    [
        (optimizers.SGD, "learnin_rate", "learning_rate"),
        (optimizers.Adam, "beta1", "beta_1"),
        (optimizers.SGD, "momentm", "momentum"),
        (optimizers.RMSprop, "clip_norm", "clipnorm"),
        (optimizers.AdamW, "weight_deacy", "weight_decay"),
        (optimizers.Ftrl, "l1_regularisation_strength", "l1_regularization_strength"),
    ],
)
def test_misspelt_arguments(kind, word, hint):
    with pytest.raises(ArgumentTypeError, match=f"unknown argument '{word}'; did you mean '{hint}'"):
        kind(**{word: 0.5})


@pytest.mark.parametrize(
    "make",
    [
        lambda: optimizers.AdamW(weight_decay=None), lambda: optimizers.Adagrad(initial_accumulator_value=-1),
        lambda: optimizers.Adadelta(rho=2), lambda: optimizers.Adamax(beta_1=-1), lambda: optimizers.Nadam(epsilon=-1),
        lambda: optimizers.Lamb(beta_2="0.9"), lambda: optimizers.Lion(beta_1=0), lambda: optimizers.Lion(beta_1=1.5),
        lambda: optimizers.Ftrl(learning_rate_power=0.5), lambda: optimizers.Ftrl(l1_regularization_strength=-1),
        lambda: optimizers.Adafactor(clip_threshold=0), lambda: optimizers.Adafactor(beta_2_decay=0.5),
    ],
)  # fmt: skip
def test_own_arguments_that_cannot_be_meant(make):
    with pytest.raises(InvalidArgument, match="must be a finite number"):
        make()


@pytest.mark.parametrize("options", [{"momentum": -0.1}, {"momentum": 1.5}, {"momentum": "0.9"}])
def test_momentum_is_a_share(options):
    with pytest.raises(InvalidArgument, match="momentum"):
        optimizers.SGD(**options)


def test_get():
    assert isinstance(optimizers.get("rmsprop"), optimizers.RMSprop)
    assert isinstance(optimizers.get("Adam"), optimizers.Adam)
    for cls in optimizers.KNOWN.values():
        for name in (cls.__name__, cls.__name__.lower(), cls.__name__.upper()):
            assert type(optimizers.get(name)) is cls
    assert optimizers.get(None) is None
    adam = optimizers.Adam()
    assert optimizers.get(adam) is adam
    with pytest.raises(UnknownName, match="did you mean 'rmsprop'"):
        optimizers.get("rmsprp")
    with pytest.raises(ArgumentTypeError, match=r"got class Adam; write Adam\("):
        optimizers.get(optimizers.Adam)
    for wrong in (0.01, print, ["sgd"]):
        with pytest.raises(ArgumentTypeError, match="optimizer must be"):
            optimizers.get(wrong)


@every_kind
def test_config_round_trip(make):
    optimizer = make(clipnorm=1.0, weight_decay=0.1)
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert type(again) is type(optimizer)
    assert again.get_config() == optimizer.get_config()
    assert same(train(again), train(make(clipnorm=1.0, weight_decay=0.1)))


def test_state_can_be_set():
    a, b = optimizers.Adam(0.1), optimizers.Adam(0.1)
    weights = train(a, 3)
    b.build(weights)
    b.set_weights([v.numpy() for v in a.variables])
    copies = [Variable(w.numpy()) for w in weights]
    c = optimizers.Adam(0.1)
    c.build(copies)
    c.set_weights([v.numpy() for v in b.variables])
    assert same(train(a, 2, weights), train(c, 2, copies))
    with pytest.raises(ShapeError, match="expected"):
        c.set_weights([1])


# --- schedules


def test_exponential_decay():
    rate = schedules.ExponentialDecay(0.5, decay_steps=4, decay_rate=0.5)
    assert [float(rate(k)) for k in (0, 4, 8)] == [0.5, 0.25, 0.125]
    stairs = schedules.ExponentialDecay(0.5, decay_steps=4, decay_rate=0.5, staircase=True)
    assert [float(stairs(k)) for k in (0, 3, 4, 7, 8)] == [0.5, 0.5, 0.25, 0.25, 0.125]


def test_piecewise_constant_decay():
    rate = schedules.PiecewiseConstantDecay([2, 4], [1.0, 0.5, 0.25])
    assert [float(rate(k)) for k in range(6)] == [1, 1, 1, 0.5, 0.5, 0.25]
    with pytest.raises(InvalidArgument, match="need 3 values"):
        schedules.PiecewiseConstantDecay([2, 4], [1.0, 0.5])
    with pytest.raises(InvalidArgument, match="must rise"):
        schedules.PiecewiseConstantDecay([4, 2], [1.0, 0.5, 0.25])


def test_an_optimizer_follows_its_schedule():
    optimizer = optimizers.SGD(schedules.PiecewiseConstantDecay([0], [1.0, 0.25]))
    w = [Variable(np.zeros(1))]
    step = jit(lambda g: optimizer.apply([g], w))
    optimizer.build(w)
    for _ in range(3):
        step(tensor(np.ones(1)))
    assert w[0].tolist() == [-1.5]
    assert float(optimizer.learning_rate) == 0.25
    with pytest.raises(ArgumentTypeError, match="cannot be set"):
        optimizer.learning_rate = 0.1
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()


def test_a_function_as_learning_rate():
    optimizer = optimizers.SGD(lambda: 0.5)
    assert float(optimizer.learning_rate) == 0.5
    optimizer.learning_rate = 0.25
    assert float(optimizer.learning_rate) == 0.25


SCHEDULES = {
    "polynomial": lambda: schedules.PolynomialDecay(1.0, 8, end_learning_rate=0.1, power=2.0),
    "cycle": lambda: schedules.PolynomialDecay(1.0, 3, cycle=True),
    "inverse": lambda: schedules.InverseTimeDecay(1.0, 3, 0.5, staircase=True),
    "cosine": lambda: schedules.CosineDecay(1.0, 8, alpha=0.1),
    "warmup": lambda: schedules.CosineDecay(0.0, 8, warmup_target=1.0, warmup_steps=3),
    "restarts": lambda: schedules.CosineDecayRestarts(1.0, 2, m_mul=0.5),
    "exponential": lambda: schedules.ExponentialDecay(1.0, 3, 0.5),
    "piecewise": lambda: schedules.PiecewiseConstantDecay([2, 5], [1.0, 0.5, 0.25]),
}
every_schedule = pytest.mark.parametrize("make", SCHEDULES.values(), ids=SCHEDULES)


@every_schedule
def test_a_traced_schedule_agrees_with_its_values(make):
    rate = make()
    w = [Variable(np.zeros(1))]
    optimizer = optimizers.SGD(rate)
    optimizer.build(w)
    step = jit(lambda g: optimizer.apply([g], w))
    for _ in range(9):
        step(tensor(np.ones(1)))
    assert np.isclose(-w[0].item(), sum(float(rate(k)) for k in range(9)), rtol=1e-5)


@every_schedule
def test_schedules_come_back_from_their_config(make):
    again = schedules.deserialize(schedules.serialize(make()))
    assert again.get_config() == make().get_config()
    assert [float(again(k)) for k in range(9)] == [float(make()(k)) for k in range(9)]


def test_cosines_touch_their_ends():
    fall = schedules.CosineDecay(2.0, 10, alpha=0.25)
    assert np.allclose([float(fall(k)) for k in (0, 5, 10, 99)], [2.0, 1.25, 0.5, 0.5])
    again = schedules.CosineDecayRestarts(2.0, 10, t_mul=2.0, m_mul=0.5)
    assert np.allclose([float(again(k)) for k in (0, 5, 10, 20, 30)], [2.0, 1.0, 1.0, 0.5, 0.5])
    plain = schedules.CosineDecayRestarts(2.0, 10, t_mul=1.0)
    assert np.allclose([float(plain(k)) for k in (0, 5, 10, 25)], [2.0, 1.0, 2.0, 1.0])


@pytest.mark.parametrize(
    "make",
    [
        lambda: schedules.PolynomialDecay(0.1, 0), lambda: schedules.InverseTimeDecay(0.1, -1, 0.5),
        lambda: schedules.CosineDecay(0.1, "10"), lambda: schedules.CosineDecayRestarts(0.1, 0),
        lambda: schedules.CosineDecayRestarts(0.1, 5, t_mul=0.5), lambda: schedules.ExponentialDecay(0.1, 0, 0.5),
    ],
)  # fmt: skip
def test_schedules_that_cannot_be_meant(make):
    with pytest.raises(InvalidArgument, match="must be"):
        make()


@every_kind
def test_the_stateless_step_agrees_with_apply(make):
    optimizer, weights = make(), variables()
    optimizer.build(weights)
    values, state = [w.numpy() for w in weights], [v.numpy() for v in optimizer.variables]
    start = [*values, *state]
    for k in range(3):
        values, state = optimizer.stateless_apply(state, [tensor(g) for g in gradients(k)], values)
    assert all(np.array_equal(a, v.numpy()) for a, v in zip(start, [*weights, *optimizer.variables]))
    assert same([tensor(v) for v in values], train(make(), 3))
    assert int(state[0]) == 3


def test_wrong_use_of_the_stateless_step():
    optimizer = optimizers.SGD(0.1)
    with pytest.raises(NotBuiltError, match="build"):
        optimizer.stateless_apply([], [], [])
    optimizer.build(variables())
    with pytest.raises(InvalidArgument, match="expects 2 weights and 2 optimizer variables, got 1 and 0"):
        optimizer.stateless_apply([], gradients(0)[:1], gradients(0)[:1])
