"""State dicts in files: PyTorch's .pt, and .safetensors. No file is ever allowed to run code."""

import contextlib
import importlib
import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from gaitjax import files
from gaitjax.errors import UserError

SUFFIXES = (".pt", ".safetensors")
TORCH = (".pt", ".pth")
EXPECTED = "expected what OpenGait saves, or a bare state_dict, as .pt or .safetensors"
STEP = "iteration"  # OpenGait's word
NUMBERS = {
    "BF16": jnp.bfloat16,
    "F16": np.float16,
    "F32": np.float32,
    "F64": np.float64,
    "I32": np.int32,
    "I64": np.int64,
}


def read(path: Path) -> tuple[dict[str, np.ndarray], int]:
    """Reads a state_dict.

    Args:
        path: a .pt or .pth, which holds what OpenGait saves or a bare state_dict, or a
            .safetensors.

    Returns:
        name -> array, floats of any kind in float32; and the steps taken, 0 where none are told.

    Raises:
        UserError: if there is no such file, or it is something else.
    """
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise UserError(f"{path} {what}; {EXPECTED}")
    with _readable(path):
        return _read_torch(path) if path.suffix in TORCH else _read_safetensors(path)


def write(path: Path, state_dict: Mapping[str, np.ndarray], step: int) -> None:
    """Writes a state_dict; OpenGait restores a .pt by its own strict loading.

    Args:
        path: a .pt or .safetensors; it is either whole or not there.
        state_dict: name -> array.
        step: how many steps were taken.

    Raises:
        UserError: if it cannot be written.
    """
    arrays = {name: np.array(x, order="C") for name, x in state_dict.items()}
    if path.suffix == ".pt":
        torch, buffer = _import("torch"), io.BytesIO()
        tensors = {name: torch.from_numpy(x) for name, x in arrays.items()}
        torch.save({"model": tensors, STEP: step}, buffer)
        data = buffer.getvalue()
    else:
        data = _import("safetensors.numpy").save(arrays, {STEP: str(step)})
    files.replace(path, data)


def _read_torch(path: Path) -> tuple[dict[str, np.ndarray], int]:
    torch = _import("torch")
    with warnings.catch_warnings(action="ignore"):
        # Mapped: the optimizer's state, two thirds of what OpenGait saves, stays on the disk.
        found = torch.load(
            path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path)
        )
    step = found.get(STEP, 0) if isinstance(found, Mapping) else 0
    entries = found["model"] if isinstance(found, Mapping) and "model" in found else found
    if not (
        isinstance(entries, Mapping) and all(isinstance(x, torch.Tensor) for x in entries.values())
    ):
        raise UserError(f"{path} holds something else than tensors by their names; {EXPECTED}")
    arrays = {
        name: (x.float() if x.is_floating_point() else x).detach().numpy().copy()
        for name, x in entries.items()
    }
    return arrays, step if isinstance(step, int) else 0


def _read_safetensors(path: Path) -> tuple[dict[str, np.ndarray], int]:
    library = _import("safetensors")
    with library.safe_open(path, "numpy") as opened:
        step = int((opened.metadata() or {}).get(STEP, 0))
    arrays = {}
    for name, x in library.deserialize(path.read_bytes()):
        array = np.frombuffer(x["data"], NUMBERS[x["dtype"]]).reshape(x["shape"])
        arrays[name] = array if array.dtype.kind == "i" else array.astype(np.float32)
    return arrays, step


def _import(module: str) -> Any:
    """What only the extra 'torch' installs."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UserError(
            f"{module.partition('.')[0]} is not installed, which this file's format needs; "
            "pip install 'gaitjax[torch]'"
        ) from error


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turns whatever goes wrong in reading a file into an error for the user."""
    try:
        yield
    except UserError:
        raise
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}; check the file") from error
    except Exception as error:  # a broken pickle, or an odd tensor, may raise any
        asked = re.search(r"GLOBAL ([\w.]+)", str(error))
        what = f"asks for {asked[1]}, which was not run" if asked else "is broken or something else"
        raise UserError(f"{path} {what}; {EXPECTED}") from error
