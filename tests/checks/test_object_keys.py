from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgpipe_templates.checks.facts.bucket_notifications import events_overlap, filters_overlap
from imgpipe_templates.checks.facts.object_keys import event_pattern_keys, globs_overlap, prefix_and_suffix

# Few letters, so that overlaps are common.
texts = st.text("ab.", max_size=4)
globs = st.text("ab*?", max_size=5)


def matches(key, prefix, suffix):
    return key.startswith(prefix) and key.endswith(suffix)


@given(texts, texts, texts, texts)
def test_filters_overlap_if_and_only_if_one_key_matches_both(prefix, suffix, other_prefix, other_suffix):
    example = max(prefix, other_prefix, key=len) + max(suffix, other_suffix, key=len)

    both = matches(example, prefix, suffix) and matches(example, other_prefix, other_suffix)

    assert both == filters_overlap((prefix, suffix), (other_prefix, other_suffix))


@given(texts, texts, texts, texts, texts)
def test_no_key_matches_two_disjoint_filters(key, prefix, suffix, other_prefix, other_suffix):
    if matches(key, prefix, suffix) and matches(key, other_prefix, other_suffix):
        assert filters_overlap((prefix, suffix), (other_prefix, other_suffix))


def test_filters_are_case_sensitive():
    assert not filters_overlap(("", ".jpg"), ("", ".JPG"))
    assert filters_overlap(("", ".jpg"), ("", "jpg"))


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("s3:ObjectCreated:*", "s3:ObjectCreated:Put", True),
        ("s3:ObjectCreated:Copy", "s3:ObjectCreated:*", True),
        ("s3:ObjectCreated:Put", "s3:ObjectCreated:Put", True),
        ("s3:ObjectCreated:Put", "s3:ObjectCreated:Copy", False),
        ("s3:ObjectCreated:*", "s3:ObjectRemoved:*", False),
        ("s3:*", "s3:ObjectRemoved:*", True),
    ],
)
def test_wildcard_event_contains_its_event_types(one, other, overlap):
    assert overlap == events_overlap(one, other)


@given(texts, texts, texts)
def test_filter_contains_exactly_the_keys_that_match_it(prefix, suffix, key):
    assert matches(key, prefix, suffix) == prefix_and_suffix(prefix, suffix).overlaps(key)


@given(globs, globs, st.text("ab", max_size=4))
def test_globs_with_a_common_text_overlap(one, other, text):
    if fnmatchcase(text, one) and fnmatchcase(text, other):
        assert globs_overlap(one, other)


@given(globs, st.text("ab", max_size=5))
def test_glob_overlaps_exactly_the_texts_that_it_matches(glob, text):
    assert fnmatchcase(text, glob) == globs_overlap(glob, text)


@pytest.mark.parametrize(
    ("condition", "written", "expected"),
    [
        (None, "thumbs/*", True),
        (["a.jpg"], "a.jpg", True),
        (["a.jpg"], "b.jpg", False),
        ([{"prefix": "uploads/"}], "thumbs/*", False),
        ([{"suffix": ".jpg"}], "thumbs/*", True),
        ([{"suffix": {"equals-ignore-case": ".jpg"}}], "thumbs/*.JPG", True),
        ([{"suffix": ".jpg"}], "thumbs/*.JPG", False),
        ([{"equals-ignore-case": "A.JPG"}], "a.jpg", True),
        ([{"wildcard": "uploads/*.jpg"}], "thumbs/*.jpg", False),
        ([{"anything-but": {"prefix": "thumbs/"}}], "thumbs/*", False),
        ([{"anything-but": {"prefix": "thumbs/"}}], "*", True),
        ([{"anything-but": {"suffix": [".webp", ".avif"]}}], "thumbs/*.avif", False),
        ([{"anything-but": ["index.html"]}], "index.html", False),
        ([{"unknown-operator": "x"}], "thumbs/*", True),
    ],
)
def test_eventbridge_condition_contains_the_keys_that_it_matches(condition, written, expected):
    assert expected == event_pattern_keys(condition).overlaps(written)
