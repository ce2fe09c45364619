"""Plain values of a case in JSON: what JSON lacks comes back too."""

from __future__ import annotations

import math

import msgspec

from conformance.runfile import encoded, plain


def test_values_that_json_lacks_survive_a_run_file() -> None:
    values = [1, 2.5, True, None, "nan", [math.inf, [-math.inf, -0.0]], []]
    read_back = msgspec.json.decode(msgspec.json.encode(encoded(values)))
    assert repr(plain(read_back)) == repr(values)
    assert math.isnan(plain(msgspec.json.decode(msgspec.json.encode(encoded(math.nan)))))
    assert msgspec.json.decode(msgspec.json.encode(math.nan)) is None  # what would become of it
    assert plain({"float": "x"}) == {"float": "x"}
