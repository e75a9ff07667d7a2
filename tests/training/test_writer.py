"""What a run's folder tells of it."""

import contextlib
import json

import cv2
import numpy as np
from tensorboardX.proto.event_pb2 import Event

from gaitjax.training.writer import SCALARS, Writer


def events(folder):
    """The events of a TensorBoard file: each is its length, a checksum, itself, a checksum."""
    (path,) = folder.glob("events.out.tfevents.*")
    data, at = path.read_bytes(), 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 8], "little")
        yield Event.FromString(data[at + 12 : at + 12 + length])
        at += 12 + length + 4


def test_sequences_are_shown_as_rows_of_frames(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (2, 3, 8, 6), np.uint8)
    with contextlib.closing(Writer(tmp_path, 0, active=True)) as writer:
        writer.sequences(7, "inputs/silhouette", frames)
    (image,) = [
        (event.step, value.image)
        for event in events(tmp_path)
        for value in event.summary.value
        if value.tag == "inputs/silhouette"
    ]
    png = cv2.imdecode(np.frombuffer(image[1].encoded_image_string, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert (image[0], image[1].height, image[1].width) == (7, 16, 18)
    np.testing.assert_array_equal(png[8:, 6:12], frames[1, 1])


def test_scalars_of_steps_that_are_taken_again_are_taken_back(tmp_path):
    with contextlib.closing(Writer(tmp_path, 0, active=True)) as writer:
        for step in (1, 2, 3):
            writer.scalars(step, {"loss": step}, "train")
    with (tmp_path / SCALARS).open("a") as file:
        file.write('{"step": 4, "tr')  # the run was killed while it wrote
    with contextlib.closing(Writer(tmp_path, 2, active=True)) as writer:
        writer.scalars(3, {"loss": 30}, "train")
    lines = [json.loads(line) for line in (tmp_path / SCALARS).read_text().splitlines()]
    assert [(line["step"], line["train/loss"]) for line in lines] == [(1, 1), (2, 2), (3, 30)]


def test_a_process_that_is_not_the_first_writes_nothing(tmp_path):
    with contextlib.closing(Writer(tmp_path, 0, active=False)) as writer:
        writer.scalars(1, {"loss": 1.0}, "train")
        writer.sequences(1, "inputs/silhouette", np.zeros((1, 1, 4, 4), np.uint8))
    assert not list(tmp_path.iterdir())
