"""Gait recognition in JAX: from sequences of silhouettes to identities."""

from pathlib import Path
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:  # `import gaitjax` alone imports nothing else
    from ml_collections import ConfigDict

    from gaitjax.trained import Trained


def load(path: str | Path, config: Union[str, "ConfigDict", None] = None) -> "Trained":
    """Reads a trained network, to embed sequences with: see `gaitjax.trained`.

    Args:
        path: a run's folder, one of its checkpoints, or a .pt or .safetensors of OpenGait's.
        config: of the network, such as 'configs/gaitset.py:casia_b'; a file needs one, a run has
            its own.

    Raises:
        gaitjax.errors.UserError: if there is none, or it is another network's.
    """
    from gaitjax import trained

    return trained.load(path, config)
