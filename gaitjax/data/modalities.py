"""What a frame of every modality is."""

import numpy as np

from gaitjax.errors import UserError

# modality -> its data type, and the axes of one frame; channels may lie first in the file
FRAMES = {
    **dict.fromkeys(("silhouette", "mask", "parsing"), ("uint8", ("height", "width"))),
    **dict.fromkeys(("rgb", "depth", "flow"), ("uint8", ("height", "width", 3))),
    "heatmap": ("uint8", ("height", "width", 2)),
    "latents": ("float", (96, 48, 4)),
    "pose": ("float", ("joints", "channels")),
    "points": ("float", ("points", 3)),
    "smpl": ("float", (85,)),
    "ratio": ("float", ()),
}


def checked(name: str, modality: str, array: np.ndarray) -> np.ndarray:
    """The frames of one modality: [T, ...], T at least 1, channels last; floats are float32.

    Args:
        name: of the array, for errors.
        modality: what it has to be.
        array: images may have their channels first.

    Raises:
        UserError: if the array has no frames, or is not one of this modality.
    """
    if modality in FRAMES:
        kind, axes = FRAMES[modality]
        array = _channels_last(array, axes)
        same_kind = array.dtype.kind == "f" if kind == "float" else array.dtype == kind
        if not (same_kind and _has_axes(array, axes)):
            raise UserError(
                f"{name} holds {array.dtype} {list(array.shape)}; a {modality} is {kind} "
                f"[{', '.join(map(str, ('frames', *axes)))}]: check what it is, or convert it"
            )
    if array.size == 0:
        raise UserError(f"{name} has no frames; delete the sequence or make it again")
    return array.astype(np.float32, copy=False) if array.dtype.kind == "f" else array


def _channels_last(array: np.ndarray, axes: tuple[str | int, ...]) -> np.ndarray:
    """Images [T, H, W, C] of [T, C, H, W], as PyTorch's tools write them; all else as it is."""
    first = len(axes) == 3 and array.ndim == 4 and array.shape[1] == axes[2] != array.shape[3]
    return np.moveaxis(array, 1, 3) if first else array


def _has_axes(array: np.ndarray, axes: tuple[str | int, ...]) -> bool:
    """Whether an array is [T, *axes]; a name stands for any length."""
    return array.ndim == 1 + len(axes) and all(
        isinstance(axis, str) or axis == length
        for axis, length in zip(axes, array.shape[1:], strict=True)
    )
