"""What a kill leaves of an extraction is what goes on; all of it is there in the end, in order."""

import contextlib
import itertools

import numpy as np
import pytest

from gaitjax.errors import UserError
from gaitjax.evaluation import parts
from gaitjax.evaluation.embed import Embedded

MADE_OF = {"weights": "a1", "dataset": "folder", "transforms": [{"type": "flip", "p": 0.5}]}
TOTAL = 7
BATCHES = ([4, 1], [0, 6], [5, 3], [2])


def embedded(rows):
    """What a network says of these rows: the same each time."""
    x = np.stack([np.random.default_rng(row).normal(size=(2, 3)) for row in rows])
    return Embedded(x.astype(np.float32), {"diagnosis": x[:, :, 0].astype(np.float32)})


def add(path, batches, process=0, made_of=MADE_OF):
    with contextlib.closing(parts.Part(path, process, made_of)) as part:
        for rows in batches:
            part.add(np.array(rows), embedded(rows))


def check_whole(path):
    found, wanted = parts.in_order(path, TOTAL), embedded(range(TOTAL))
    np.testing.assert_array_equal(found.embeddings, wanted.embeddings)
    np.testing.assert_array_equal(found.predictions["diagnosis"], wanted.predictions["diagnosis"])


def test_whatever_a_kill_cuts_off_whole_batches_stay(tmp_path):
    path = tmp_path / "walks"
    add(path, BATCHES)
    (part,) = parts.of(path)
    content = part.read_bytes()
    part.unlink()
    ends = []
    for i in range(len(BATCHES) + 1):
        add(path, BATCHES[i - 1 : i])
        ends.append(len(part.read_bytes()))
    assert part.read_bytes() == content
    for cut in sorted({*range(ends[0], ends[-1], 37), *ends, *(end - 1 for end in ends[1:])}):
        part.write_bytes(content[:cut])
        kept = BATCHES[: sum(cut >= end for end in ends[1:])]
        assert parts.done(path, TOTAL).nonzero()[0].tolist() == sorted(itertools.chain(*kept))
        add(path, BATCHES[len(kept) :])
        assert part.read_bytes() == content
    check_whole(path)


@pytest.mark.parametrize("small_disk", ["40k"], indirect=True)
def test_a_full_disk_is_named_and_tears_no_batch(small_disk):
    path = small_disk / "walks"
    with pytest.raises(UserError, match="part-0 cannot be written to: No space"):
        add(path, [[row] for row in range(1000)])
    kept = parts.done(path, 1000)
    assert kept[: kept.sum()].all()
    assert 10 < kept.sum() < 1000


def test_processes_may_be_others_than_before(tmp_path):
    add(tmp_path / "walks", BATCHES[:2], process=1)
    add(tmp_path / "walks", BATCHES[2:])
    add(tmp_path / "walks.part-time", BATCHES[:1], process=1)
    check_whole(tmp_path / "walks")


def test_what_is_not_all_there_is_no_file(tmp_path):
    add(tmp_path / "walks", BATCHES[:3])
    with pytest.raises(UserError, match="1 of 7 sequences are missing"):
        parts.in_order(tmp_path / "walks", TOTAL)


def test_another_network_or_other_data_do_not_go_on(tmp_path):
    add(tmp_path / "walks", BATCHES[:2])
    before = parts.of(tmp_path / "walks")[0].read_bytes()
    with pytest.raises(UserError, match=r"part-0 .*weights a1 there, b2 now") as refused:
        add(tmp_path / "walks", [], made_of={**MADE_OF, "weights": "b2"}, process=1)
    assert "dataset" not in str(refused.value)
    assert [x.read_bytes() for x in tmp_path.iterdir()] == [before]


def test_two_commands_do_not_write_one_part(tmp_path):
    first = parts.Part(tmp_path / "walks", 0, MADE_OF)
    with pytest.raises(UserError, match="by another process"):
        parts.Part(tmp_path / "walks", 0, MADE_OF)
    first.close()
    add(tmp_path / "walks", BATCHES)


@pytest.mark.parametrize("content", [b"", b"notes", bytes(100), b"\xff" * 100])
def test_what_is_no_part_stays_as_it_is(tmp_path, content):
    (tmp_path / "walks.part-0").write_bytes(content)
    with pytest.raises(UserError, match="no part of embeddings"):
        add(tmp_path / "walks", BATCHES)
    assert (tmp_path / "walks.part-0").read_bytes() == content


@pytest.mark.parametrize("rows", [[-1, 0], [0, 7], []])
def test_a_part_of_other_sequences_is_refused(tmp_path, rows):
    with contextlib.closing(parts.Part(tmp_path / "walks", 0, MADE_OF)) as part:
        part.add(np.array(rows, int), embedded([0, 1]))
    with pytest.raises(UserError, match="part-0 is of other sequences"):
        parts.done(tmp_path / "walks", TOTAL)
