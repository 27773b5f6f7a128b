"""``--quality auto``: the best tier that fits the budget, by speeds remembered or measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rawfix.batch import tiers as tiers_module
from rawfix.batch.speeds import circumstances, recall, remember
from rawfix.batch.tiers import Choice, choose_tier
from rawfix.errors import ModelError, UnsupportedRawError
from rawfix.frame import RawFrame
from rawfix.nn.manifest import Manifest, Model
from rawfix.nn.measure import Speed
from rawfix.settings import Settings, Strengths

MakeTiers = Callable[..., dict[str, Model]]
MakeFrame = Callable[..., RawFrame]
PER_MP = {"best": 100.0, "standard": 10.0, "fast": 1.0}


@pytest.fixture
def remembered(tiers: MakeTiers) -> Callable[..., None]:
    """Installs tiers of known speed: seconds a computed megapixel as in `PER_MP`."""

    def make(*names: str, **facts: object) -> None:
        for tier, model in tiers(*names, **facts).items():
            remember(circumstances(model, "cpu", 2), Speed(PER_MP[tier], 5, 1.0))

    return make


@pytest.fixture(autouse=True)
def _never_measured(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "remembered" in request.fixturenames:
        monkeypatch.setattr(tiers_module, "measure", lambda *_, **__: pytest.fail("measured again"))


def auto(budget: float | None, **more: object) -> Settings:
    return Settings(quality="auto", time_budget=budget, threads=2, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("budget", "tier"), [(1000.0, "best"), (15.0, "standard"), (1.5, "fast")])
def test_the_best_tier_that_fits_is_taken(
    remembered: Callable[..., None], make_frame: MakeFrame, budget: float, tier: str
) -> None:
    remembered("best", "standard", "fast")
    choice = choose_tier(make_frame(size=(512, 1024)), auto(budget))
    assert choice.tier == tier and choice.notes == ()
    assert choice.seconds is not None and choice.seconds <= budget
    assert choice.apply(auto(budget)) == Settings(quality=tier, threads=2)  # type: ignore[arg-type]


def test_the_halos_of_the_tiles_are_in_the_prediction(
    remembered: Callable[..., None], make_frame: MakeFrame
) -> None:
    remembered("fast", tile=64, halo=8)
    frame = make_frame(size=(128, 256), pattern="GR/BG")
    assert choose_tier(frame, auto(None)).seconds == pytest.approx(8 * 80 * 80 / 1e6)
    assert choose_tier(frame, auto(None, tile=128)).seconds == pytest.approx(2 * 144 * 144 / 1e6)


def test_where_no_tier_fits_the_fastest_is_taken_and_told(
    remembered: Callable[..., None], make_frame: MakeFrame
) -> None:
    remembered("best", "standard")
    choice = choose_tier(make_frame(size=(512, 1024)), auto(0.01))
    assert choice.tier == "standard"
    assert len(choice.notes) == 1 and "no tier fits 0.01 s" in choice.notes[0]


def test_without_a_budget_a_picture_gets_thirty_seconds(
    remembered: Callable[..., None], make_frame: MakeFrame
) -> None:
    remembered("best", "standard", tile=1024, halo=0)
    assert choose_tier(make_frame(size=(512, 576)), auto(None)).tier == "best"
    assert choose_tier(make_frame(size=(512, 640)), auto(None)).tier == "standard"


@pytest.fixture
def restorers(manifest_of: Callable[..., Manifest], tmp_path: Path) -> Callable[..., None]:
    """Installs networks of the camera image, of the speeds in `PER_MP`; none of them can run."""

    def make(contract: str, *names: str, scale: int = 1) -> None:
        for tier in names:
            name = f"{contract.removesuffix('-v1')}-camera-{tier}"
            about = {"contract": contract, "cfa": None, "space": "camera", "scale": scale}
            model = Model(manifest_of(id=name, tier=tier, **about), tmp_path / name)
            model.folder.mkdir()
            model.manifest.write(model.folder)
            remember(circumstances(model, "cpu", 2), Speed(PER_MP[tier], 5, 1.0))

    return make


@pytest.mark.parametrize(
    ("asked", "networks"),
    [
        ({}, 1),
        ({"strengths": Strengths(denoise=0.5)}, 2),
        ({"strengths": Strengths(deblur="auto")}, 2),
        ({"strengths": Strengths(denoise=1.0), "denoise_method": "classical"}, 1),
        ({"upscale": 2}, 2),
        ({"strengths": Strengths(denoise=1.0), "upscale": 2}, 3),
    ],
)
def test_restoration_and_enlarging_take_their_share_of_the_budget(
    remembered: Callable[..., None],
    restorers: Callable[..., None],
    make_frame: MakeFrame,
    asked: dict[str, object],
    networks: int,
) -> None:
    remembered("best", "standard", "fast")
    restorers("restore-v1", "best", "standard", "fast")
    restorers("upscale-x2-v1", "best", "standard", "fast", scale=2)
    frame = make_frame()
    alone = choose_tier(frame, auto(1000.0)).seconds
    assert alone is not None
    assert choose_tier(frame, auto(1000.0, **asked)).seconds == pytest.approx(networks * alone, rel=0.1)
    budget = 1.5 * alone / 10
    assert choose_tier(frame, auto(budget)).tier == "standard"
    assert choose_tier(frame, auto(budget, **asked)).tier == ("standard" if networks == 1 else "fast")


def test_maps_that_are_kept_count_whatever_the_strengths(
    remembered: Callable[..., None], restorers: Callable[..., None], make_frame: MakeFrame
) -> None:
    remembered("fast")
    restorers("restore-v1", "fast")
    alone, kept = (choose_tier(make_frame(), auto(None), every).seconds for every in (False, True))
    assert alone is not None and kept == pytest.approx(2 * alone)


def test_a_frame_without_a_mosaic_of_colors_is_restored_within_the_budget(
    remembered: Callable[..., None], restorers: Callable[..., None], make_frame: MakeFrame
) -> None:
    remembered("fast")
    restorers("restore-v1", "standard", "fast")
    frame, asked = make_frame(pattern="G", wb=(1.0, 1.0, 1.0)), {"strengths": Strengths(denoise=1.0)}
    assert [choose_tier(frame, auto(budget, **asked)).tier for budget in (1000.0, 0.1)] == [
        "standard",
        "fast",
    ]


def test_a_tier_that_is_named_is_taken_unasked(tiers: MakeTiers, make_frame: MakeFrame) -> None:
    tiers("best")
    settings = Settings(quality="best")
    choice = choose_tier(make_frame(), settings)
    assert choice == Choice("best") and choice.apply(settings) is settings


def test_a_speed_not_known_is_measured_once_and_only_where_it_matters(
    tiers: MakeTiers, make_frame: MakeFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tiers("best", "fast", tile=256, halo=8)
    measured: list[str] = []
    true_measure = tiers_module.measure

    def counted(model: Model, *arguments: object, **options: object) -> Speed:
        measured.append(model.manifest.tier)
        return true_measure(model, *arguments, **{**options, "at_least": 0.0})  # type: ignore[arg-type]

    monkeypatch.setattr(tiers_module, "measure", counted)
    for _ in range(2):
        choice = choose_tier(make_frame(), auto(1000.0))
        assert choice.tier == "best" and choice.seconds is not None and choice.seconds > 0
    assert measured == ["best"]
    speed, _ = recall(circumstances(models["best"], "cpu", 2))
    assert speed is not None and speed.seconds > 0


def test_a_damaged_memory_is_measured_anew_and_told(
    tiers: MakeTiers, make_frame: MakeFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiers("fast")["fast"]
    here = circumstances(model, "cpu", 2)
    here.path().parent.mkdir(parents=True)
    here.path().write_text("{")
    monkeypatch.setattr(tiers_module, "measure", lambda *_, **__: Speed(1.0, 1, 0.1))
    (note,) = choose_tier(make_frame(), auto(1000.0)).notes
    assert "damaged" in note
    assert choose_tier(make_frame(), auto(1000.0)).notes == ()


def test_frames_without_a_mosaic_of_colors_need_no_tier(tiers: MakeTiers, make_frame: MakeFrame) -> None:
    tiers("fast")
    choice = choose_tier(make_frame(pattern="G", wb=(1.0, 1.0, 1.0)), auto(None))
    assert choice.tier == "none" and choice.apply(auto(None)).quality == "standard"


def test_other_filter_arrays_have_tiers_of_their_own(
    remembered: Callable[..., None], make_frame: MakeFrame
) -> None:
    remembered("best")
    remembered("standard", cfa="quad", multiple=4)
    assert choose_tier(make_frame(pattern="RRGG/RRGG/GGBB/GGBB"), auto(None)).tier == "standard"


def test_a_filter_array_without_any_tier_is_refused_in_one_line(
    tiers: MakeTiers, make_frame: MakeFrame
) -> None:
    tiers("fast")
    with pytest.raises(UnsupportedRawError, match="quad") as refusal:
        choose_tier(make_frame(pattern="RRGG/RRGG/GGBB/GGBB"), auto(None))
    assert "\n" not in str(refusal.value)


def test_a_provider_that_is_not_there_is_refused(tiers: MakeTiers, make_frame: MakeFrame) -> None:
    tiers("fast")
    with pytest.raises(ModelError, match="abacus"):
        choose_tier(make_frame(), auto(None, provider="abacus"))


def test_the_folder_of_models_may_hold_other_tiers(
    tiers: MakeTiers, make_frame: MakeFrame, tmp_path: Path
) -> None:
    tiers("tiny")
    with pytest.raises(ModelError, match="installed tiers: tiny"):
        choose_tier(make_frame(), auto(None))
