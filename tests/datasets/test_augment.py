import numpy as np
import pytest

from mmspike.datasets.transforms import RandomChannelPermutation, RandomWrapShift


@pytest.fixture
def clip():
    return list(np.random.default_rng(0).integers(0, 256, (4, 6, 10, 3), dtype=np.uint8))


def test_wrap_shift_moves_all_frames_alike_and_loses_nothing(clip):
    np.random.seed(3)
    shifted = RandomWrapShift()(dict(imgs=clip))['imgs']
    fitting = [(dy, dx) for dy in range(6) for dx in range(10)
               if all((np.roll(old, (dy, dx), (0, 1)) == new).all() for old, new in zip(clip, shifted, strict=True))]
    assert len(fitting) == 1 and fitting != [(0, 0)]


def test_wrap_shift_reaches_every_shift(clip):
    marked = np.zeros((6, 10, 3), np.uint8)
    marked[0, 0] = 1
    np.random.seed(0)
    reached = {tuple(np.argwhere(RandomWrapShift()(dict(imgs=[marked]))['imgs'][0][..., 0])[0]) for _ in range(600)}
    assert len(reached) == 60


def test_channel_permutation_is_one_for_the_clip(clip):
    orders = set()
    for seed in range(40):
        np.random.seed(seed)
        permuted = RandomChannelPermutation()(dict(imgs=clip))['imgs']
        order = tuple(next(c for c in range(3) if (clip[0][..., c] == permuted[0][..., k]).all()) for k in range(3))
        assert all((old[..., order] == new).all() for old, new in zip(clip, permuted, strict=True))
        orders.add(order)
    assert len(orders) == 6


@pytest.mark.parametrize('transform', [RandomWrapShift(), RandomChannelPermutation()])
def test_the_same_seed_gives_the_same_clip(clip, transform):
    np.random.seed(5)
    first = transform(dict(imgs=clip))['imgs']
    np.random.seed(5)
    np.testing.assert_array_equal(first, transform(dict(imgs=clip))['imgs'])
