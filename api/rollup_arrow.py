"""Rollups as an Arrow stream. Importing this loads pyarrow, so it is done only where somebody asks for it."""

from typing import Any

import numpy as np
import pyarrow as pa

from api import arrow_table
from api.rollup_table import Field, Rollups


def encode(rollups: Rollups) -> bytes:
    """All rows as one stream, without a Python object for a row."""
    arrays = [_array_of(field, rollups) for field in rollups.fields]
    return arrow_table.encode_arrays([field.flat_name for field in rollups.fields], arrays, {})


def _array_of(field: Field, rollups: Rollups) -> Any:
    if field.kind == "word":
        codes = pa.array(field.values.astype(arrow_table.code_type(len(field.vocabulary)), copy=False))
        return pa.DictionaryArray.from_arrays(
            codes, pa.array(list(field.vocabulary), pa.string()), safe=False
        )
    if field.kind == "number":
        # NaN becomes a null; without a look at each where there is none.
        return pa.array(field.values, from_pandas=bool(np.isnan(field.values).any()))
    if field.kind == "whole":
        return pa.array(field.values)
    zone = rollups.form.times.zone
    type_ = pa.timestamp("us", tz=zone.key if field.is_local and zone else "UTC")
    absent = field.absent
    return pa.array(field.values, mask=None if absent is None or not absent.any() else absent).view(type_)
