"""What a run tells: log lines, TensorBoard, and JSON lines of every scalar."""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from tensorboardX import SummaryWriter
from tensorboardX.proto.summary_pb2 import Summary

from gaitjax import files

SCALARS = "scalars.jsonl"
log = logging.getLogger("gaitjax")


class Writer:
    """Writes into a run's folder; process 0 alone does.

    Args:
        workdir: the run's folder.
        first_step: what an earlier, interrupted run wrote of later steps is taken back.
        active: whether this is process 0.
    """

    def __init__(self, workdir: Path, first_step: int, active: bool) -> None:
        self._active = active
        if not active:
            return
        self._workdir = workdir
        self._path = workdir / SCALARS
        self._take_back(first_step)
        self._board = SummaryWriter(str(workdir), purge_step=first_step + 1)

    def scalars(self, step: int, values: Mapping[str, float], prefix: str) -> None:
        """Keeps scalars under 'prefix/name'."""
        if not self._active:
            return
        named = {f"{prefix}/{name}": float(value) for name, value in values.items()}
        for name, value in named.items():
            self._board.add_scalar(name, value, step)
        with files.writing(self._workdir), self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **named}) + "\n")

    def sequences(self, step: int, name: str, frames: np.ndarray) -> None:
        """Shows sequences [n, T, H, W] of uint8 as an image: a row each, time to the right.

        The PNG is OpenCV's: tensorboardX would need Pillow to make one.
        """
        if self._active:
            n, _, height, _ = frames.shape
            rows = frames.transpose(0, 2, 1, 3).reshape(n * height, -1)
            _, png = cv2.imencode(".png", rows)
            size = {"height": rows.shape[0], "width": rows.shape[1], "colorspace": 1}
            image = Summary.Image(**size, encoded_image_string=png.tobytes())
            value = Summary.Value(tag=name, image=image)
            self._board.file_writer.add_summary(Summary(value=[value]), step)

    def lines(self, lines: Sequence[str]) -> None:
        """Writes lines to the log."""
        if self._active:
            for line in lines:
                log.info("%s", line)

    def close(self) -> None:
        """Flushes everything."""
        if self._active:
            with files.writing(self._workdir):
                self._board.close()

    def _take_back(self, first_step: int) -> None:
        if self._path.exists():
            lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [x for x in lines if x.endswith("\n") and json.loads(x)["step"] <= first_step]
            temporary = self._path.with_suffix(".tmp")
            temporary.write_text("".join(kept), encoding="utf-8")
            temporary.replace(self._path)
