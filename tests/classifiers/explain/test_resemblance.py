"""The shares of all positions are the cosine, whatever stands between the map and the score."""

from __future__ import annotations

import numpy as np
import pytest
from made_seen import made_extractor, made_seen

from cbir.errors import WeightsError
from cbir.extractors.fusion import unit_rows
from cbir.extractors.tiling import join_tiles
from classifiers.explain.pair import Looked, explain_pair
from classifiers.explain.patches import patch_pairs
from classifiers.explain.resemblance import Target, resemblance

SETUPS = {
    "one network": ((12,), {}),
    "two networks": ((12, 9), {"weights": (2.0, 0.5)}),
    "two networks, by score": ((12, 9), {"method": "score", "weights": (2.0, 0.5)}),
    "two networks, raw": ((12, 9), {"method": "raw"}),
    "whitened": ((12, 9), {"layers": (6,)}),
    "through layers with ReLU": ((12,), {"layers": (16, 10, 6)}),
}


def embedding(seen, extractor):
    return join_tiles(seen.embedded(extractor), extractor.spec.tiles)[0]


def total(found) -> float:
    return sum(float(branch.grids.sum()) for branch in found.branches if branch.grids is not None)


def looked(seen, side_px=64):
    import cv2

    _, jpeg = cv2.imencode(".jpg", np.full((side_px, side_px), 90, np.uint8))
    return Looked(seen, jpeg.tobytes(), (side_px, side_px))


@pytest.mark.parametrize("n_tiles", [1, 3])
@pytest.mark.parametrize("name", SETUPS)
def test_the_shares_and_what_has_no_place_sum_up_to_the_cosine(name, n_tiles):
    dims, settings = SETUPS[name]
    extractor = made_extractor(dims, **settings, keep="mean")
    query, hit = made_seen(dims, 1, n_tiles=n_tiles), made_seen(dims, 2)
    target = Target(embedding(hit, extractor), hit.pooled())
    found = resemblance(query, target, extractor)
    assert found.cosine == pytest.approx(float(embedding(query, extractor) @ target.embedding), abs=1e-6)
    assert total(found) + found.offset == pytest.approx(found.cosine, abs=1e-6)
    assert [branch.method for branch in found.branches] == ["shares"] * len(dims)
    if len(settings.get("layers", ())) == 0:
        assert found.offset == pytest.approx(0.0, abs=1e-6)


def test_a_share_is_what_the_cosine_loses_without_the_position():
    extractor = made_extractor((12,), layers=(6,))
    query, hit = made_seen((12,), 1), made_seen((12,), 2)
    target = Target(embedding(hit, extractor), hit.pooled())
    found = resemblance(query, target, extractor)
    projection = extractor.projection
    unit = query.vectors[0][0] / np.linalg.norm(query.vectors[0][0])
    length = np.linalg.norm(projection.apply(unit[None]))
    position = query.maps[0][0, :, 3, 4] / np.linalg.norm(query.vectors[0][0])
    alone = (position - projection.mean) @ projection.layers[0].matrix @ target.embedding / length / 49
    assert found.branches[0].grids[0, 3, 4] == pytest.approx(float(alone), abs=1e-6)


def test_the_gradient_through_relu_is_the_derivative():
    extractor = made_extractor((12,), layers=(16, 6))
    query, hit = made_seen((12,), 3), made_seen((12,), 4)
    target = embedding(hit, extractor)
    found = resemblance(query, Target(target, hit.pooled()), extractor)
    unit = (query.vectors[0] / np.linalg.norm(query.vectors[0])).astype(np.float64)
    apply = extractor.projection.apply
    length = np.linalg.norm(apply(unit))
    step = 1e-3 * (unit - extractor.projection.mean)
    slope = ((apply(unit + step) - apply(unit - step)) @ target / length / 2e-3).item()
    assert found.branches[0].part == pytest.approx(slope, abs=2e-3)


def test_a_network_that_pools_otherwise_is_matched_and_says_so():
    extractor = made_extractor((12, 9))
    query, hit = made_seen((12, 9), 1, pooled_otherwise=(1,)), made_seen((12, 9), 2, pooled_otherwise=(1,))
    found = resemblance(query, Target(embedding(hit, extractor), hit.pooled()), extractor)
    assert [branch.method for branch in found.branches] == ["shares", "matching"]
    assert total(found) == pytest.approx(found.cosine, abs=1e-6)
    assert (found.branches[1].grids >= 0).all()


def test_a_branch_without_a_map_adds_its_part_and_has_no_place():
    extractor = made_extractor((12, 9))
    query, hit = made_seen((12, 9), 1, without=(1,)), made_seen((12, 9), 2, without=(1,))
    found = resemblance(query, Target(embedding(hit, extractor), hit.pooled()), extractor)
    assert [branch.method for branch in found.branches] == ["shares", "none"]
    assert total(found) == pytest.approx(found.cosine - found.branches[1].part, abs=1e-6)


def test_the_fusion_weights_weigh_the_branches():
    query, hit = made_seen((12, 9), 1), made_seen((12, 9), 2)
    parts = {}
    for weights in ((1.0, 1.0), (3.0, 1.0)):
        extractor = made_extractor((12, 9), method="score", weights=weights)
        found = resemblance(query, Target(embedding(hit, extractor), hit.pooled()), extractor)
        parts[weights] = [branch.part for branch in found.branches]
    even, heavy = parts.values()
    assert heavy == pytest.approx([even[0] * 2 * 3 / 4, even[1] * 2 * 1 / 4], abs=1e-6)


def test_both_sides_of_a_pair_sum_up_to_the_same_cosine():
    extractor = made_extractor((12,))
    pair = explain_pair(looked(made_seen((12,), 1)), looked(made_seen((12,), 2)), extractor)
    assert pair.query.resemblance.cosine == pytest.approx(pair.hit.resemblance.cosine, abs=1e-6)
    for side in (pair.query, pair.hit):
        assert total(side.resemblance) == pytest.approx(side.resemblance.cosine, abs=1e-6)
        assert side.heat.sum() == pytest.approx(side.resemblance.cosine, rel=0.05)


def test_of_parts_the_two_that_made_the_score_are_explained():
    extractor = made_extractor((12,), keep="parts")
    query, hit = made_seen((12,), 1, n_tiles=3), made_seen((12,), 2, n_tiles=4)
    scores = query.embedded(extractor) @ hit.embedded(extractor).T
    pair = explain_pair(looked(query), looked(hit), extractor)
    assert pair.query.resemblance.cosine == pytest.approx(float(scores.max()), abs=1e-6)
    assert pair.query.resemblance.branches[0].grids.shape == (1, 7, 7)


def test_a_hit_whose_file_is_gone_still_explains_the_query():
    extractor = made_extractor((12,))
    query, hit = made_seen((12,), 1), made_seen((12,), 2)
    whole = explain_pair(looked(query), looked(hit), extractor)
    stored = explain_pair(looked(query), hit.embedded(extractor), extractor)
    np.testing.assert_allclose(stored.query.heat, whole.query.heat, atol=1e-9)
    assert (stored.hit, stored.patches) == (None, ())


def test_matching_needs_both_files():
    extractor = made_extractor((12,))
    query, hit = (made_seen((12,), seed, pooled_otherwise=(0,)) for seed in (1, 2))
    assert explain_pair(looked(query), hit.embedded(extractor), extractor).query is None


def test_networks_without_maps_are_one_line():
    extractor = made_extractor((12,))
    seen = looked(made_seen((12,), 1, without=(0,)))
    with pytest.raises(WeightsError, match=r"made give no feature maps .*build it again") as caught:
        explain_pair(seen, seen, extractor)
    assert "\n" not in str(caught.value)


def test_the_places_of_a_moved_object_find_each_other():
    rng = np.random.default_rng(0)
    query, hit = made_seen((12,), 1), made_seen((12,), 2)
    for seen in (query, hit):
        seen.maps[0][:] = rng.standard_normal(seen.maps[0].shape) / 10
    thing = np.linspace(3.0, 1.0, 12)
    query.maps[0][0, :, 1, 2] = thing
    hit.maps[0][0, :, 5, 4] = thing
    [best] = patch_pairs(query, hit, 0, (3, 70, 70), n=1)
    assert (best.query, best.hit) == ((25.0, 15.0), (45.0, 55.0))
    assert best.cosine > 0.9


def test_what_is_made_is_what_an_extractor_gives():
    extractor = made_extractor((12, 9), layers=(6,))
    seen = made_seen((12, 9), 1)
    rows = seen.embedded(extractor)
    np.testing.assert_allclose(unit_rows(rows), rows, atol=1e-6)
