"""Which processors and graphics adapters there are, and whether they compute the right numbers."""

from typing import Any

from . import _native
from ._equation import Device
from ._runs import Precision


def devices() -> list[dict[str, str]]:
    """Return the processor and every graphics adapter: device (the word to pass), name, api, kind, driver."""
    return _native.devices()


def check(device: Device = "auto", precision: Precision = "single") -> list[dict[str, Any]]:
    """Compare a device with literal double loops: the largest errors of velocity and ln E, and their bound."""
    return _native.check(device, precision)
