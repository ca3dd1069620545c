"""What an index keeps of a classifier comes back, and is the posteriors and the re-ranker it was."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cbir.errors import SpecError
from classifiers.attached import UNTUNED, AttachedClassifier, AttachedSettings, Tuned, is_classifier

SETTINGS = AttachedSettings("dal", "f" * 64, ("1", "2", "4"), is_ordinal=True, label="birads")
TUNED = Tuned("split=val", "birads", 10, 40, 0.03, 0.01, 7)


@pytest.mark.parametrize("tuned", [None, TUNED])
def test_settings_come_back_from_json(tuned):
    from dataclasses import replace

    settings = replace(SETTINGS, blend=0.1, tuned=tuned)
    said = json.loads(json.dumps(settings.to_dict()))
    assert is_classifier(said)
    assert AttachedSettings.from_dict(said) == settings


@pytest.mark.parametrize("said", [None, {}, [], {"kind": "calibration"}])
def test_what_is_no_classifier_is_refused(said):
    assert not is_classifier(said)
    with pytest.raises(SpecError, match="is no classifier"):
        AttachedSettings.from_dict(said)


def test_a_later_version_and_missing_settings_are_refused():
    with pytest.raises(SpecError, match="version 2"):
        AttachedSettings.from_dict({**SETTINGS.to_dict(), "version": 2})
    with pytest.raises(SpecError, match="make no sense"):
        AttachedSettings.from_dict({"kind": "classifier", "version": 1})


def test_posteriors_are_the_first_columns_and_what_was_learned_from_the_last():
    table = np.float32([[0.5, 0.25, 0.25, 1], [0, 0, 1, 0], [np.nan] * 4])
    there = AttachedClassifier("dal", SETTINGS, lambda ids: table[[int(each) for each in ids]])
    assert SETTINGS.columns == ("p:1", "p:2", "p:4", "learned_from")
    np.testing.assert_array_equal(there.posteriors(["1", "2", "0"]), table[[1, 2, 0], :3])
    assert there.learned_from(["0", "1", "2"]).tolist() == [True, False, False]
    assert there.reranker().blend == UNTUNED
    assert there.reranker(blend=0.1).blend == 0.1
    assert there.reranker().is_ordinal
