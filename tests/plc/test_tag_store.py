"""How far the value of a tag is believed: by its age, its connection, and the run of its machine."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from plc.tags.values import Bad, Quality, TagStore

START = datetime(2026, 1, 1, tzinfo=UTC)


def store() -> TagStore:
    made = TagStore(limits_s={"a": 1.0, "b": 1.0}, told=frozenset({"b"}))
    made.begin()
    return made


def test_value_is_stale_after_its_limit_and_keeps_its_last_value_for_people():
    tags = store()
    tags.keep_one("a", 5, at=None, taken_at=10.0)
    assert tags.get("a", 11.0).quality is Quality.GOOD
    late = tags.get("a", 11.1)
    assert (late.quality, late.value) == (Quality.STALE, 5)
    assert tags.get("b", 11.0).quality is Quality.ABSENT


def test_lost_link_makes_everything_stale_at_once():
    tags = store()
    tags.keep_one("a", 5, at=None, taken_at=10.0)
    tags.begin()
    assert tags.get("a", 10.0).quality is Quality.STALE
    assert tags.taken_at("a") == float("-inf")
    tags.keep_one("a", 6, at=None, taken_at=10.1)
    assert tags.get("a", 10.2).is_good


def test_restart_of_the_machine_makes_everything_stale_at_once():
    tags = store()
    tags.see_boot(3)
    tags.keep_one("a", 5, at=None, taken_at=10.0)
    assert tags.get("a", 10.0).boot == 3
    assert not tags.see_boot(3)
    assert tags.see_boot(4)
    stale = tags.get("a", 10.0)
    assert (stale.quality, stale.reason) == (Quality.STALE, "the machine has started again")


def test_bad_value_has_no_value():
    tags = store()
    tags.keep_one("a", 5, at=None, taken_at=10.0)
    tags.keep_one("a", Bad("raw 65535 means no value"), at=None, taken_at=10.1)
    seen = tags.get("a", 10.2)
    assert (seen.quality, seen.value, seen.reason) == (Quality.BAD, None, "raw 65535 means no value")


def test_older_answer_never_overwrites_a_newer_one():
    tags = store()
    tags.keep_one("a", 6, at=None, taken_at=10.2)
    tags.keep_one("a", 5, at=None, taken_at=10.1)
    assert tags.get("a", 10.3).value == 6


def test_publish_of_a_subscription_confirms_only_its_own_tags_and_only_of_this_connection():
    tags = store()
    tags.keep_one("a", 1, at=None, taken_at=10.0)
    tags.keep_one("b", 2, at=None, taken_at=10.0)
    tags.confirm(taken_at=12.0)
    assert tags.get("a", 12.5).quality is Quality.STALE
    assert tags.get("b", 12.5).quality is Quality.GOOD
    tags.begin()
    tags.confirm(taken_at=13.0)
    assert tags.get("b", 13.0).quality is Quality.STALE


def test_snapshot_stays_as_it_was_and_names_the_parts_too():
    tags = store()
    tags.keep_one("a", 1, at=None, taken_at=10.0)
    seen = tags.snapshot(10.5, {"carton_present": "a"})
    tags.keep_one("a", 2, at=None, taken_at=10.6)
    tags.begin()
    assert (seen["a"].value, seen["carton_present"].value) == (1, 1)
    assert seen["a"].is_good
    assert set(seen) == {"a", "b", "carton_present"}


def test_version_moves_with_a_value_and_not_with_its_confirmation():
    tags = store()
    tags.keep_one("a", 1, at=None, taken_at=10.0)
    before = tags.version
    tags.keep_one("a", 1, at=None, taken_at=11.0)
    assert tags.version == before
    tags.keep_one("a", 2, at=None, taken_at=12.0)
    assert tags.version > before


# -- tags of one request share their time ------------------------------------------------------------------------------


def test_answer_that_says_nothing_new_moves_the_time_of_all_its_tags_and_no_version():
    tags = store()
    sheet, outcomes = tags.sheet(["a", "b"]), (1, Bad("no value"))
    tags.keep(sheet, outcomes, at=None, taken_at=10.0)
    before = tags.version
    tags.keep(sheet, outcomes, at=START, taken_at=12.0)
    assert tags.version == before
    seen = tags.get("a", 12.9)
    assert (seen.value, seen.at, seen.is_good) == (1, START, True)
    assert (tags.get("b", 12.9).quality, tags.get("b", 12.9).reason) == (Quality.BAD, "no value")
    assert tags.get("a", 13.1).quality is Quality.STALE
    tags.keep(sheet, (2, Bad("no value")), at=None, taken_at=13.0)
    assert tags.version > before


def test_same_answer_over_a_new_connection_is_news_and_before_it_nothing_is_believed():
    tags = store()
    sheet = tags.sheet(["a"])
    tags.see_boot(3)
    tags.keep(sheet, (1,), at=None, taken_at=10.0)
    tags.see_boot(4)
    assert tags.get("a", 10.1).reason == "the machine has started again"
    before = tags.version
    tags.keep(sheet, (1,), at=None, taken_at=10.2)
    assert tags.version > before
    assert (tags.get("a", 10.2).is_good, tags.get("a", 10.2).boot) == (True, 4)


def test_picture_does_not_grow_younger_with_later_answers():
    tags = store()
    sheet = tags.sheet(["a"])
    tags.keep(sheet, (1,), at=None, taken_at=10.0)
    late = tags.snapshot(11.5)
    tags.keep(sheet, (1,), at=None, taken_at=11.4)
    assert late["a"].quality is Quality.STALE
    assert tags.get("a", 11.5).is_good


def test_tag_of_two_sheets_is_shown_as_it_was_last_heard_on_any():
    tags = store()
    polled, outcomes = tags.sheet(["a", "b"]), (1, 1)
    tags.keep(polled, outcomes, at=None, taken_at=10.0)
    tags.keep_one("a", 2, at=None, taken_at=10.5)
    assert (tags.get("a", 10.6).value, tags.get("b", 10.6).value) == (2, 1)
    tags.keep(polled, outcomes, at=None, taken_at=10.4)  # asked for before the other one
    assert (tags.get("a", 10.6).value, tags.taken_at("b")) == (2, 10.4)
    before = tags.version
    tags.keep(polled, outcomes, at=None, taken_at=10.6)
    assert (tags.get("a", 10.6).value, tags.taken_at("a")) == (1, 10.6)
    assert tags.version > before
    tags.keep(polled, (9, 9), at=None, taken_at=10.1)
    assert (tags.get("a", 10.6).value, tags.get("b", 10.6).value) == (1, 1)


@given(
    heard=st.lists(
        st.tuples(st.sampled_from(["both", "a", "b", "lost"]), st.integers(0, 2), st.integers(0, 6)), max_size=20
    )
)
def test_sheets_show_what_tags_kept_one_by_one_would(heard):
    shared, single = store(), store()
    sheet = shared.sheet(["a", "b"])
    for what, value, at in heard:
        before, told = shared.version, single.version
        if what == "lost":
            shared.begin()
            single.begin()
        elif what == "both":
            shared.keep(sheet, (value, value), at=None, taken_at=at / 10)
            for name in ("a", "b"):
                single.keep_one(name, value, at=None, taken_at=at / 10)
        else:
            for kept in (shared, single):
                kept.keep_one(what, value, at=None, taken_at=at / 10)
        assert (shared.version != before) is (single.version != told)
        for name in ("a", "b"):
            assert shared.get(name, 1.3) == single.get(name, 1.3)
            assert shared.taken_at(name) == single.taken_at(name)
