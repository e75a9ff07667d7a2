"""Files of state dicts: what is written is read again, and nothing in them is ever run."""

import json
import os
import pickle
import struct
import sys

import numpy as np
import pytest

from gaitjax.errors import UserError
from gaitjax.interop import files

ARRAYS = {
    "conv.weight": np.moveaxis(np.arange(24, dtype="f4").reshape(2, 3, 4), 0, 2),  # not in a row
    "bn.num_batches_tracked": np.asarray(7),
}
SUFFIXES = pytest.mark.parametrize("suffix", files.SUFFIXES)


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.fixture
def library(suffix):
    return pytest.importorskip("torch" if suffix == ".pt" else "safetensors")


@SUFFIXES
def test_what_is_written_is_read_again(suffix, library, tmp_path):
    path = tmp_path / f"x{suffix}"
    files.write(path, ARRAYS, 60_000)
    found, step = files.read(path)
    assert step == 60_000
    assert found.keys() == ARRAYS.keys()
    for name, x in ARRAYS.items():
        np.testing.assert_array_equal(found[name], x)
        assert found[name].dtype == x.dtype
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_pt_is_what_opengait_restores(torch, tmp_path):
    files.write(tmp_path / "x.pt", ARRAYS, 9)
    found = torch.load(tmp_path / "x.pt", weights_only=True)
    assert found.keys() == {"model", "iteration"}
    assert found["model"]["bn.num_batches_tracked"].dtype == torch.int64
    assert found["model"]["conv.weight"].is_contiguous()


def test_what_opengait_saves_is_read_without_the_optimizer(torch, tmp_path):
    layer = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(layer.parameters())
    layer(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [1, 2])
    whole = {
        "model": layer.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": schedule.state_dict(),
        "iteration": 80_000,
    }
    torch.save(whole, tmp_path / "x.pt")
    torch.save(dict(layer.named_parameters()), tmp_path / "bare.pth")
    torch.save(whole, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    for name, steps in {"x.pt": 80_000, "bare.pth": 0, "old.pt": 80_000}.items():
        found, step = files.read(tmp_path / name)
        assert step == steps
        assert found.keys() == {"weight", "bias"}
        np.testing.assert_array_equal(found["weight"], layer.weight.detach().numpy())


@SUFFIXES
def test_narrow_floats_become_float32(suffix, library, torch, tmp_path):
    tensors = {kind: torch.tensor([1.5]).to(getattr(torch, kind)) for kind in ("half", "bfloat16")}
    if suffix == ".pt":
        torch.save(tensors, tmp_path / "x.pt")
    else:
        pytest.importorskip("safetensors.torch").save_file(tensors, tmp_path / "x.safetensors")
    found, _ = files.read(tmp_path / f"x{suffix}")
    kinds = {name: (x.dtype, x.item()) for name, x in found.items()}
    assert kinds == dict.fromkeys(tensors, (np.float32, 1.5))


class Payload:
    def __init__(self, witness):
        self.witness = witness

    def __reduce__(self):
        return os.system, (f"touch {self.witness}",)


def check_refused(path, *named):
    with pytest.raises(UserError) as error:
        files.read(path)
    assert "\n" not in str(error.value)
    for text in (str(path), *named):
        assert text in str(error.value)


@pytest.mark.parametrize("way", ["zip", "old", "bare pickle"])
def test_a_payload_is_not_run(way, torch, tmp_path):
    path, witness = tmp_path / "x.pt", tmp_path / "witness"
    if way == "bare pickle":
        path.write_bytes(pickle.dumps(Payload(witness), protocol=2))
    else:
        zipped = way == "zip"
        torch.save({"model": Payload(witness)}, path, _use_new_zipfile_serialization=zipped)
    check_refused(path, "system, which was not run")
    assert not witness.exists()


def test_a_pickled_network_is_named(torch, tmp_path):
    torch.save({"model": torch.nn.Linear(1, 1)}, tmp_path / "x.pt")
    check_refused(tmp_path / "x.pt", "torch.nn.modules.linear.Linear, which was not run")


@SUFFIXES
def test_broken_files_are_named(suffix, library, tmp_path):
    path = tmp_path / f"x{suffix}"
    files.write(path, ARRAYS, 0)
    whole = path.read_bytes()
    header = json.dumps({"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 1 << 40]}})
    for content in (
        whole[: len(whole) // 2],
        whole[:-1],
        whole[:20],
        b"",
        b"a text file\n",
        struct.pack("<Q", 1 << 60),
        struct.pack("<Q", len(header)) + header.encode(),
    ):
        path.write_bytes(content)
        check_refused(path, "is broken or something else")


@SUFFIXES
def test_missing_files_and_folders_are_named(suffix, tmp_path):
    check_refused(tmp_path / f"x{suffix}", "does not exist")
    (tmp_path / f"x{suffix}").mkdir()
    check_refused(tmp_path / f"x{suffix}", "is a folder")


@pytest.mark.parametrize("content", [[1, 2], {"lr": 0.1}, {"model": {"epoch": 3}}, 5])
def test_other_content_is_refused(content, torch, tmp_path):
    torch.save(content, tmp_path / "x.pt")
    check_refused(tmp_path / "x.pt", "something else than tensors")


@SUFFIXES
def test_the_extra_is_named_where_it_is_missing(suffix, monkeypatch, tmp_path):
    for module in ("torch", "safetensors", "safetensors.numpy"):
        monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / f"x{suffix}").touch()
    for attempt in (
        lambda: files.read(tmp_path / f"x{suffix}"),
        lambda: files.write(tmp_path / f"y{suffix}", ARRAYS, 0),
    ):
        with pytest.raises(UserError, match=r"pip install 'gaitjax\[torch\]'"):
            attempt()
