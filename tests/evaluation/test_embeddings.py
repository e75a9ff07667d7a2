"""The file of embeddings: what is read is what was written, and nothing else is believed."""

import json
import pickle
import tracemalloc

import numpy as np
import pytest

from gaitjax.data import columns
from gaitjax.errors import UserError
from gaitjax.evaluation import embeddings
from gaitjax.evaluation.embeddings import Embeddings


def made(n=5, parts=3, channels=4):
    rng = np.random.default_rng(0)
    return Embeddings(
        rng.normal(size=(n, parts, channels)).astype(np.float32),
        {"diagnosis": rng.normal(size=(n, parts, 2)).astype(np.float32)},
        np.array([f"person {i % 2}" for i in range(n)]),
        np.array(["nm-01", "gezählt", "bg"] * n)[:n],
        np.array([f"{18 * i:03}" for i in range(n)]),
        {"network": "gaitset", "step": 4, "config": {"a": [1, 2.5, None]}},
    )


def test_what_is_read_is_what_was_written(tmp_path):
    embeddings.write(tmp_path / "a", made())
    found = embeddings.read(tmp_path / "a")
    for name in ("embeddings", "identities", "types", "views"):
        np.testing.assert_array_equal(getattr(found, name), getattr(made(), name))
    np.testing.assert_array_equal(found.predictions["diagnosis"], made().predictions["diagnosis"])
    assert found.facts == made().facts
    embeddings.write(tmp_path / "b", found)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_embeddings_are_mapped_and_written_without_a_copy(tmp_path):
    large = made(5000, 16, 256)
    assert large.embeddings.nbytes > 80e6
    tracemalloc.start()
    embeddings.write(tmp_path / "a", large)
    found = embeddings.read(tmp_path / "a")
    found.embeddings.sum()
    assert tracemalloc.get_traced_memory()[1] < 40e6
    tracemalloc.stop()


@pytest.mark.parametrize("length", [0, 1, 60, 200, -200, -1])
def test_a_file_that_is_cut_off_is_named(tmp_path, length):
    embeddings.write(tmp_path / "a", made())
    (tmp_path / "a").write_bytes((tmp_path / "a").read_bytes()[:length])
    with pytest.raises(UserError, match=str(tmp_path / "a")):
        embeddings.read(tmp_path / "a")


def test_every_byte_counts(tmp_path):
    embeddings.write(tmp_path / "a", made())
    content = bytearray((tmp_path / "a").read_bytes())
    content[-70] ^= 1
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(UserError, match="changed"):
        embeddings.read(tmp_path / "a")


def encoded(tmp_path, change):
    """A file whose header and columns were changed, with sums that are right."""
    embeddings.write(tmp_path / "a", made())
    header, content = columns.decode("a", embeddings.KIND, (tmp_path / "a").read_bytes())
    header = {name: header[name] for name in ("names", "facts")}
    change(header, content)
    (tmp_path / "a").write_bytes(columns.encode(embeddings.KIND, header, content))
    return tmp_path / "a"


LIES = {
    "no names": lambda header, _: header.pop("names"),
    "names of no text": lambda header, _: header.update(names=[[1], [2], [3]]),
    "too few names": lambda header, _: header.update(names=[["a"], ["b"], ["c"]]),
    "names that take all memory": lambda header, _: header["names"][0].append("x" * 2**24),
    "facts of no kind": lambda header, _: header.update(facts=[1]),
    "no embeddings": lambda _, content: content.pop("embeddings"),
    "embeddings of others": lambda _, content: content.update(embeddings=np.ones((4, 3, 2), "f4")),
    "flat embeddings": lambda _, content: content.update(embeddings=np.ones((5, 3), "f4")),
    "embeddings of integers": lambda _, x: x.update(embeddings=np.ones((5, 3, 2), "i4")),
    "names in one row": lambda _, content: content.update(names=np.zeros(5, "i4")),
    "predictions of others": lambda _, x: x.update({"prediction/a": np.ones((4, 3), "f4")}),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_file_that_lies_is_refused(tmp_path, lie):
    path = encoded(tmp_path, LIES[lie])
    with pytest.raises(UserError, match=str(path)):
        embeddings.read(path)


def test_what_is_no_such_file_is_refused(tmp_path):
    others = {
        "pickle": pickle.dumps(made()),
        "json": json.dumps({"embeddings": [1]}).encode() + b"\n",
        "nested": b"[" * 100_000 + b"\n",
        "store": columns.encode("gaitjax store", {}, {}),
        "huge": b'{"kind": "gaitjax embeddings", "version": 1, "crc": 0, '
        b'"columns": [["embeddings", "<f4", [1000000000000, 16, 256]]]}\n',
    }
    for name, content in others.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=name):
            embeddings.read(tmp_path / name)
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(UserError, match=f"{path} cannot be read"):
            embeddings.read(path)
