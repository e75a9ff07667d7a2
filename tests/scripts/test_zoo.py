"""The page of networks says what the configs say."""

import re
from pathlib import Path

import pytest

from scripts import check_configs, zoo

PAGE = (Path(zoo.ROOT) / "gaitjax" / "models" / "ZOO.md").read_text(encoding="utf-8")


def test_every_config_of_a_published_dataset_is_on_the_page():
    own = re.compile(":(synthetic|folder)$|^gaitssb_pretrain:(?!gaitlu_1m)")
    configs = {name for name in check_configs.names() if not own.search(name)}
    assert set(re.findall(r"^\| `(\S+:\S+)`", PAGE, re.MULTILINE)) == configs


def test_rows_are_what_the_script_writes():
    for name in ("gaitset:casia_b", "gaitbase:hid", "sconet:scoliosis1k"):
        assert zoo.row(name) in PAGE


@pytest.mark.slow
def test_the_page_is_what_the_script_writes():
    assert zoo.page() == PAGE
