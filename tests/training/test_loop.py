"""Runs that are unlike the usual one."""

import json

import pytest

from configs import gaitssb_pretrain
from gaitjax.training import checkpoint, loop


@pytest.mark.slow
def test_views_of_nobody_knows_whom_train_without_a_test_split(tree, tmp_path, caplog):
    config = gaitssb_pretrain.get_config("folder")
    identities = sorted(path.name for path in tree.iterdir())
    partition = tmp_path / "all.json"
    partition.write_text(json.dumps({"TRAIN_SET": identities, "TEST_SET": []}))
    config.data.update(root=str(tree), partition=str(partition), threads=2)
    config.data.sampler.update(identities=4, sequences=2)
    config.data.frames.update(number=3, skip=1)
    config.data.transforms.silhouette = ({"type": "silhouette_cut"},)  # quicker to compile
    config.model.backbone.channels = (2, 3, 4, 4)
    config.train.update(steps=2, log_every=1, image_every=0)
    with caplog.at_level("INFO", logger="gaitjax"):
        loop.train(config, tmp_path / "run", tmp_path)
    assert "batches of 2 views x 8 sequences" in caplog.text
    assert checkpoint.latest_step(tmp_path / "run") == 2
    assert not list((tmp_path / "run").glob("evaluation*"))
