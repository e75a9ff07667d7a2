import dataclasses

import numpy as np
import pytest

from gaitjax.datasets import grew, hid
from gaitjax.errors import UserError
from gaitjax.evaluation import submission

GREW = dataclasses.replace(grew.DATASET.submission, header=("videoId", "rank1", "rank2"))


def walks(identity="00007"):
    """A probe at 0, and gallery sequences at 1, 1, 0.5 and, of another type, 0."""
    names = [("probe", "03", "4XPn"), ("00002", "01", "a"), (identity, "02", "b")]
    names += [("00002", "02", "c"), ("00001", "00", "d")]
    places = np.array([0, 1, 1, 0.5, 0], np.float32)
    return places[:, None, None], *map(list, zip(*names, strict=True))


def test_a_line_names_the_nearest_sequences_the_earlier_first_among_equals():
    found = submission.text(GREW, *walks(), "euclidean")
    assert found == "videoId,rank1,rank2\n4XPn,2,2\n"
    found = submission.text(dataclasses.replace(GREW, numbers=False), *walks(), "euclidean")
    assert found == "videoId,rank1,rank2\n4XPn,00002,00002\n"


def test_what_cannot_be_submitted_is_refused():
    with pytest.raises(UserError, match=r"gallery has 3 sequences.*20"):
        submission.text(grew.DATASET.submission, *walks(), "euclidean")
    three = dataclasses.replace(GREW, header=("videoId", "rank1", "rank2", "rank3"))
    with pytest.raises(UserError, match="'ann' is no number"):
        submission.text(three, *walks("ann"), "euclidean")
    broken, *names = walks()
    broken[1] = np.nan
    with pytest.raises(UserError, match=r"not finite.*00002/01/a"):
        submission.text(GREW, broken, *names, "cosine")
    without_probes = [column[1:] for column in walks()]
    with pytest.raises(UserError, match="probes of 'HID' would be empty"):
        submission.text(hid.DATASET.submission, *without_probes, "euclidean")
