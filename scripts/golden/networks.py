"""Networks: a checkpoint filled by the rule, mapped by the network's own OPENGAIT rules."""

import functools
import json
import math
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import numpy as np

from gaitjax import datasets, lookup
from gaitjax.interop import opengait
from gaitjax.training import parameters

from . import losses, tolerance
from .errors import SkippedError, UnsupportedError
from .rule import Rule
from .tolerance import Comparison

Case = Mapping[str, Any]
Arrays = Mapping[str, np.ndarray]
PADDING = 3  # frames of random content behind the longest of packed sequences
RGB = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])  # mean, deviation
# the case's name of an input -> modality, and what the network is fed
INPUTS: Mapping[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "sils": ("silhouette", lambda x: x / 255.0),
    "pars": ("parsing", lambda x: x),
    "depths": ("depth", lambda x: np.moveaxis(x, 2, -1) / 255.0),
    **dict.fromkeys(
        ("rgb", "rgbs"),
        ("rgb", lambda x: (np.moveaxis(x, 2, -1) - 255 * RGB[0]) / (255 * RGB[1])),
    ),
    "ratios": ("ratio", lambda x: x),
    "smpls": ("smpl", lambda x: x),
    "points": ("points", lambda x: x),
    "latents": ("latents", lambda x: np.moveaxis(x, 2, -1) / 32.0),
}
# 'maps' hold several modalities, by channel
CHANNELS = {
    "limb heat map, joint heat map": {"heatmap": slice(0, 2)},
    "limb heat map, joint heat map, silhouette": {"heatmap": slice(0, 2), "silhouette": 2},
    "silhouette, 20*parsing label": {"silhouette": 0, "parsing": 1},
    "silhouette, flow image (3)": {"silhouette": 0, "flow": slice(1, 4)},
    "silhouette, 20*parsing label, flow image (3)": {
        "silhouette": 0,
        "parsing": 1,
        "flow": slice(2, 5),
    },
}
# the first points of farthest point sampling, which OpenGait draws
STARTS = ("fps_start_1", "fps_start_2", "fps_start_3")
# numbers that OpenGait's networks weigh by themselves -> the weight that is config.losses' here
WEIGHTS = {"shape_connect": 0.02, "shape_mse": 1.0, "part_connect": 0.01, "part_diversity": 5.0}
# OpenGait's names of what a loss is fed, where ours differ
FIELDS = {
    "bce/probabilities": "bce/logits",
    "bce/target": "bce/labels",
    "SupConLoss/embeddings": "SupConLoss/features",
}

# How far training cases are from OpenGait's own network in float64, under the names of
# `tolerance.deviations`, where they do not state it. Ours in float64 are OpenGait's in float64, to
# 1e-12; DenoisingGait's gradients to 1.4e-9.
MEASURED: Mapping[str, Mapping[str, float]] = {
    # ReLUs of inputs near 0 that float32 rounds to the other side.
    "configs/gaitgraph1/gaitgraph1_phase1.yaml": {"grads": 3.2e-2},
    "configs/gaitgraph2/gaitgraph2_GREW.yaml": {"grads": 7.5e-2},
    # Flows of half a pixel are differences of coordinates up to 95, and what follows amplifies
    # errors. OpenGait gives these cases to the bit on one core; on two it is as far from them as
    # from float64 (logits 3.5e-4 and 8.3e-4, gradients 0.11 and 0.14). Our logits in float32 are
    # within 1.3e-5 of float64. Losses: the worst part's deviation over the root of the parts.
    "configs/denoisinggait/denoisinggait_ccpg.yaml": {
        "triplet/loss": 5e-5,
        "triplet/hard_loss": 5e-5,
        "training_feat": 6.6e-4,
        "running_stats": 4e-5,
        "grads": 5.2e-2,
    },
    "configs/denoisinggait/denoisinggait_casiab.yaml": {
        "triplet/loss": 1.1e-4,
        "triplet/hard_loss": 1.1e-4,
        "training_feat": 6.5e-4,
        "running_stats": 6.4e-5,
        "grads": 6.7e-2,
    },
}


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
        tolerance.exact("frozen", "parameters", [], sorted(set(case["frozen"]) - _frozen(case))),
    ]


def evaluate(case: Case, arrays: Arrays, rule: Rule) -> list[Comparison]:
    """What a network computes in evaluation.

    Args:
        case: the JSON.
        arrays: the NPZ.
        rule: what the checkpoint and the fingerprints follow from.

    Raises:
        UnsupportedError: if gaitjax lacks the network or an input.
        SkippedError: for packed sequences of a network whose file states `MIXES_FRAMES = True`, or
            whose `Model.mixes_frames` is true: OpenGait's leaks from one sequence into the next.
        UserError: if the checkpoint does not fit the network.
    """
    network = _network(case, "float32")
    mixes = getattr(network, "mixes_frames", getattr(_module(case), "MIXES_FRAMES", False))
    if "seqL" in case["inputs"] and mixes:
        raise SkippedError("packed sequences of a network that mixes frames before pooling")
    inputs, lengths = _inputs(case, arrays)
    apply = jax.jit(functools.partial(network.apply, train=False))
    output = apply(_variables(case, rule), inputs, lengths, draws=_draws(case, arrays))
    ours = {"out/embeddings": output.embeddings}
    if "diagnosis" in output.predictions:  # what they call embeddings are logits
        ours = {"out/embeddings": output.predictions["diagnosis"]}
    if _name(case) == "Segmentation":
        target = _frames_first(output.terms["bce"]["target"], lengths)
        mask = _frames_first(output.predictions["mask"], lengths)
        ours = {"out/pred": mask[:, None], "out/mask": target[:, None]}
    deviation = _deviations(case)

    def compare(name: str) -> Comparison:
        found = _channels_second(ours[name])
        if name == "out/pred":
            different = float(np.mean(found != arrays[name]))
            return Comparison("0/1 map", "share of entries that differ", different, 1e-4)
        limit = tolerance.output_limit(deviation.get(name))
        return tolerance.array(name.removeprefix("out/"), "", found, arrays[name], limit)

    return tolerance.by_key("outputs", ours, case["outputs"], compare)


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
        *_losses(case, arrays, step),
        *_features(case, arrays, rule, step.features),
        *gradients,
        *_statistics(case, rule, step.statistics),
    ]


class _Step(NamedTuple):
    """What one step computes; gradients and statistics under OpenGait's names."""

    reported: dict[str, jax.Array]
    features: Mapping[str, jax.Array]
    gradients: dict[str, np.ndarray]
    statistics: dict[str, np.ndarray]


def _step(case: Case, arrays: Arrays, rule: Rule, dtype: str) -> _Step:
    network = _network(case, dtype)
    inputs, lengths = _inputs(case, arrays)
    labels = arrays["labels"]
    terms = losses.terms(case["loss_cfg"], labels[_order(case, len(labels))])
    further = _labels_of_types(case, arrays)
    variables = jax.tree.map(lambda x: x.astype(dtype), _variables(case, rule))
    state = {name: tree for name, tree in variables.items() if name != "params"}
    trained, frozen = _split(variables["params"], case)
    draws = _draws(case, arrays)

    # All arrays are arguments: XLA would compute what follows from constants while it compiles.
    def total(
        trained: Any, frozen: Any, state: Any, inputs: Any, lengths: Any
    ) -> tuple[jax.Array, tuple[Any, ...]]:
        params = parameters.merge(trained, frozen)
        output, updated = network.apply(
            {"params": params, **state},
            inputs,
            lengths,
            train=True,
            draws=draws,
            mutable=["batch_stats"],
        )
        # OpenGait leaves out a loss that its network supplies nothing to.
        given = {t: {**further.get(t, {}), **output.terms[t]} for t in terms if t in output.terms}
        results = {t: (terms[t].weight, terms[t].loss(**x)) for t, x in given.items()}
        scalars = {t: found for t, (_, (_, found)) in results.items()}
        own = {t: WEIGHTS[t] * x["values"] for t, x in output.terms.items() if t in WEIGHTS}
        loss_sum = sum(weight * value for weight, (value, _) in results.values())
        loss_sum = sum(own.values(), loss_sum)
        features = {f"{t}/{k}": x for t in given for k, x in output.terms[t].items()} | own
        return loss_sum, (features, own, scalars, updated)

    gradient = jax.jit(jax.value_and_grad(total, has_aux=True))
    (loss_sum, (features, own, scalars, updated)), found = gradient(
        trained, frozen, state, inputs, lengths
    )
    gradients = parameters.merge(found, jax.tree.map(np.zeros_like, frozen))
    reported = {
        f"scalar/{term}/{name}": value
        for term, found in scalars.items()
        for name, value in found.items()
    }
    reported |= {f"scalar/{term}": value for term, value in own.items()}
    return _Step(
        reported | {"loss_sum": loss_sum},
        features,
        opengait.dump(_name(case), {"params": gradients}),
        opengait.dump(_name(case), updated),
    )


def _labels_of_types(case: Case, arrays: Arrays) -> dict[str, dict[str, np.ndarray]]:
    """Term -> labels, where OpenGait's network takes them from the types of its sequences."""
    if "types" not in case["inputs"]:
        return {}
    listed = case["inputs"]["types"].partition("types: ")[2]
    types = json.loads(listed) if listed else arrays["types"].tolist()
    types = [types[i] for i in _order(case, len(types))]
    if _name(case).endswith("RAGAR"):  # a text and the value of each attribute
        values = np.array([type_.split("_")[1:] for type_ in types], np.int32)
        counts = case["model_cfg"]["Attribute_list"]
        heads = [values[:, i] == value for i, n in enumerate(counts) for value in range(n)]
        return {f"softmax_{i:02}": {"labels": x.astype(np.int32)} for i, x in enumerate(heads)}
    if _name(case).endswith("DGait"):
        return {"softmax": {"labels": np.array(["D" in type_ for type_ in types], np.int32)}}
    classes = datasets.get("scoliosis1k").labels["diagnosis"]
    return {"softmax": {"labels": np.array([classes[x] for x in types], np.int32)}}


def _losses(case: Case, arrays: Arrays, step: _Step) -> list[Comparison]:
    """Means of the reported tensors; those of more than one value also whole."""
    ours = step.reported
    deviation = _deviations(case)

    def limit(name: str, values: int = 1) -> float:
        # What is stated is the deviation of the mean; rounding errors of its terms are independent,
        # but for the IoU, which one pixel at the threshold changes in one frame alone.
        stated = deviation.get(name.removeprefix("scalar/"))
        factor = values if name.endswith("/miou") else math.sqrt(values)
        return tolerance.output_limit(stated and stated * factor)

    def self_distances(name: str) -> float:
        # Theirs has N distances of a sample to itself among N * N. LidarGait++ states no deviation
        # and has embeddings up to 128 long, so that these are up to 0.04 in float32. OpenGait's
        # formula on our embeddings agrees with ours to 4e-6 in float64, and is as far from its own
        # case as we are in float32 (0.005), all of it from these distances. On the embeddings in
        # MSGG's cases it gives their value to the bit, and without these distances ours.
        if not name.endswith("/mean_dist") or name.removeprefix("scalar/") in deviation:
            return 0.0
        embeddings = np.asarray(step.features[f"{name.split('/')[1]}/embeddings"])
        size = np.abs(np.asarray(ours[name])).max()
        return losses.self_distance(embeddings) / len(embeddings) / float(size)

    def mean(name: str) -> Comparison:
        allowed = limit(name) + self_distances(name)
        ours_mean = np.mean(np.asarray(ours[name]))
        return tolerance.scalar("losses", name, ours_mean, case["losses"][name], allowed)

    def whole(name: str) -> Comparison:
        theirs = arrays[f"loss_info/{name}"]
        allowed = limit(name, theirs.size) + self_distances(name)
        return tolerance.array("loss parts", name, ours[name], theirs, allowed)

    prefix = "loss_info/"
    parts = [name.removeprefix(prefix) for name in arrays if name.startswith(prefix)]
    return tolerance.by_key("losses", ours, case["losses"], mean) + [whole(name) for name in parts]


def _features(
    case: Case, arrays: Arrays, rule: Rule, features: Mapping[str, jax.Array]
) -> list[Comparison]:
    """What the losses are fed; small ones also whole."""
    ours = {
        FIELDS.get(name, name): _channels_second(x)
        for name, x in features.items()
        # which ours have to state, and theirs have not
        if name.rpartition("/")[2] not in ("labels", "mask")
    }
    if _name(case) == "GLN" and "softmax/logits" in ours:
        # OpenGait exchanges its classes and parts; for the loss the case has put them right.
        ours["softmax/logits"] = np.swapaxes(ours["softmax/logits"], 1, 2)
    if _name(case) == "GaitGraph1":  # whose views have an axis
        ours = {key: x.reshape(-1, 2, x.shape[-1]) for key, x in ours.items()}
    if "crop_list" in case["model_cfg"]:
        ours = {key: _their_order(case, x) for key, x in ours.items()}
    deviation = _deviations(case).get("training_feat")
    limit = tolerance.output_limit(deviation)

    def compare(key: str) -> Comparison:
        probe = rule.probe(case["seed"], key, ours[key])
        return tolerance.fingerprint("features", key, probe, case["training_feat"][key], limit)

    prefix = "training_feat/"
    whole = [name.removeprefix(prefix) for name in arrays if name.startswith(prefix)]
    return tolerance.by_key("features", ours, case["training_feat"], compare) + [
        tolerance.array("features whole", n, ours[n], arrays[prefix + n], limit) for n in whole
    ]


def _their_order(case: Case, x: np.ndarray) -> np.ndarray:
    """Sequences [N, ...] of ours as theirs; pretraining tells each from all others [N, N, P]."""
    back = np.argsort(_order(case, len(x)))
    return x[back][:, back] if _name(case) == "FoundationGait_Scaling" else x[back]


def _gradients(
    case: Case, rule: Rule, ours: Mapping[str, np.ndarray], what: str
) -> list[Comparison]:
    """Of the sum of losses, for every parameter; None stands for no gradient, ours is 0 there."""
    theirs = case["grads"]
    limit = tolerance.gradient_limit(_deviations(case).get("grads"))
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
    limit = tolerance.gradient_limit(_deviations(case).get("running_stats"))

    def compare(key: str) -> Comparison:
        probe = rule.probe(case["seed"], key, ours[key])
        return tolerance.fingerprint("running_stats", key, probe, theirs[key], limit)

    return tolerance.by_key("running_stats", ours, theirs, compare)


def _deviations(case: Case) -> dict[str, float]:
    """How far the reference is from float64: as its notes state it, or as it was measured."""
    return {
        **MEASURED.get(case.get("config", ""), {}),
        **tolerance.deviations(str(case.get("notes"))),
    }


def _name(case: Case) -> str:
    name = case["model_cfg"]["model"]
    if name not in opengait.NETWORKS:
        raise UnsupportedError(f"network {name}")
    return name


def _network(case: Case, dtype: str) -> nn.Module:
    """The network without what is random: the cases have neither dropout nor drop path.

    With what is a fault of OpenGait's: all slices of LidarGait++ are those of the first frame.
    """
    network = opengait.build(_name(case), case["model_cfg"], dtype)
    changed = {"dropout": 0.0, "drop_path": 0.0, "blank": 0.0, "uap_range": "first_frame"}
    return network.clone(**{name: x for name, x in changed.items() if hasattr(network, name)})


def _split(params: Any, case: Case) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters that are trained, and those that never are."""
    module = _module(case)
    patterns = module.frozen(case["model_cfg"]) if hasattr(module, "frozen") else ()
    return parameters.split(params, patterns)


def _frozen(case: Case) -> set[str]:
    """OpenGait's names of the parameters that are never trained."""
    _, frozen = _split(_empty_variables(case)["params"], case)
    return set(opengait.dump(_name(case), {"params": frozen}))


def _module(case: Case) -> ModuleType:
    return lookup.module("gaitjax.models", opengait.NETWORKS[_name(case)])


def _empty_variables(case: Case) -> dict[str, Any]:
    """The variables of zeros, which take up no memory; refuses a checkpoint that does not fit."""
    zero = np.zeros((), np.float32)
    state = {key: np.broadcast_to(zero, shape) for key, shape, *_ in case["state_dict"]}
    derived = opengait.derived(opengait.NETWORKS[_name(case)], _network(case, "float32"))
    return opengait.load(_name(case), case["model_cfg"], state | derived)


def _variables(case: Case, rule: Rule) -> dict[str, Any]:
    _empty_variables(case)  # before anything is filled that is too large for the network
    return opengait.load(_name(case), case["model_cfg"], state_dict(case, rule))


def state_dict(case: Case, rule: Rule) -> dict[str, np.ndarray]:
    """What OpenGait's network holds, under its names."""
    filled = {key: shape for key, shape, _, how in case["state_dict"] if how == "filled"}
    state = {key: rule.fill(case["seed"], key, shape) for key, shape in filled.items()}
    state |= opengait.derived(opengait.NETWORKS[_name(case)], _network(case, "float32"))
    if len(state) < len(case["state_dict"]):
        state = {**_initial(case), **state}
    copies = opengait.twice(opengait.NETWORKS[_name(case)], state)
    # one array under several names: PyTorch fills it under one after another
    state |= {first: state[copy] for copy, first in copies.items()}
    return state | {copy: state[first] for copy, first in copies.items()}


def _initial(case: Case) -> dict[str, np.ndarray]:
    """What a network makes by itself, under OpenGait's names."""
    network = _network(case, "float32")
    init = jax.jit(functools.partial(network.init, train=False))
    example = opengait.example(opengait.NETWORKS[_name(case)], network)
    return opengait.dump(_name(case), init(jax.random.key(0), *example))


def _inputs(case: Case, arrays: Arrays) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """What the network reads, and lengths.

    Packed sequences are laid out as rows of a padded batch, whose padding is random.
    """
    drawn = {*STARTS, "blanked_samples", "blanked_branch", "smoothed_samples"}
    given = set(case["inputs"]) - {"labels", "types", "seqL"} - drawn
    if "x" in given:  # poses after the transforms of their config
        return _poses(case, arrays["x"])
    unknown = given - {"maps"} - set(INPUTS)
    if unknown:
        raise UnsupportedError(f"input {min(unknown)}")
    inputs = {}
    for name in given - {"maps"}:
        modality, feed = INPUTS[name]
        inputs[modality] = feed(arrays[name])
    if _name(case) in ("GaitEdge", "Segmentation"):  # whose silhouettes are not aligned
        inputs["mask"] = inputs.pop("silhouette")
    if "maps" in given:
        inputs |= _channels(case["inputs"]["maps"], arrays["maps"])
    inputs = {modality: x.astype(np.float32) for modality, x in inputs.items()}
    first = next(iter(inputs.values()))
    lengths = np.full(len(first), first.shape[1], np.int32)
    if "seqL" in case["inputs"]:
        lengths = arrays["seqL"].reshape(-1).astype(np.int32)
        inputs = {modality: _unpack(x, lengths, case["seed"]) for modality, x in inputs.items()}
    if case["mode"] == "train":
        rows = _rows(case, len(lengths))
        inputs = {modality: x[rows] for modality, x in inputs.items()}
    return inputs, lengths


def _rows(case: Case, rows: int) -> np.ndarray:
    """Which row of theirs each row of our batch in training is."""
    if _name(case) not in ("GaitSSB_Pretrain", "FoundationGait_Scaling"):
        return _order(case, rows)
    # Theirs: all first views, then all second views; ours: both views of a sequence in a row.
    first = _order(case, rows // 2)
    return np.stack([first, first + rows // 2], 1).reshape(-1)


def _order(case: Case, sequences: int) -> np.ndarray:
    """Which sequence of theirs each one of ours is in training."""
    order = np.arange(sequences)
    if "crop_list" not in case["model_cfg"]:
        return order
    # Theirs: those that are cut alike follow one another, the second half of them half a strip
    # higher; ours: one of each, again and again.
    return order.reshape(len(case["model_cfg"]["crop_list"]), 2, -1).T.reshape(-1)


def _poses(case: Case, x: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """What a network of poses reads, time second and joints third, and lengths."""
    if _name(case) == "GaitTR":
        x = np.moveaxis(x[..., 0], 2, 3)  # [N, T, C, V, 1]
    if _name(case) == "GaitGraph1":
        x = np.moveaxis(x[..., 0], 1, 3)  # [N, C, T, V, 1]
        if case["mode"] == "train":  # two views, one after the other
            x = x.reshape(2 * len(x), -1, *x.shape[2:])
    return {"pose": x.astype(np.float32)}, np.full(len(x), x.shape[1], np.int32)


def _draws(case: Case, arrays: Arrays) -> Any:
    """What a network draws.

    LidarGait++ int [3, N, T], BigGait the branch a sequence is without, DenoisingGait bool [N].
    """
    if "blanked_samples" in case["inputs"]:
        blank = np.zeros(len(arrays["labels"]), np.int32)
        blank[arrays["blanked_samples"]] = 1 + arrays["blanked_branch"]
        return {"blank": blank}
    if "smoothed_samples" in case["inputs"]:
        return np.isin(np.arange(len(arrays["labels"])), arrays["smoothed_samples"])
    if _name(case) != "LidarGaitPlusPlus":
        return None
    rows = len(arrays["points"])
    return np.stack([arrays[name].reshape(rows, -1) for name in STARTS])


def _channels(description: str, maps: np.ndarray) -> dict[str, np.ndarray]:
    """Modality -> its channels of maps [N, T, C, H, W], channels last, divided by 255."""
    listed = description.partition("channels: ")[2].partition(";")[0]
    if listed not in CHANNELS:
        raise UnsupportedError(f"maps of {listed}")
    maps = np.moveaxis(maps, 2, -1) / 255.0
    return {modality: maps[..., channels] for modality, channels in CHANNELS[listed].items()}


def _unpack(packed: np.ndarray, lengths: np.ndarray, seed: int) -> np.ndarray:
    """[1, sum of lengths, ...] -> [N, T, ...], with frames of any order as padding."""
    shape = (len(lengths), max(lengths) + PADDING)
    frames = np.random.default_rng(seed).integers(0, packed.shape[1], shape)
    ends = np.cumsum(lengths)
    for row, end, length in zip(frames, ends, lengths, strict=True):
        row[:length] = np.arange(end - length, end)
    return packed[0][frames]


def _frames_first(x: jax.Array, lengths: np.ndarray) -> np.ndarray:
    """[N, T, ...] -> [sum of lengths, ...], as OpenGait packs them."""
    return np.asarray(x)[np.arange(x.shape[1]) < lengths[:, None]]


def _channels_second(x: jax.Array) -> np.ndarray:
    """[N, P, C] -> [N, C, P], and maps [N, T, H, W] -> [N * T, 1, H, W]: OpenGait's order."""
    x = np.asarray(x)
    if x.ndim == 4:
        return x.reshape(-1, 1, *x.shape[2:])
    return np.swapaxes(x, 1, 2) if x.ndim == 3 else x
