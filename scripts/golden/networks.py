"""Networks: a checkpoint filled by the rule, mapped by the network's own OPENGAIT rules."""

import functools
import math
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import numpy as np

from gaitjax import lookup
from gaitjax.interop import opengait

from . import losses, tolerance
from .errors import SkippedError, UnsupportedError
from .rule import Rule
from .tolerance import Comparison

Case = Mapping[str, Any]
Arrays = Mapping[str, np.ndarray]
PADDING = 3  # frames of random content behind the longest of packed sequences


def manifest(case: Case) -> list[Comparison]:
    """Keys, shapes and counts of a checkpoint at the config's true class count."""
    variables = _empty_variables(case)
    written = {
        key: list(value.shape) for key, value in opengait.dump(_name(case), variables).items()
    }
    theirs = {key: list(shape) for key, shape, *_ in case["state_dict"]}
    ours = sum(x.size for x in jax.tree.leaves(variables["params"]))
    return [
        *tolerance.by_key(
            "shapes", written, theirs, lambda k: tolerance.exact("shapes", k, written[k], theirs[k])
        ),
        tolerance.exact("count", f"{ours} parameters", ours, case["parameters"]),
        tolerance.exact("frozen", "parameters", [], case["frozen"]),
    ]


def evaluate(case: Case, arrays: Arrays, rule: Rule) -> list[Comparison]:
    """What a network computes in evaluation.

    Args:
        case: the JSON.
        arrays: the NPZ.
        rule: what the checkpoint and the fingerprints follow from.

    Raises:
        UnsupportedError: if gaitjax lacks the network, an input or an output.
        SkippedError: for packed sequences of a network whose file states `MIXES_FRAMES = True`:
            OpenGait's leaks from one sequence into the next.
        UserError: if the checkpoint does not fit the network.
    """
    network = _network(case, "float32")
    if "seqL" in case["inputs"] and getattr(_module(case), "MIXES_FRAMES", False):
        raise SkippedError("packed sequences of a network that mixes frames before pooling")
    unknown = set(case["outputs"]) - {"out/embeddings"}
    if unknown:
        raise UnsupportedError(f"output {min(unknown)}")
    inputs, lengths = _inputs(case, arrays)
    apply = jax.jit(functools.partial(network.apply, train=False))
    output = apply(_variables(case, rule), inputs, lengths)
    deviation = tolerance.deviations(str(case.get("notes")))
    return [
        tolerance.array(
            "embeddings",
            "",
            _channels_second(output.embeddings),
            arrays[name],
            tolerance.output_limit(deviation.get(name)),
        )
        for name in case["outputs"]
    ]


def train(case: Case, arrays: Arrays, rule: Rule) -> list[Comparison]:
    """Losses, training features, gradients and running statistics of one step, in float32.

    Where the input of a LeakyReLU is 0 but for rounding, float32 takes either branch, and one unit
    moves a gradient by more than its tolerance. So gradients that miss it are computed once more in
    float64, and are then called 'grads in float64': the tolerances follow from how far the
    reference is from float64.

    Args:
        case: the JSON.
        arrays: the NPZ.
        rule: what the checkpoint and the fingerprints follow from.

    Raises:
        UnsupportedError: if gaitjax lacks the network, an input or a loss.
        UserError: if the checkpoint does not fit the network, or the labels do not fit a loss.
    """
    step = _step(case, arrays, rule, "float32")
    gradients = _gradients(case, rule, step.gradients, "grads")
    if not all(comparison.passes for comparison in gradients):
        with jax.enable_x64(True):
            exact = _step(case, arrays, rule, "float64")
        gradients = _gradients(case, rule, exact.gradients, "grads in float64")
    return [
        *_losses(case, arrays, step.reported),
        *_features(case, arrays, rule, step.features),
        *gradients,
        *_statistics(case, rule, step.statistics),
    ]


class _Step(NamedTuple):
    """What one step computes; gradients and statistics under OpenGait's names."""

    reported: dict[str, jax.Array]
    features: Mapping[str, Mapping[str, jax.Array]]
    gradients: dict[str, np.ndarray]
    statistics: dict[str, np.ndarray]


def _step(case: Case, arrays: Arrays, rule: Rule, dtype: str) -> _Step:
    network = _network(case, dtype)
    inputs, lengths = _inputs(case, arrays)
    terms = losses.terms(case["loss_cfg"], arrays["labels"])
    variables = jax.tree.map(lambda x: x.astype(dtype), _variables(case, rule))
    state = {name: tree for name, tree in variables.items() if name != "params"}

    def total(params: Any) -> tuple[jax.Array, tuple[Any, ...]]:
        output, updated = network.apply(
            {"params": params, **state}, inputs, lengths, train=True, mutable=["batch_stats"]
        )
        results = {t: (term.weight, term.loss(**output.terms[t])) for t, term in terms.items()}
        scalars = {t: found for t, (_, (_, found)) in results.items()}
        loss_sum = sum(weight * value for weight, (value, _) in results.values())
        return loss_sum, (output.terms, scalars, updated)

    gradient = jax.jit(jax.value_and_grad(total, has_aux=True))
    (loss_sum, (features, scalars, updated)), gradients = gradient(variables["params"])
    reported = {
        f"scalar/{term}/{name}": value
        for term, found in scalars.items()
        for name, value in found.items()
    }
    return _Step(
        reported | {"loss_sum": loss_sum},
        features,
        opengait.dump(_name(case), {"params": gradients}),
        opengait.dump(_name(case), updated),
    )


def _losses(case: Case, arrays: Arrays, ours: Mapping[str, jax.Array]) -> list[Comparison]:
    """Means of the reported tensors; those of more than one value also whole."""
    deviation = tolerance.deviations(str(case.get("notes")))

    def limit(name: str, values: int = 1) -> float:
        # What is stated is the deviation of the mean; rounding errors of its terms are independent.
        stated = deviation.get(name.removeprefix("scalar/"))
        return tolerance.output_limit(stated and stated * math.sqrt(values))

    def mean(name: str) -> Comparison:
        ours_mean = np.mean(np.asarray(ours[name]))
        return tolerance.scalar("losses", name, ours_mean, case["losses"][name], limit(name))

    def whole(name: str) -> Comparison:
        theirs = arrays[f"loss_info/{name}"]
        return tolerance.array("loss parts", name, ours[name], theirs, limit(name, theirs.size))

    prefix = "loss_info/"
    parts = [name.removeprefix(prefix) for name in arrays if name.startswith(prefix)]
    return tolerance.by_key("losses", ours, case["losses"], mean) + [whole(name) for name in parts]


def _features(
    case: Case, arrays: Arrays, rule: Rule, terms: Mapping[str, Mapping[str, jax.Array]]
) -> list[Comparison]:
    """What the losses are fed; small ones also whole."""
    ours = {f"{t}/{k}": _channels_second(x) for t, term in terms.items() for k, x in term.items()}
    deviation = tolerance.deviations(str(case.get("notes"))).get("training_feat")
    limit = tolerance.output_limit(deviation)

    def compare(key: str) -> Comparison:
        probe = rule.probe(case["seed"], key, ours[key])
        return tolerance.fingerprint("features", key, probe, case["training_feat"][key], limit)

    prefix = "training_feat/"
    whole = [name.removeprefix(prefix) for name in arrays if name.startswith(prefix)]
    return tolerance.by_key("features", ours, case["training_feat"], compare) + [
        tolerance.array("features whole", n, ours[n], arrays[prefix + n], limit) for n in whole
    ]


def _gradients(
    case: Case, rule: Rule, ours: Mapping[str, np.ndarray], what: str
) -> list[Comparison]:
    """Of the sum of losses, for every parameter; None stands for no gradient, ours is 0 there."""
    theirs = case["grads"]
    deviation = tolerance.deviations(str(case.get("notes"))).get("grads")
    limit = tolerance.gradient_limit(deviation)
    largest = max((probe["norm"] for probe in theirs.values() if probe), default=0.0)

    def compare(key: str) -> Comparison:
        if theirs[key] is None:
            return tolerance.exact(what, key, float(np.abs(ours[key]).max(initial=0)), 0.0)
        probe = rule.probe(case["seed"], key, ours[key])
        return tolerance.fingerprint(what, key, probe, theirs[key], limit, largest)

    return tolerance.by_key(what, ours, theirs, compare)


def _statistics(case: Case, rule: Rule, ours: Mapping[str, np.ndarray]) -> list[Comparison]:
    """Running means and variances after one step forward."""
    theirs = case["running_stats"]
    ours = {key: x for key, x in ours.items() if not key.endswith(opengait.COUNTER)}
    deviation = tolerance.deviations(str(case.get("notes"))).get("running_stats")
    limit = tolerance.gradient_limit(deviation)

    def compare(key: str) -> Comparison:
        probe = rule.probe(case["seed"], key, ours[key])
        return tolerance.fingerprint("running_stats", key, probe, theirs[key], limit)

    return tolerance.by_key("running_stats", ours, theirs, compare)


def _name(case: Case) -> str:
    name = case["model_cfg"]["model"]
    if name not in opengait.NETWORKS:
        raise UnsupportedError(f"network {name}")
    return name


def _network(case: Case, dtype: str) -> nn.Module:
    return opengait.build(_name(case), case["model_cfg"], dtype)


def _module(case: Case) -> ModuleType:
    return lookup.module("gaitjax.models", opengait.NETWORKS[_name(case)])


def _empty_variables(case: Case) -> dict[str, Any]:
    """The variables of zeros, which take up no memory; refuses a checkpoint that does not fit."""
    zero = np.zeros((), np.float32)
    state = {key: np.broadcast_to(zero, shape) for key, shape, *_ in case["state_dict"]}
    return opengait.load(_name(case), case["model_cfg"], state)


def _variables(case: Case, rule: Rule) -> dict[str, Any]:
    _empty_variables(case)  # before anything is filled that is too large for the network
    derived = [key for key, _, _, how in case["state_dict"] if how != "filled"]
    if derived:
        raise UnsupportedError(f"entries that the network derives, such as {derived[0]}")
    state = {key: rule.fill(case["seed"], key, shape) for key, shape, *_ in case["state_dict"]}
    return opengait.load(_name(case), case["model_cfg"], state)


def _inputs(case: Case, arrays: Arrays) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """What the network reads, and lengths.

    Packed sequences are laid out as rows of a padded batch, whose padding is random.
    """
    unknown = set(case["inputs"]) - {"sils", "labels", "seqL"}
    if unknown:
        raise UnsupportedError(f"input {min(unknown)}")
    frames = arrays["sils"]
    if "seqL" not in case["inputs"]:
        lengths = np.full(len(frames), frames.shape[1], np.int32)
    else:
        lengths = arrays["seqL"].reshape(-1).astype(np.int32)
        frames = _unpack(frames, lengths, np.random.default_rng(case["seed"]))
    return {"silhouette": (frames / 255.0).astype(np.float32)}, lengths


def _unpack(packed: np.ndarray, lengths: Sequence[int], random: np.random.Generator) -> np.ndarray:
    """[1, sum of lengths, H, W] -> [N, T, H, W]."""
    shape = (len(lengths), max(lengths) + PADDING, *packed.shape[2:])
    padded = random.integers(0, 256, shape, np.uint8)
    ends = np.cumsum(lengths)
    for row, end, length in zip(padded, ends, lengths, strict=True):
        row[:length] = packed[0, end - length : end]
    return padded


def _channels_second(x: jax.Array) -> np.ndarray:
    """[N, P, C] -> [N, C, P], OpenGait's order."""
    return np.swapaxes(np.asarray(x), 1, 2) if x.ndim == 3 else np.asarray(x)
