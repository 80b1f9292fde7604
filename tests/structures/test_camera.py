import numpy as np
import pytest
from golden_cases import differences, load_case

from mmspike.structures import camera_centre, picture_projection, project, ray_directions, triangulate


@pytest.fixture
def geometry(golden):
    return load_case(golden / 'cases/hybrid_geometry.pt')[0]


def cameras(views: int, seed: int = 0) -> np.ndarray:
    """Cameras around the origin that look at it, in mm."""
    rng, projections = np.random.default_rng(seed), []
    for view in range(views):
        angle = 2 * np.pi * (view + 0.3 * rng.random()) / (2 * views)
        centre = np.array([3000 * np.cos(angle), 3000 * np.sin(angle), rng.uniform(800, 1500)])
        forward = -centre / np.linalg.norm(centre)
        right = np.cross(forward, [0, 0, 1.]) / np.linalg.norm(np.cross(forward, [0, 0, 1.]))
        rotation = np.stack([right, np.cross(right, forward), forward])  # u to the right, v upwards
        intrinsic = np.array([[350, 0, 170], [0, 350, 130], [0, 0, 1.]])
        projections.append(intrinsic @ np.hstack([rotation, -rotation @ centre[:, None]]))
    return np.stack(projections)


@pytest.mark.parametrize('views', ['two_views_noisy', 'two_views_rounded', 'four_views_noisy'])
def test_triangulation_as_published(geometry, views):
    given = {name: value.numpy() for name, value in geometry['inputs'][views].items()}
    points = triangulate(given['uv'].transpose(0, 2, 1), given['P'])
    error = np.linalg.norm(points - given['X_true'], axis=1).mean()
    assert differences(geometry, {views: dict(points=points, mpjpe_mm=error)}) == []
    np.testing.assert_allclose(camera_centre(given['P']), given['cam_pos'], rtol=1e-9)


def test_published_rays_are_ours(geometry):
    given, expected = geometry['inputs']['two_views_noisy'], geometry['outputs']['two_views_noisy']['rays'].numpy()
    ours = ray_directions(given['uv'].numpy().transpose(0, 2, 1), given['P'].numpy())
    theirs = expected - given['cam_pos'].numpy()[:, None]
    theirs /= np.linalg.norm(theirs, axis=-1, keepdims=True)
    np.testing.assert_allclose(np.abs((ours * theirs).sum(-1)), 1, rtol=1e-12)


@pytest.mark.parametrize('views', [2, 3, 4])
def test_noiseless_projections_are_triangulated_exactly(views):
    points = np.random.default_rng(1).uniform(-900, 900, (13, 3))
    projections = np.stack([picture_projection(P, 260, (34, 2)) for P in cameras(views)])
    pixels = np.stack([project(points, P) for P in projections])
    assert np.abs(triangulate(pixels, projections) - points).max() < 1e-8


def test_a_joint_that_one_view_misses_comes_from_the_others_and_one_view_is_not_enough():
    points, projections = np.random.default_rng(2).uniform(-900, 900, (3, 3)), cameras(3)
    pixels = np.stack([project(points, P) for P in projections])
    pixels[0, 0] = np.nan
    pixels[:2, 1] = np.nan
    found = triangulate(pixels, projections)
    np.testing.assert_allclose(found[[0, 2]], points[[0, 2]], atol=1e-8)
    assert np.isnan(found[1]).all()


def test_the_pixel_of_a_projection_is_the_nearest_whole_number():
    """The middle of the first pixel, half a pixel from the sensor's left and upper edges, is (0, 0)."""
    camera, points = cameras(1)[0], np.random.default_rng(3).uniform(-500, 500, (50, 3))
    u, v = project(points, camera).T
    x, y = project(points, picture_projection(camera, 260, (34, 2))).T
    np.testing.assert_array_equal(np.floor(u - 34), np.round(x))
    np.testing.assert_array_equal(np.floor(260 - v - 2), np.round(y))


def test_other_numbers_of_views_are_an_error():
    with pytest.raises(ValueError, match=r'pixels \[2, 5, 2\] and projections \[3, 3, 4\]'):
        triangulate(np.zeros((2, 5, 2)), np.zeros((3, 3, 4)))
