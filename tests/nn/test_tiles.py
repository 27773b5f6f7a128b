from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawfix.nn.tiles import covered_pixels, reflect, run_tiled

SIDES = st.integers(1, 67)
PERIODS = st.sampled_from([1, 2, 4, 6])


def box(plane, reach):
    """Mean over ``(2·reach + 1)²``, with weights that differ by direction; zeros beyond the borders."""
    padded = np.pad(plane, reach)
    height, width = plane.shape
    total = np.zeros_like(plane)
    for y in range(2 * reach + 1):
        for x in range(2 * reach + 1):
            total += (1 + y + 3 * x) * padded[y : y + height, x : x + width]
    return total


def network(reach, period, scale=1, seen=None):
    """A stand-in that mixes neighbors with weights that depend on the CFA phase inside the tile."""

    def run(tensors):
        mosaic = tensors["mosaic"][0, 0]
        if seen is not None:
            seen.append(mosaic.shape)
        height, width = mosaic.shape
        phase = np.add.outer(7 * (np.arange(height) % period), np.arange(width) % period).astype(np.float32)
        mixed = box(mosaic * (1 + phase), reach)
        image = np.repeat(np.repeat(np.stack([mixed, mixed * phase, mosaic]), scale, 1), scale, 2)
        return {"camera": image[None], "bad": np.repeat(np.repeat(mosaic, scale, 0), scale, 1)[None, None]}

    return run


def whole(mosaic, reach, period, origin, scale=1):
    """The network over the frame in one piece, bordered by an explicit loop over pixels."""
    height, width = mosaic.shape
    border = period * (2 + reach)
    top, left = border + -origin[0] % period, border + -origin[1] % period
    rows = reflect(np.arange(-top, height + border), height, period)
    cols = reflect(np.arange(-left, width + border), width, period)
    outputs = network(reach, period, scale)({"mosaic": mosaic[np.ix_(rows, cols)][None, None]})
    window = np.s_[top * scale : (top + height) * scale, left * scale : (left + width) * scale]
    return {"camera": np.moveaxis(outputs["camera"][0], 0, 2)[window], "bad": outputs["bad"][0, 0][window]}


@settings(deadline=None)
@given(SIDES, SIDES, st.integers(1, 80), st.integers(0, 3), st.integers(0, 5), PERIODS, st.data())
def test_tiles_equal_the_whole(height, width, tile, reach, extra, period, data):
    multiple = data.draw(st.sampled_from([1, 2, 4, 8]))
    scale = data.draw(st.sampled_from([1, 2]))
    origin = (data.draw(st.integers(0, period - 1)), data.draw(st.integers(0, period - 1)))
    mosaic = np.random.default_rng(height * 100 + width).random((height, width), np.float32)
    seen: list[tuple[int, int]] = []
    found = run_tiled(
        network(reach, period, scale, seen),
        {"mosaic": mosaic},
        {"camera": 3, "bad": 1},
        tile,
        reach + extra,
        multiple,
        scale,
        period=(period, period),
        origin=origin,
    )
    wanted = whole(mosaic, reach, period, origin, scale)
    assert len(set(seen)) == 1
    geometry = ((height, width), tile, reach + extra, multiple, (period, period), origin)
    assert covered_pixels(*geometry) == sum(rows * columns for rows, columns in seen)
    assert seen[0][0] % multiple == seen[0][1] % multiple == 0
    for name in wanted:
        assert found[name].dtype == np.float32
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-5, atol=1e-5)


@settings(deadline=None)
@given(SIDES, PERIODS)
def test_reflection_keeps_the_phase_and_the_frame(size, period):
    index = np.arange(-150, size + 150)
    found = reflect(index, size, period)
    assert ((found >= 0) & (found < size)).all()
    np.testing.assert_array_equal(found[150 : 150 + size], np.arange(size))
    if size >= period:
        np.testing.assert_array_equal(found % period, index % period)


def test_bayer_reflection_mirrors_about_the_border_pixel():
    np.testing.assert_array_equal(reflect(np.arange(-3, 8), 5, 2), [3, 2, 1, 0, 1, 2, 3, 4, 3, 2, 1])


def test_xtrans_reflection_stays_near_the_border():
    beyond = np.arange(-12, 0)
    assert (np.abs(reflect(beyond, 60, 6) + beyond) <= 6).all()


def test_an_input_may_be_computed_window_by_window():
    mosaic = np.random.default_rng(0).random((41, 37), np.float32)
    asked: list[int] = []

    def sigma(y0, y1, x0, x1):
        assert 0 <= y0 < y1 <= 41
        assert 0 <= x0 < x1 <= 37
        asked.append((y1 - y0) * (x1 - x0))
        return np.sqrt(mosaic[y0:y1, x0:x1])

    found = run_tiled(
        lambda tensors: {"sigma": tensors["sigma"]}, {"mosaic": mosaic, "sigma": sigma}, {"sigma": 1}, 8, 2, 2
    )
    np.testing.assert_array_equal(found["sigma"], np.sqrt(mosaic))
    assert max(asked) <= 12 * 12


def test_only_functions_need_a_shape():
    def ramp(y0, y1, x0, x1):
        return np.add.outer(np.arange(y0, y1), np.arange(x0, x1)).astype(np.float32)

    with pytest.raises(ValueError, match="share one height"):
        run_tiled(dict, {"ramp": ramp}, {"ramp": 1}, 8, 2, 2)
    found = run_tiled(dict, {"ramp": ramp}, {"ramp": 1}, 8, 2, 2, shape=(9, 11))
    np.testing.assert_array_equal(found["ramp"], ramp(0, 9, 0, 11))


def test_color_planes_go_in_and_out():
    camera = np.random.default_rng(0).random((23, 19, 3), np.float32)
    found = run_tiled(dict, {"camera": camera}, {"camera": 3}, 8, 2, 4, period=(1, 1))
    np.testing.assert_array_equal(found["camera"], camera)


def test_finish_chooses_what_is_kept():
    mosaic = np.random.default_rng(0).random((23, 19), np.float32)

    def finish(y0, x0, outputs):
        height, width = outputs["bad"].shape
        np.testing.assert_array_equal(outputs["bad"], mosaic[y0 : y0 + height, x0 : x0 + width])
        return {"defect": outputs["bad"] > 0.5}

    run = network(1, 2)
    found = run_tiled(run, {"mosaic": mosaic}, {"camera": 3, "bad": 1}, 8, 2, 2, origin=(1, 0), finish=finish)
    assert set(found) == {"defect"}
    assert found["defect"].dtype == bool
    np.testing.assert_array_equal(found["defect"], mosaic > 0.5)


def test_progress_counts_every_tile():
    steps: list[tuple[int, int]] = []
    frame = np.zeros((20, 20), np.float32)
    run_tiled(dict, {"p": frame}, {"p": 1}, 8, 2, 2, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(n, 9) for n in range(1, 10)]


def test_inputs_are_not_changed():
    frame = np.zeros((9, 9), np.float32)
    frame.setflags(write=False)

    def run(tensors):
        tensors["p"] += 1
        return tensors

    assert run_tiled(run, {"p": frame}, {"p": 1}, 64, 4, 2)["p"].min() == 1


def test_planes_of_different_frames_are_a_mistake():
    with pytest.raises(ValueError, match="share one height"):
        run_tiled(dict, {"a": np.zeros((4, 4)), "b": np.zeros((4, 5))}, {"a": 1}, 8, 2, 2)


@settings(deadline=None)
@given(SIDES, SIDES, st.integers(1, 80), st.integers(0, 3), st.integers(0, 5), PERIODS, st.data())
def test_a_constant_beyond_the_frame_is_the_same_in_tiles_and_whole(
    height, width, tile, reach, extra, period, data
):
    origin = (data.draw(st.integers(0, period - 1)), data.draw(st.integers(0, period - 1)))
    rng = np.random.default_rng(height * 100 + width)
    known, mosaic = rng.random((2, height, width), np.float32)

    def run(tensors):
        # Where something is known bad, the mosaic counts for nothing.
        told = tensors["known_bad"][0, 0]
        plain = box(np.where(told == 7, 0, tensors["mosaic"][0, 0]), reach)
        return {"mixed": (plain + box(told, reach))[None, None]}

    found = run_tiled(
        run, {"mosaic": mosaic, "known_bad": known}, {"mixed": 1}, tile, reach + extra, 2,
        period=(period, period), origin=origin, outside={"known_bad": 7.0},
    )  # fmt: skip
    framed = np.pad(known, reach, constant_values=7.0)
    # `box` itself knows zeros beyond what it is given.
    wanted = box(mosaic, reach) + box(framed, reach)[reach : reach + height, reach : reach + width]
    np.testing.assert_allclose(found["mixed"], wanted, rtol=1e-5, atol=1e-4)


def test_beyond_the_frame_only_what_is_named_is_constant():
    seen = {}

    def run(tensors):
        seen.update(tensors)
        return tensors

    ones = np.ones((5, 6), np.float32)
    run_tiled(run, {"a": ones, "b": ones}, {"a": 1, "b": 1}, 8, 2, 4, outside={"b": 0.0})
    assert (seen["a"] == 1).all()
    assert seen["b"].sum() == 30
    np.testing.assert_array_equal(seen["b"][0, 0, 4:9, 4:10], ones)


def test_a_constant_for_no_input_is_a_mistake():
    with pytest.raises(ValueError, match="no input"):
        run_tiled(dict, {"p": np.zeros((4, 4), np.float32)}, {"p": 1}, 8, 2, 2, outside={"q": 1.0})


def test_an_output_of_another_size_is_a_mistake():
    with pytest.raises(ValueError, match="expected"):
        run_tiled(dict, {"p": np.zeros((4, 4), np.float32)}, {"p": 1}, 8, 2, 2, scale=2)
