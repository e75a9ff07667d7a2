import time

import pytest

from gaitjax.ahead import ahead


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_order_and_few_wait(threads):
    called = []

    def work(item):
        called.append(item)
        time.sleep(0.002 * (item % 2))
        return item

    taken = 0
    for taken, item in enumerate(ahead(work, range(40), threads), 1):
        assert item == taken - 1
        assert len(called) < taken + 2 * threads
    assert taken == 40


def test_what_fails_is_raised_where_it_would_come():
    results = ahead(lambda item: 1 // (3 - item), range(9), 2)
    assert [next(results) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)
