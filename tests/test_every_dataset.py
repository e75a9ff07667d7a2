"""From what is distributed to a score: every dataset is prepared, checked and trained on."""

import importlib
import json
import pkgutil
from concurrent.futures import ThreadPoolExecutor

import pytest

import gaitjax.datasets
from configs import common
from gaitjax import datasets
from gaitjax.errors import UserError
from gaitjax.preparation import check, run
from gaitjax.training import checkpoint, loop

# what tests/datasets/raw makes, and the dataset where it has another name
MADE = {
    **{
        name: name
        for name in (
            *("casia_b", "oumvlp", "oumvlp_pose", "grew", "casia_e", "hid"),
            *("gait3d", "gait3d_parsing", "ccpg", "ccpg_rgb", "ccgr", "ccgr_mini", "freegait"),
            *("sustech1k", "scoliosis1k"),
        )
    },
    "scoliosis1k_raw": "scoliosis1k",
    "sustech1k_raw": "sustech1k",
}
AS_THEY_ARE = ("casia_b_star", "gaitlu_1m")  # distributed as the tree that training reads
OWN_PROTOCOL = ("casia_b", "casia_b_star", "oumvlp", "oumvlp_pose", "grew", "sustech1k")
SHARED = {"ccpg_rgb": "ccpg", "ccgr_mini": "ccgr"}  # dataset -> whose file makes it, too


def test_every_dataset_is_there():
    names = {module.name for module in pkgutil.iter_modules(gaitjax.datasets.__path__)}
    made_from_raw = {name for name in names if _raw(name)}
    assert made_from_raw == set(MADE.values())


def _raw(name):
    module = importlib.import_module(f"gaitjax.datasets.{name}")
    return getattr(getattr(module, "DATASET", None), "raw", ())


@pytest.mark.slow
@pytest.mark.parametrize("made", [*MADE, *AS_THEY_ARE])
def test_from_what_is_distributed_to_a_score(made, tmp_path):
    name = MADE.get(made, made)
    dataset = datasets.get(name)
    fixture = importlib.import_module(f"tests.datasets.raw.{SHARED.get(name, name)}")
    getattr(fixture, f"make_{made}")(tmp_path / "raw")
    root, partition = tmp_path / "root", None
    if dataset.split is None:
        partition = tmp_path / "partition.json"
        partition.write_text(json.dumps({"TRAIN_SET": fixture.TRAIN, "TEST_SET": fixture.TEST}))
    password = getattr(fixture, "PASSWORD", None)
    options = run.Options(name, tmp_path / "raw", root, partition, password=password)
    if dataset.raw:
        with ThreadPoolExecutor(2) as executor:
            run.prepare(options, executor, 2)
        assert not check.look(root, None, partition).broken
        modalities = json.loads((root / "prepare.json").read_text())["modalities"]
    else:
        with pytest.raises(UserError, match="to be trained on as they are"):
            run.prepare(options, ThreadPoolExecutor(1), 1)
        root, modalities = tmp_path / "raw", dataset.files
        assert not check.look(root, name, partition).broken

    loop.train(small(name, root, partition, tuple(modalities)), tmp_path / "run", tmp_path)
    assert checkpoint.latest_step(tmp_path / "run") == 2
    scored = list((tmp_path / "run").glob("evaluation-2.json"))
    assert bool(scored) == (name not in ("scoliosis1k", "gaitlu_1m"))  # nobody is searched for


def small(name, root, partition, modalities):
    """Two steps of a network so small that it takes longer to read than to train."""
    config = common.base(name)
    config.network = "tests.any_modality"
    config.losses.triplet = {"type": "triplet", "margin": 0.2, "per_identity": 4}
    config.data.update(root=str(root), partition=str(partition or ""), modalities=modalities)
    config.data.transforms = {}
    config.data.sampler.update(identities=2, sequences=4)
    config.data.frames.number = 4
    config.train.update(steps=2, log_every=1, image_every=0)
    if name not in OWN_PROTOCOL and not datasets.get(name).labels:
        config.evaluation.protocol.update(gallery=("*",), probes=("all=*",))
    return config
