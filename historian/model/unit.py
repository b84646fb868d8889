"""Units: a closed list with exact factors, so that a conversion never guesses and never drifts.

The list is Annex A of the draft standard plus what its errata call for (kV, %, CNY, tCO2, kvar and kVA in
place of ``Var``) and the usual decimal multiples. Two units convert only within one dimension; reactive and
apparent quantities are dimensions of their own, although physics gives all three volt-amperes, because adding
kW to kvar is the mistake this list exists to stop. A tonne of CO2 is not a tonne of water, and a cubic metre
of gas has no fixed mass.
"""

from fractions import Fraction
from typing import Final, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from historian.errors import UnitError
from historian.model import decimal_kernels


class Unit(NamedTuple):
    """One unit; `numerator` / `denominator` is its size in the base unit of its dimension."""

    symbol: str
    dimension: str
    numerator: int
    denominator: int
    name_zh: str
    name_en: str


_UNIT_TABLE: Final = (
    Unit("W", "active_power", 1, 1, "瓦", "watt"),
    Unit("kW", "active_power", 1_000, 1, "千瓦", "kilowatt"),
    Unit("MW", "active_power", 1_000_000, 1, "兆瓦", "megawatt"),
    Unit("GW", "active_power", 1_000_000_000, 1, "吉瓦", "gigawatt"),
    # 1 MJ/h = 10⁶ J / 3600 s; thermal trade counts in GJ (erratum thermal-kwh-vs-gj).
    Unit("MJ/h", "active_power", 2_500, 9, "兆焦每小时", "megajoule per hour"),
    Unit("GJ/h", "active_power", 2_500_000, 9, "吉焦每小时", "gigajoule per hour"),
    Unit("Wh", "energy", 1, 1, "瓦时", "watt-hour"),
    Unit("kWh", "energy", 1_000, 1, "千瓦时", "kilowatt-hour"),
    Unit("MWh", "energy", 1_000_000, 1, "兆瓦时", "megawatt-hour"),
    Unit("GWh", "energy", 1_000_000_000, 1, "吉瓦时", "gigawatt-hour"),
    Unit("MJ", "energy", 2_500, 9, "兆焦", "megajoule"),
    Unit("GJ", "energy", 2_500_000, 9, "吉焦", "gigajoule"),
    Unit("var", "reactive_power", 1, 1, "乏", "volt-ampere reactive"),
    Unit("kvar", "reactive_power", 1_000, 1, "千乏", "kilovolt-ampere reactive"),
    Unit("Mvar", "reactive_power", 1_000_000, 1, "兆乏", "megavolt-ampere reactive"),
    Unit("varh", "reactive_energy", 1, 1, "乏时", "volt-ampere reactive hour"),
    Unit("kvarh", "reactive_energy", 1_000, 1, "千乏时", "kilovolt-ampere reactive hour"),
    Unit("Mvarh", "reactive_energy", 1_000_000, 1, "兆乏时", "megavolt-ampere reactive hour"),
    Unit("VA", "apparent_power", 1, 1, "伏安", "volt-ampere"),
    Unit("kVA", "apparent_power", 1_000, 1, "千伏安", "kilovolt-ampere"),
    Unit("MVA", "apparent_power", 1_000_000, 1, "兆伏安", "megavolt-ampere"),
    Unit("VAh", "apparent_energy", 1, 1, "伏安时", "volt-ampere hour"),
    Unit("kVAh", "apparent_energy", 1_000, 1, "千伏安时", "kilovolt-ampere hour"),
    Unit("MVAh", "apparent_energy", 1_000_000, 1, "兆伏安时", "megavolt-ampere hour"),
    Unit("mV", "voltage", 1, 1_000, "毫伏", "millivolt"),
    Unit("V", "voltage", 1, 1, "伏", "volt"),
    Unit("kV", "voltage", 1_000, 1, "千伏", "kilovolt"),
    Unit("mA", "current", 1, 1_000, "毫安", "milliampere"),
    Unit("A", "current", 1, 1, "安", "ampere"),
    Unit("kA", "current", 1_000, 1, "千安", "kiloampere"),
    Unit("Ah", "charge", 1, 1, "安时", "ampere-hour"),
    Unit("Hz", "frequency", 1, 1, "赫兹", "hertz"),
    Unit("1", "ratio", 1, 1, "比值", "ratio"),
    Unit("%", "ratio", 1, 100, "百分比", "per cent"),
    Unit("L", "volume", 1, 1_000, "升", "litre"),
    Unit("m3", "volume", 1, 1, "立方米", "cubic metre"),
    Unit("L/h", "volume_flow", 1, 1_000, "升每小时", "litre per hour"),
    Unit("m3/h", "volume_flow", 1, 1, "立方米每小时", "cubic metre per hour"),
    Unit("kg", "mass", 1, 1, "千克", "kilogram"),
    Unit("t", "mass", 1_000, 1, "吨", "tonne"),
    Unit("kg/h", "mass_flow", 1, 1, "千克每小时", "kilogram per hour"),
    Unit("t/h", "mass_flow", 1_000, 1, "吨每小时", "tonne per hour"),
    Unit("kgCO2", "carbon_mass", 1, 1, "千克二氧化碳", "kilogram of carbon dioxide"),
    Unit("tCO2", "carbon_mass", 1_000, 1, "吨二氧化碳", "tonne of carbon dioxide"),
    Unit("kgCO2/h", "carbon_flow", 1, 1, "千克二氧化碳每小时", "kilogram of carbon dioxide per hour"),
    Unit("tCO2/h", "carbon_flow", 1_000, 1, "吨二氧化碳每小时", "tonne of carbon dioxide per hour"),
    Unit("kgce", "coal_equivalent", 1, 1, "千克标准煤", "kilogram of coal equivalent"),
    Unit("tce", "coal_equivalent", 1_000, 1, "吨标准煤", "tonne of coal equivalent"),
    Unit("CNY", "money", 1, 1, "元", "yuan"),
    Unit("degC", "temperature", 1, 1, "摄氏度", "degree Celsius"),
    Unit("kPa", "pressure", 1_000, 1, "千帕", "kilopascal"),
    Unit("MPa", "pressure", 1_000_000, 1, "兆帕", "megapascal"),
    Unit("deg", "angle", 1, 1, "度", "degree of arc"),
    Unit("s", "duration", 1, 1, "秒", "second"),
    Unit("min", "duration", 60, 1, "分钟", "minute"),
    Unit("h", "duration", 3_600, 1, "小时", "hour"),
)  # fmt: skip

UNITS: Final[dict[str, Unit]] = {unit.symbol: unit for unit in _UNIT_TABLE}
"""Every unit by its canonical symbol."""

# Spellings that can mean one thing only. The draft's "Var" is not here: it prints it for kvar and for kVA.
ALIASES: Final = {
    "m³": "m3",
    "m ³": "m3",
    "m³/h": "m3/h",
    "℃": "degC",
    "°C": "degC",
    "元": "CNY",
    "kVar": "kvar",
    "kVAr": "kvar",
    "kVarh": "kvarh",
    "MVar": "Mvar",
    "MVAr": "Mvar",
    "tCO₂": "tCO2",
    "kgCO₂": "kgCO2",
}

# What one hour at one unit adds up to.
_INTEGRALS: Final = {
    "W": "Wh",
    "kW": "kWh",
    "MW": "MWh",
    "GW": "GWh",
    "MJ/h": "MJ",
    "GJ/h": "GJ",
    "var": "varh",
    "kvar": "kvarh",
    "Mvar": "Mvarh",
    "VA": "VAh",
    "kVA": "kVAh",
    "MVA": "MVAh",
    "A": "Ah",
    "L/h": "L",
    "m3/h": "m3",
    "kg/h": "kg",
    "t/h": "t",
    "kgCO2/h": "kgCO2",
    "tCO2/h": "tCO2",
}
_RATES: Final = {integral: rate for rate, integral in _INTEGRALS.items()}


def get_unit(symbol: str) -> Unit:
    """The unit of that symbol or alias. Raises UnitError that says what is meant or allowed."""
    unit = UNITS.get(ALIASES.get(symbol, symbol))
    if unit is None:
        raise UnitError(f"unit {symbol!r} is unknown; {_suggestion(symbol)}")
    return unit


def conversion_factor(from_symbol: str, to_symbol: str) -> Fraction:
    """How many `to_symbol` one `from_symbol` is, exactly. Raises UnitError across dimensions."""
    source, target = get_unit(from_symbol), get_unit(to_symbol)
    if source.dimension != target.dimension:
        allowed = " ".join(unit.symbol for unit in UNITS.values() if unit.dimension == source.dimension)
        raise UnitError(
            f"{source.symbol} ({source.dimension}) does not convert to {target.symbol} ({target.dimension}); "
            f"{source.symbol} converts to: {allowed}"
        )
    return Fraction(source.numerator, source.denominator) / Fraction(target.numerator, target.denominator)


@overload
def convert(values: float, from_symbol: str, to_symbol: str) -> float: ...
@overload
def convert(values: npt.NDArray[np.float64], from_symbol: str, to_symbol: str) -> npt.NDArray[np.float64]: ...
def convert(
    values: float | npt.NDArray[np.float64], from_symbol: str, to_symbol: str
) -> float | npt.NDArray[np.float64]:
    """`values` in another unit of the same dimension; an array gives a new array, unless nothing changes.

    Decimals stay decimals: 126238.29 kWh is 126.23829 MWh to the last digit. NaN stays NaN. Raises UnitError.
    """
    factor = conversion_factor(from_symbol, to_symbol)
    if factor == 1:
        return values
    if isinstance(values, np.ndarray):
        return _convert_column(values, factor)
    return float(_convert_column(np.array([values], np.float64), factor)[0])


def _convert_column(column: npt.NDArray[np.float64], factor: Fraction) -> npt.NDArray[np.float64]:
    """Through whole numbers where the values are decimals, so that only the last division rounds."""
    is_finite = np.isfinite(column)
    known = column[is_finite]
    exponent = decimal_kernels.decimal_exponent(known)
    if exponent != decimal_kernels.NOT_DECIMAL and len(known):
        scaled, divisor = decimal_kernels.to_scaled(known, exponent), factor.denominator * 10**exponent
        largest = max(int(np.abs(scaled).max()) * factor.numerator, divisor)
        if largest < decimal_kernels.SCALED_MAX:
            converted = np.full(len(column), np.nan)
            converted[is_finite] = (scaled * factor.numerator) / divisor
            converted[~is_finite] = column[~is_finite]
            return converted
    multiplied: npt.NDArray[np.float64] = column * factor.numerator / factor.denominator
    return multiplied


def integral_unit(symbol: str) -> str:
    """What the unit gives over hours: kW → kWh, m3/h → m3. Raises UnitError where that has no meaning."""
    unit = get_unit(symbol)
    integral = _INTEGRALS.get(unit.symbol)
    if integral is None:
        raise UnitError(f"{unit.symbol} has no sum over time; units that have one: {' '.join(_INTEGRALS)}")
    return integral


def rate_unit(symbol: str) -> str:
    """What the unit is per hour: kWh → kW, t → t/h. Raises UnitError where that has no meaning."""
    unit = get_unit(symbol)
    rate = _RATES.get(unit.symbol)
    if rate is None:
        raise UnitError(f"{unit.symbol} has no hourly rate; units that have one: {' '.join(_RATES)}")
    return rate


def _suggestion(symbol: str) -> str:
    if symbol == "Var":
        return "say which is meant: var, kvar, VA or kVA"
    folded = symbol.strip().casefold()
    near = [known for known in UNITS if known.casefold() == folded]
    if near:
        return f"symbols are case-sensitive, did you mean {' or '.join(near)}?"
    return f"allowed: {' '.join(UNITS)}"
