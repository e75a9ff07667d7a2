"""Every config can be trained, and the script that says so notices when one cannot."""

import re

import pytest

from scripts import check_configs

# as others, but with three times the blocks, which take half a minute to trace
LARGE = re.compile("^foundationgait.*(_large|:scoliosis1k_finetune)$")


@pytest.mark.slow
@pytest.mark.parametrize("name", [x for x in check_configs.names() if not LARGE.search(x)])
def test_a_step_of_every_config_can_be_traced(name):
    check_configs.check(name, step=False)


def test_a_step_on_the_cpu_and_the_line_that_tells_of_it(capsys):
    assert check_configs.main(["--only", "^gaitset:synthetic$", "--step"]) == 0
    heading, line = capsys.readouterr().out.splitlines()
    assert heading.split() == ["config", "parameters", "steps", "batch", "frames"]
    assert line.split() == ["gaitset:synthetic", "394,896", "150", "4", "6", "pass"]


def test_a_config_that_cannot_work_fails_the_check(monkeypatch, capsys):
    config_of = check_configs.config_of

    def broken(name):
        config = config_of(name)
        config.freeze = ("nothing/*",)
        return config

    monkeypatch.setattr(check_configs, "config_of", broken)
    assert check_configs.main(["--only", "^gaitset:synthetic$"]) == 1
    assert "UserError: config.freeze: 'nothing/*' matches no" in capsys.readouterr().out
    assert check_configs.main(["--only", "^no such$"]) == 1
