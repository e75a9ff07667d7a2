"""Runs that are unlike the usual one."""

import dataclasses
import json

import jax
import pytest
import tiny

from configs import gaitssb_pretrain
from gaitjax.errors import UserError
from gaitjax.training import checkpoint, experiment, loop, validation
from tests.training import dropping


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


class Nameless(dropping.Model):
    """A network that embeds nothing, as segmentation does."""

    def __call__(self, *args, **options):
        return super().__call__(*args, **options).replace(embeddings=None)


def test_a_network_without_embeddings_trains_and_says_that_nothing_is_scored(
    tree, tmp_path, caplog, monkeypatch
):
    monkeypatch.setattr(dropping, "Model", Nameless)
    config = dropping.use(tiny.config(tree))
    config.train.update(steps=2, evaluate_every=1, checkpoint_every=10)
    with caplog.at_level("INFO", logger="gaitjax"):
        loop.train(config, tmp_path / "run", tmp_path)
    told = "no evaluation: tests.training.dropping has no embeddings that could be ranked"
    assert told in caplog.text
    assert checkpoint.latest_step(tmp_path / "run") == 2
    assert not list((tmp_path / "run").glob("evaluation*"))


class Diagnosing(dropping.Model):
    """A network that classifies walks, too."""

    def __call__(self, *args, **options):
        output = super().__call__(*args, **options)
        return output.replace(predictions={"diagnosis": output.terms["softmax"]["logits"]})


def classified(config, tree):
    data = experiment.open_data(config, tree)
    labels = {"diagnosis": {"nm-*": 0, "bg-*": 1}}
    return dataclasses.replace(data, dataset=dataclasses.replace(data.dataset, labels=labels))


def test_where_walks_are_only_classified_nobody_is_searched_for(tree):
    config = dropping.use(tiny.config(tree))
    data = classified(config, tree)
    model = experiment.build_model(config, data.classes)
    assert validation.unscored(config, data, model) == ""  # the config has a protocol
    config.evaluation.protocol.update(gallery=(), probes=())
    told = "nobody is searched for in own data, and tests.training.dropping does not classify"
    assert validation.unscored(config, data, model) == told
    with pytest.raises(UserError, match=r"config\.evaluation\.protocol"):
        validation.unscored(config, experiment.open_data(config, tree), model)


def test_a_network_that_classifies_is_scored_by_that_where_no_protocol_is_stated(tree, monkeypatch):
    monkeypatch.setattr(dropping, "Model", Diagnosing)
    config = dropping.use(tiny.config(tree))
    data = classified(config, tree)
    model = experiment.build_model(config, data.classes)
    inputs = experiment.example_inputs(config, data.splits.test)
    variables = model.init(jax.random.key(0), *inputs, train=False)
    forward = validation.embedder(config, model)
    assert validation.evaluate(config, data, forward, variables).main == "rank-1"
    config.evaluation.protocol.update(gallery=(), probes=())
    assert validation.unscored(config, data, model) == ""
    results = validation.baselines(config, data, forward, variables)
    assert list(results) == ["untrained network"]  # an energy image is no diagnosis
    result = results["untrained network"]
    assert result.probes == {"diagnosis": len(data.splits.test)}
    assert validation.comparison(results)[0].split() == ["accuracy", "[%]", "diagnosis", "mean"]
