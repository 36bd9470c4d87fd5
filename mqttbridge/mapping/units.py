"""Units of measurement, and how a number of one becomes a number of another.

A unit is a factor and an offset to its quantity's first unit, kept as exact fractions: 212 °F is 100 °C and not
100.00000000000001, since what is worked out at load are three whole numbers wherever that is possible.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from typing import Final

# Whole numbers up to here are exact as floats.
_EXACT: Final = 2**53


class InvalidUnit(ValueError):  # noqa: N818  # names what it is about, as InvalidRules does
    """A unit that is not known, or two that do not fit; the text says which would."""


@dataclass(frozen=True, slots=True)
class _Unit:
    quantity: str
    factor: Fraction
    offset: Fraction


@dataclass(frozen=True, slots=True)
class Conversion:
    """`(value * factor + shift) / divisor`: rounded as few times as can be."""

    factor: float
    shift: float
    divisor: float

    def __call__(self, value: float) -> float:
        return (value * self.factor + self.shift) / self.divisor


def conversion(source: str, target: str, *, difference: bool = False) -> Conversion:
    """How a number in `source` becomes one in `target`.

    Args:
        source: unit as people write it, such as `°F`, `degF` or `km/h`.
        target: likewise.
        difference: whether the number is a difference of two values, for which offsets cancel out.

    Raises:
        InvalidUnit: a unit is unknown, or they are of different quantities.
    """
    one, other = _known(source), _known(target)
    if one.quantity != other.quantity:
        raise InvalidUnit(
            f"{source!r} ({one.quantity}) cannot become {target!r} ({other.quantity}); "
            f"it can become: {', '.join(_TABLE[one.quantity])}"
        )
    factor = one.factor / other.factor
    shift = Fraction(0) if difference else (one.offset - other.offset) / other.factor
    divisor = math.lcm(factor.denominator, shift.denominator)
    whole = (int(factor * divisor), int(shift * divisor), divisor)
    if max(map(abs, whole)) <= _EXACT:
        return Conversion(*map(float, whole))
    return Conversion(float(factor), float(shift), 1.0)


def _known(name: str) -> _Unit:
    # Unicode has two of each: the Greek letter mu and the micro sign, the degree and the ring.
    plain = name.strip().replace("\u03bc", "µ").replace("\u02da", "°").replace("\u2126", "Ω").replace("^", "")
    unit = _UNITS.get(plain) or _UNITS.get(_ALIASES.get(plain, "")) or _UNITS.get(_ALIASES.get(plain.lower(), ""))
    if unit is None:
        same = [known for known in _UNITS if known.lower() == plain.lower()]
        close = same or get_close_matches(plain, [*_UNITS, *_ALIASES], n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise InvalidUnit(f"unknown unit {name!r}{hint}")
    return unit


_RADIAN: Final = Fraction(180) / Fraction(math.pi)
_POUND: Final = Fraction("0.45359237")
_GALLON: Final = Fraction("3.785411784")  # of the United States
_FOOT: Final = Fraction("0.3048")
_MMHG: Final = Fraction("133.322387415")

# Each unit by what one of it is in the quantity's first unit; a pair is (factor, offset).
_TABLE: Final[dict[str, dict[str, object]]] = {
    "temperature": {
        "K": 1, "°C": (1, "273.15"), "°F": (Fraction(5, 9), Fraction("459.67") * 5 / 9), "°R": Fraction(5, 9),
    },
    "pressure": {
        "Pa": 1, "hPa": 100, "kPa": 1_000, "MPa": 10**6, "mbar": 100, "bar": 10**5, "atm": 101_325,
        "Torr": Fraction(101_325, 760), "mmHg": _MMHG, "inHg": _MMHG * Fraction("25.4"), "psi": "6894.757293168",
    },
    "speed": {
        "m/s": 1, "km/h": Fraction(5, 18), "mph": "0.44704", "kn": Fraction(1852, 3600), "ft/s": _FOOT,
        "mm/s": "0.001", "cm/s": "0.01",
    },
    "energy": {
        "J": 1, "kJ": 1_000, "MJ": 10**6, "GJ": 10**9, "mWh": "3.6", "Wh": 3_600, "kWh": 3_600_000,
        "MWh": 36 * 10**8, "GWh": 36 * 10**11, "cal": "4.184", "kcal": 4_184, "BTU": "1055.05585262",
    },
    "power": {
        "W": 1, "mW": "0.001", "kW": 1_000, "MW": 10**6, "GW": 10**9, "hp": "745.69987158227022",
        "PS": "735.49875", "BTU/h": Fraction("1055.05585262") / 3600,
    },
    "apparent power": {"VA": 1, "kVA": 1_000, "MVA": 10**6},
    "reactive power": {"var": 1, "kvar": 1_000},
    "voltage": {"V": 1, "µV": "0.000001", "mV": "0.001", "kV": 1_000},
    "current": {"A": 1, "µA": "0.000001", "mA": "0.001", "kA": 1_000},
    "charge": {"Ah": 1, "mAh": "0.001"},
    "resistance": {"Ω": 1, "mΩ": "0.001", "kΩ": 1_000, "MΩ": 10**6},
    "conductivity": {"µS/cm": 1, "mS/cm": 1_000, "S/m": 10_000},
    "frequency": {"Hz": 1, "kHz": 1_000, "MHz": 10**6, "GHz": 10**9, "rpm": Fraction(1, 60)},
    "volume": {
        "L": 1, "mL": "0.001", "cL": "0.01", "dL": "0.1", "hL": 100, "m³": 1_000, "cm³": "0.001", "dm³": 1,
        "gal": _GALLON, "qt": _GALLON / 4, "fl oz": _GALLON / 128, "in³": Fraction("0.254") ** 3,
        "ft³": Fraction("3.048") ** 3,
    },
    "flow": {
        "L/min": 1, "L/s": 60, "L/h": Fraction(1, 60), "mL/min": "0.001", "m³/h": Fraction(1000, 60),
        "m³/s": 60_000, "gal/min": _GALLON, "ft³/min": Fraction("3.048") ** 3,
    },
    "angle": {"°": 1, "rad": _RADIAN, "mrad": _RADIAN / 1000, "grad": "0.9", "turn": 360},
    "length": {
        "m": 1, "nm": Fraction(1, 10**9), "µm": Fraction(1, 10**6), "mm": "0.001", "cm": "0.01", "dm": "0.1",
        "km": 1_000, "in": "0.0254", "ft": _FOOT, "yd": "0.9144", "mi": "1609.344", "nmi": 1_852,
    },
    "area": {"m²": 1, "cm²": "0.0001", "mm²": "0.000001", "ha": 10_000, "km²": 10**6, "ft²": _FOOT**2},
    "mass": {
        "kg": 1, "g": "0.001", "mg": "0.000001", "µg": Fraction(1, 10**9), "t": 1_000, "lb": _POUND, "oz": _POUND / 16,
    },
    "concentration": {"µg/m³": 1, "mg/m³": 1_000, "g/m³": 10**6},
    "ratio": {"%": 1, "‰": "0.1", "ppm": "0.0001", "ppb": Fraction(1, 10**7), "1": 100},
    "time": {
        "s": 1, "ns": Fraction(1, 10**9), "µs": Fraction(1, 10**6), "ms": "0.001", "min": 60, "h": 3_600, "d": 86_400,
    },
    "data": {
        "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30,
        "TiB": 2**40, "bit": Fraction(1, 8), "kbit": 125, "Mbit": 125_000,
    },
    "data rate": {
        "B/s": 1, "kB/s": 10**3, "MB/s": 10**6, "KiB/s": 2**10, "MiB/s": 2**20, "bit/s": Fraction(1, 8),
        "kbit/s": 125, "Mbit/s": 125_000, "Gbit/s": 125_000_000,
    },
    "illuminance": {"lx": 1, "klx": 1_000},
}  # fmt: skip

_ALIASES: Final[dict[str, str]] = {
    "C": "°C", "degC": "°C", "celsius": "°C", "F": "°F", "degF": "°F", "fahrenheit": "°F", "kelvin": "K",
    "kph": "km/h", "kmh": "km/h", "kmph": "km/h", "knots": "kn", "kt": "kn", "kts": "kn", "torr": "Torr",
    "l": "L", "ml": "mL", "liter": "L", "litre": "L", "l/min": "L/min", "l/h": "L/h", "l/s": "L/s", "gpm": "gal/min",
    "m3": "m³", "cm3": "cm³", "dm3": "dm³", "in3": "in³", "ft3": "ft³", "m3/h": "m³/h", "m3/s": "m³/s",
    "m2": "m²", "cm2": "cm²", "mm2": "mm²", "km2": "km²", "ft2": "ft²", "ug/m3": "µg/m³", "mg/m3": "mg/m³",
    "µg/m3": "µg/m³", "us/cm": "µS/cm", "uS/cm": "µS/cm", "uA": "µA", "uV": "µV", "um": "µm", "us": "µs", "ug": "µg",
    "deg": "°", "degree": "°", "degrees": "°", "radian": "rad", "radians": "rad", "ohm": "Ω", "kohm": "kΩ",
    "percent": "%", "pct": "%", "lbs": "lb", "sec": "s", "hr": "h", "minutes": "min", "hours": "h", "seconds": "s",
    "bytes": "B", "bps": "bit/s", "kbps": "kbit/s", "mbps": "Mbit/s", "lux": "lx", "meter": "m", "metre": "m",
    "inch": "in", "miles": "mi", "VAr": "var", "horsepower": "hp",
}  # fmt: skip


def _unit(quantity: str, given: object) -> _Unit:
    factor, offset = given if isinstance(given, tuple) else (given, 0)
    return _Unit(quantity, Fraction(factor), Fraction(offset))


_UNITS: Final = {name: _unit(quantity, given) for quantity, units in _TABLE.items() for name, given in units.items()}
"""Every unit by its name; Fractions are exact, so reading the table costs a millisecond once."""
