"""Evaluation by several processes."""

import functools

import jax
import numpy as np
import tiny

from gaitjax.training import experiment as experiments
from gaitjax.training import mesh as meshes
from gaitjax.training import validation


def test_every_process_embeds_its_own_share(tree, tmp_path, monkeypatch):
    config = tiny.config(tree)
    config.network, config.model = "tests.any_modality", {}
    data = experiments.open_data(config, tmp_path)
    model = experiments.build_model(config, data.classes)
    inputs = experiments.example_inputs(config, data.splits.test)
    variables = model.init(jax.random.key(0), *inputs, train=False)
    embedder = validation.embedder(config, model)
    embed = functools.partial(validation.embed_test, config, data, embedder, variables, {})

    whole = embed().embeddings
    shares = []

    def gather(share, rows):
        shares.append(share)
        return whole

    monkeypatch.setattr(meshes, "gather_shares", gather)
    monkeypatch.setattr(jax, "process_count", lambda: 3)
    for process in range(3):
        monkeypatch.setattr(jax, "process_index", lambda process=process: process)
        embed()
    for process, share in enumerate(shares):
        np.testing.assert_allclose(share, whole[process::3], atol=1e-6)
