"""Checkpoints of OpenGait, in and out.

Every network states in `OPENGAIT` which of its parameters is which entry of OpenGait's state_dict.
A rule is (ours, theirs, layout): two names, in which `{i}` stands for a number that both share, and
what the values look like on either side. With `{*}` in theirs, ours is the stack of their entries
0, 1, 2, ..., with `{key|value}` that of the entries with these words. A layout that is a function
names an entry that their network derives, and that is worth nothing to ours: of the shape of a
parameter of ours that the rule names it makes the entry, which is checked on reading and made again
on writing. The rules are applied strictly: an entry that is left over on either side, or has
another shape, is an error that lists it.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import flax.traverse_util
import jax
import jax.numpy as jnp
import numpy as np

from gaitjax import lookup, models
from gaitjax.errors import UserError

Rule = tuple[str, str, str | Callable[[tuple[int, ...]], np.ndarray]]
Variables = dict[str, Any]

NETWORKS = {
    "Baseline": "gaitbase",
    "BigGait__Dinov2_Gaitbase": "biggait",
    "BiggerGait__DINOv2": "biggergait",
    "DeepGaitV2": "deepgaitv2",
    "DenoisingGait": "denoisinggait",
    "FoundationGait_Scaling": "foundationgait_pretrain",
    "FoundationGait_Scaling_Finetune": "foundationgait_finetune",
    "FoundationGait_Scaling_LinearProbing_RAGAR": "foundationgait_attributes",
    "FoundationGait_Scaling_LinearProbing_Scoliosis1K": "foundationgait_probe",
    "FoundationGait_Scaling_LinearProbing_DGait": "foundationgait_probe",
    "GLN": "gln",
    "GaitEdge": "gaitedge",
    "GaitGL": "gaitgl",
    "GaitGraph1": "gaitgraph1",
    "GaitGraph2": "gaitgraph2",
    "GaitPart": "gaitpart",
    "GaitSSB_Finetune": "gaitssb_finetune",
    "GaitSSB_Pretrain": "gaitssb_pretrain",
    "GaitSet": "gaitset",
    "GaitTR": "gaittr",
    "LidarGaitPlusPlus": "lidargaitpp",
    "MultiGaitpp": "multigaitpp",
    "MultiScaleGaitGraph": "msgg",
    "ParsingGait": "parsinggait",
    "SMPLGait": "smplgait",
    "ScoNet": "sconet",
    "Segmentation": "segmentation",
    "SkeletonGaitPP": "skeletongaitpp",
    "SwinGait": "swingait",
}
COUNTER = "num_batches_tracked"
STACK = re.compile(r"\{(\*|\w+(?:\|\w+)+)\}")


class Leaf(NamedTuple):
    """One array of a layout: its name on either side, and how it turns into the other's."""

    collection: str
    ours: str
    theirs: str
    read: Callable[[np.ndarray, tuple[int, ...]], np.ndarray]
    write: Callable[[np.ndarray], np.ndarray]


def _same(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return x


def _identity(x: np.ndarray) -> np.ndarray:
    return x


def _channels_last(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.moveaxis(x, (0, 1), (-1, -2))  # [out, in, *kernel] -> [*kernel, in, out]


def _channels_first(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, (-1, -2), (0, 1))


def _one_pixel_out(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return x[:, :, 0, 0].T if x.shape[2:] == (1, 1) else x  # [out, in, 1, 1] -> [in, out]


def _one_pixel_in(x: np.ndarray) -> np.ndarray:
    return x.T[:, :, None, None]


def _from_channel_major(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return x.reshape(shape[::-1]).T if x.size == np.prod(shape) else x  # [C * P] -> [P, C]


def _to_channel_major(x: np.ndarray) -> np.ndarray:
    return x.T.reshape(-1)


def _split_rows(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if x.size != np.prod(shape):
        return x
    return x.reshape(shape[0], -1, *shape[1:-1]).swapaxes(1, -1)  # [S * out, in] -> [S, in, out]


def _join_rows(x: np.ndarray) -> np.ndarray:
    return x.swapaxes(1, -1).reshape(-1, *x.shape[1:-1])


def _norm(
    read: Callable[[np.ndarray, tuple[int, ...]], np.ndarray],
    write: Callable[[np.ndarray], np.ndarray],
) -> tuple[Leaf, ...]:
    return (
        Leaf("params", "scale", "weight", read, write),
        Leaf("params", "bias", "bias", read, write),
        Leaf("batch_stats", "mean", "running_mean", read, write),
        Leaf("batch_stats", "var", "running_var", read, write),
    )


_LINEAR = (
    Leaf("params", "kernel", "weight", _channels_last, _channels_first),
    Leaf("params", "bias", "bias", _same, _identity),
)
_POINTWISE = (_LINEAR[0]._replace(read=_one_pixel_out, write=_one_pixel_in), _LINEAR[1])
_JOINED = tuple(leaf._replace(read=_split_rows, write=_join_rows) for leaf in _LINEAR)
LAYOUTS: dict[str, tuple[Leaf, ...]] = {
    "as_is": (Leaf("params", "", "", _same, _identity),),
    "conv": _LINEAR,
    "linear": _LINEAR,
    "pointwise": _POINTWISE,
    "joined_linear": _JOINED,
    "batch_norm": _norm(_same, _identity),
    "layer_norm": _norm(_same, _identity)[:2],
    "parts_bn": _norm(_from_channel_major, _to_channel_major),
}


def build(model_name: str, model_cfg: Mapping[str, Any], dtype: str = "float32") -> nn.Module:
    """The network that OpenGait's `model_cfg` describes.

    Args:
        model_name: OpenGait's name of the network, such as 'Baseline'.
        model_cfg: that part of its YAML file.
        dtype: of the activations.

    Raises:
        UserError: for a network that is not there, or a configuration that names too little.
    """
    if model_name not in NETWORKS:
        known = ", ".join(sorted(NETWORKS))
        raise UserError(f"no network stands for OpenGait's {model_name!r}; there are {known}")
    network = NETWORKS[model_name]
    module = lookup.module("gaitjax.models", network)
    try:
        options = module.from_opengait(model_cfg)
        classes = classes_of(network, _class_count(model_cfg))
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"model_cfg of {model_name} is not complete: {error!r}") from error
    return models.build(network, options, classes, dtype)


def load(
    model_name: str, model_cfg: Mapping[str, Any], state_dict: Mapping[str, np.ndarray]
) -> Variables:
    """Our variables from OpenGait's `state_dict`.

    Args:
        model_name: OpenGait's name of the network, such as 'Baseline'.
        model_cfg: that part of its YAML file.
        state_dict: name -> array, in PyTorch's layout.

    Returns:
        {'params': ..., 'batch_stats': ...} of numpy arrays.

    Raises:
        UserError: lists every entry that is missing, left over or of another shape.
    """
    model = build(model_name, model_cfg)
    return read(NETWORKS[model_name], model, state_dict)


def dump(model_name: str, variables: Variables, step: int = 0) -> dict[str, np.ndarray]:
    """OpenGait's `state_dict` from our variables, or from gradients of 'params' alone.

    Args:
        model_name: OpenGait's name of the network.
        variables: {'params': ..., 'batch_stats': ...}; one of them may be absent.
        step: what the batch counters are set to.

    Returns:
        name -> array, in PyTorch's layout. Entries that the network derives are among them if
        both collections are there, and those that stand twice unless there are gradients alone.

    Raises:
        UserError: lists the parameters that no rule of the network names.
    """
    return write(NETWORKS[model_name], variables, step)


def read(network: str, model: nn.Module, state_dict: Mapping[str, np.ndarray]) -> Variables:
    """`load` for a network that is built. What has no values, as a head of 0 classes, has no entry.

    Args:
        network: a file of `gaitjax/models`, or a dotted path, with rules in `OPENGAIT`.
        model: its `Model`.
        state_dict: name -> array, in PyTorch's layout.

    Raises:
        UserError: as `load` does.
    """
    template = _flat_shapes(network, model)
    copies = functools.partial(twice, network)
    return read_by(_rules(network), template, state_dict, _name(network), copies)


def read_by(
    rules: Sequence[Rule],
    template: Mapping[tuple[str, ...], Any],
    state_dict: Mapping[str, np.ndarray],
    name: str,
    copies: Callable[[Iterable[str]], Mapping[str, str]] = lambda names: {},
) -> Variables:
    """`read` by given rules.

    Args:
        rules: as a network's `OPENGAIT`.
        template: path -> shape and type of every variable of ours.
        state_dict: name -> array, in PyTorch's layout.
        name: of the network, for errors.
        copies: names that are read -> what must be the same under other names, as `twice`.

    Raises:
        UserError: as `load` does.
    """
    result: dict[tuple[str, ...], np.ndarray] = {}
    faults = []
    left = {key for key in state_dict if not _is_counter(key)}
    used: list[str] = []
    for path, theirs, leaf in _pairs(rules, template):
        shape, names = _unstacked(theirs, template[path].shape)
        if 0 in shape:
            result[path] = np.zeros(shape, template[path].dtype)
            continue
        used += names
        values, wrong = _values(names, shape, leaf, state_dict)
        faults += wrong
        if not wrong:
            result[path] = values[0] if shape == template[path].shape else np.stack(values)
    again = copies(used)
    left.difference_update(used, again)
    faults += _unlike(again, state_dict)
    for theirs, expected in _derived(rules, template).items():
        left.discard(theirs)
        if theirs not in state_dict:
            faults.append(f"- {theirs} is missing")
        elif not np.array_equal(state_dict[theirs], expected):
            faults.append(f"! {theirs} is not what the network derives")
    faults += [f"+ {key} has no place" for key in sorted(left)]
    if faults:
        raise UserError(
            f"this state_dict is not one of {name}: {'; '.join(faults)}; expected that "
            "of the network which the config describes"
        )
    variables: Variables = flax.traverse_util.unflatten_dict(result)
    return variables


def names(rules: Sequence[Rule], template: Mapping[tuple[str, ...], Any]) -> set[str]:
    """Their names of all that `read_by` reads, but for what is derived."""
    return {
        name
        for path, theirs, _ in _pairs(rules, template)
        for name in _unstacked(theirs, template[path].shape)[1]
    }


def write(network: str, variables: Variables, step: int = 0) -> dict[str, np.ndarray]:
    """`dump` for a network by our name.

    Args:
        network: a file of `gaitjax/models`, or a dotted path, with rules in `OPENGAIT`.
        variables: as for `dump`.
        step: what the batch counters are set to.
    """
    result = write_by(_rules(network), variables, step)
    if "batch_stats" in variables:
        result |= {copy: result[first] for copy, first in twice(network, result).items()}
    return result


def twice(network: str, names: Iterable[str]) -> dict[str, str]:
    """OpenGait's name of every entry that stands in its state_dict once more -> the first one's.

    Args:
        network: as for `read`.
        names: of the entries that the rules name.
    """
    copies = getattr(lookup.module("gaitjax.models", network), "copies", None)
    return copies(names) if copies else {}


def write_by(rules: Sequence[Rule], variables: Variables, step: int = 0) -> dict[str, np.ndarray]:
    """`write` by given rules, as a network's `OPENGAIT`."""
    flat = flax.traverse_util.flatten_dict(variables)
    result: dict[str, np.ndarray] = {}
    for path, theirs, leaf in _pairs(rules, flat):
        shape, names = _unstacked(theirs, flat[path].shape)
        if 0 in shape:
            continue
        values = [flat[path]] if shape == flat[path].shape else flat[path]
        for name, value in zip(names, values, strict=True):
            result[name] = leaf.write(np.asarray(value))
            if leaf.theirs == "running_var":
                counter = name.removesuffix("running_var") + COUNTER
                result[counter] = np.asarray(step, np.int64)
    if "params" in variables and "batch_stats" in variables:
        result |= _derived(rules, flat)
    return result


def count_classes(
    network: str, build: Callable[[int], nn.Module], state_dict: Mapping[str, np.ndarray]
) -> int | None:
    """How many classes the head in a `state_dict` tells apart.

    Args:
        network: as for `read`.
        build: number of classes -> the network.
        state_dict: name -> array, in PyTorch's layout.

    Returns:
        0 if the network's head is not in the `state_dict`, None if the network has none.
    """
    one, two = (_flat_shapes(network, build(classes)) for classes in (1, 2))
    for path, theirs, leaf in _pairs(_rules(network), one):
        if one[path].shape == two[path].shape:
            continue
        shapes = [_unstacked(theirs, template[path].shape)[0] for template in (one, two)]
        few, more = (leaf.write(np.empty(shape)).shape for shape in shapes)
        axis = next(i for i, (a, b) in enumerate(zip(few, more, strict=True)) if a != b)
        name = _unstacked(theirs, one[path].shape)[1][0]
        if name not in state_dict:
            return 0
        found = np.shape(state_dict[name])
        return found[axis] if len(found) == len(few) else 1  # 1: `read` tells what is wrong
    return None


def classes_of(network: str, count: int) -> dict[str, int]:
    """Label -> number of classes, where the network's own label has so many."""
    module = lookup.module("gaitjax.models", network)
    return {"identity": 0, getattr(module, "LABEL", "identity"): count}


def derived(network: str, model: nn.Module) -> dict[str, np.ndarray]:
    """OpenGait's name -> value of every entry that its network derives.

    Args:
        network: as for `read`.
        model: its `Model`.
    """
    return _derived(_rules(network), _flat_shapes(network, model))


def shapes(network: str, model: nn.Module) -> Variables:
    """Shapes and types of a network's variables.

    Args:
        network: a file of `gaitjax/models`, or a dotted path, with an `EXAMPLE`.
        model: its `Model`.
    """
    init = functools.partial(model.init, train=False)
    result: Variables = jax.eval_shape(init, jax.random.key(0), *example(network, model))
    return result


def _class_count(model_cfg: Mapping[str, Any]) -> int:
    """OpenGait's networks state it at one of three places by one of two names, or not at all."""
    groups = (model_cfg, model_cfg.get("SeparateBNNecks", {}), model_cfg.get("GaitGL", {}))
    names = ("class_num", "num_id")
    return next((group[name] for group in groups for name in names if name in group), 0)


def example(network: str, model: nn.Module) -> tuple[dict[str, jax.Array], jax.Array]:
    """One frame of zeros of every modality that a network may read, and its length.

    Args:
        network: a file of `gaitjax/models`, or a dotted path, with an `EXAMPLE`.
        model: its `Model`.
    """
    shapes = _exported(network, "EXAMPLE", "the shape of one frame by modality")
    if callable(shapes):
        shapes = shapes(model)
    return {m: jnp.zeros((1, 1, *shape)) for m, shape in shapes.items()}, jnp.ones(1, jnp.int32)


def _rules(network: str) -> Sequence[Rule]:
    rules: Sequence[Rule] = _exported(network, "OPENGAIT", "the rules of gaitjax.interop.opengait")
    return rules


def _exported(network: str, name: str, meaning: str) -> Any:
    module = lookup.module("gaitjax.models", network)
    if not hasattr(module, name):
        raise UserError(f"{module.__name__} exports no {name}, which is needed here: {meaning}")
    return getattr(module, name)


def _name(network: str) -> str:
    """OpenGait's name of a network, or ours where it has none."""
    return next((theirs for theirs, ours in NETWORKS.items() if ours == network), network)


def _is_counter(key: str) -> bool:
    return key.rpartition(".")[2] == COUNTER


def _flat_shapes(network: str, model: nn.Module) -> dict[tuple[str, ...], jax.ShapeDtypeStruct]:
    """Path -> shape of every variable of a network."""
    flat: dict[tuple[str, ...], jax.ShapeDtypeStruct]
    flat = flax.traverse_util.flatten_dict(shapes(network, model))
    return flat


def _pairs(
    rules: Sequence[Rule], flat: Mapping[tuple[str, ...], Any]
) -> Iterator[tuple[tuple[str, ...], str, Leaf]]:
    """(our path, their name, leaf) of every one of our variables."""
    compiled = [
        (leaf, _pattern(_join(ours, leaf.ours, "/")), _join(theirs, leaf.theirs, "."))
        for ours, theirs, layout in rules
        if isinstance(layout, str)
        for leaf in LAYOUTS[layout]
    ]
    nameless = []
    for path in flat:
        for leaf, pattern, theirs in compiled:
            match = pattern.fullmatch("/".join(path[1:]))
            if match and leaf.collection == path[0]:
                yield path, _fill(theirs, match.groupdict()), leaf
                break
        else:
            nameless.append("/".join(path))
    if nameless:
        raise UserError(f"no rule of OPENGAIT names {', '.join(nameless)}")


def _values(
    names: Sequence[str],
    shape: tuple[int, ...],
    leaf: Leaf,
    state_dict: Mapping[str, np.ndarray],
) -> tuple[list[np.ndarray], list[str]]:
    """The values of entries in our layout, and what is wrong with the entries."""
    missing = [f"- {name} is missing" for name in names if name not in state_dict]
    if missing:
        return [], missing
    found = [np.asarray(state_dict[name]) for name in names]
    values = [leaf.read(x, shape) for x in found]
    wanted = list(leaf.write(np.empty(shape)).shape)
    return values, [
        f"! {name} is {list(x.shape)}, not {wanted}"
        for name, x, value in zip(names, found, values, strict=True)
        if value.shape != shape
    ]


def _unlike(copies: Mapping[str, str], state_dict: Mapping[str, np.ndarray]) -> list[str]:
    """What is wrong with entries that are to be the same as others."""
    missing = [f"- {copy} is missing" for copy in copies if copy not in state_dict]
    return missing + [
        f"! {copy} is not the same as {first}"
        for copy, first in copies.items()
        if {copy, first} <= state_dict.keys()
        and not np.array_equal(state_dict[copy], state_dict[first])
    ]


def _derived(rules: Sequence[Rule], flat: Mapping[tuple[str, ...], Any]) -> dict[str, np.ndarray]:
    """Their name -> value of everything that their network derives."""
    return {
        _fill(theirs, match.groupdict()): layout(flat[path].shape)
        for ours, theirs, layout in rules
        if not isinstance(layout, str)
        for path in flat
        if (match := _pattern(ours).fullmatch("/".join(path[1:]))) and path[0] == "params"
    }


def _unstacked(theirs: str, shape: tuple[int, ...]) -> tuple[tuple[int, ...], list[str]]:
    """Shape and names of the entries that make up an array of ours."""
    stack = STACK.search(theirs)
    if not stack:
        return shape, [theirs]
    words = stack[1].split("|") if "|" in stack[1] else map(str, range(shape[0]))
    return shape[1:], [theirs.replace(stack[0], word) for word in words]


def _fill(theirs: str, numbers: Mapping[str, str]) -> str:
    for name, number in numbers.items():
        theirs = theirs.replace(f"{{{name}}}", number)
    return theirs


def _join(prefix: str, leaf: str, separator: str) -> str:
    return f"{prefix}{separator}{leaf}" if leaf else prefix


def _pattern(ours: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w)\\}", r"(?P<\1>\\d+)", re.escape(ours)))
