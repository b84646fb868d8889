import math
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.errors import DeviceException
from drivers.modbus_link import ModbusLink
from drivers.modbus_request import ReadRequest
from drivers.modbus_settings import RegisterArea
from drivers.simulator.load_shape import load_shape_path, read_load_shape
from drivers.simulator.modbus import REGISTER_COUNT, VOLTAGE_ADDRESS, Feeder, Measurement, serving
from historian.clock import ManualClock
from historian.model.point import DAY_US, MINUTE_US

EVERY_LOOP = True
ALL_REGISTERS = ReadRequest(1, RegisterArea.HOLDING_REGISTER, VOLTAGE_ADDRESS, REGISTER_COUNT, ())


def measurements() -> list[Measurement]:
    feeder = Feeder(read_load_shape(load_shape_path()), seed=1)
    return [feeder.measure(time_us) for time_us in range(0, 4 * DAY_US, 5 * MINUTE_US)]


def test_voltages_are_those_of_a_10_kv_feeder() -> None:
    voltages = [voltage * math.sqrt(3.0) for each in measurements() for voltage in each.voltage_v]
    assert 9_300.0 <= min(voltages) <= max(voltages) <= 10_700.0  # GB/T 12325: ±7 % of 10 kV


def test_currents_stay_below_what_a_feeder_can_carry() -> None:
    currents = [current / 10.0 for each in measurements() for current in each.current_da]
    assert 60.0 <= min(currents) <= max(currents) <= 600.0


def test_power_is_what_the_shown_voltages_and_currents_make() -> None:
    for each in measurements():
        apparent_kva = sum(u * i for u, i in zip(each.voltage_v, each.current_da, strict=True)) / 10_000.0
        assert math.hypot(each.active_power_kw, each.reactive_power_kvar) == pytest.approx(apparent_kva)
        assert 0.85 <= each.active_power_kw / apparent_kva <= 0.99


def test_power_follows_the_real_load() -> None:
    shape = read_load_shape(load_shape_path())
    times_us = range(0, 4 * DAY_US, 5 * MINUTE_US)
    house = [shape.at(time_us).active_power_kw for time_us in times_us]
    powers = [each.active_power_kw for each in measurements()]
    assert max(powers) / min(powers) > 3.0
    assert abs(powers.index(max(powers)) - house.index(max(house))) <= 3


def test_the_same_seed_gives_the_same_measurements() -> None:
    assert measurements() == measurements()


async def test_a_running_simulator_answers_with_its_measurements() -> None:
    clock = ManualClock(12 * MINUTE_US)
    expected = Feeder(read_load_shape(load_shape_path()), seed=3).measure(clock.now_us())
    async with serving("127.0.0.1", 0, seed=3, clock=clock) as port:
        link = ModbusLink("127.0.0.1", port, 2.0, 2.0)
        await link.open()
        octets = await link.read(ALL_REGISTERS)
        link.close()
    assert octets == b"".join(register.to_bytes(2, "big") for register in expected.to_registers())


async def test_other_addresses_are_answered_with_exception_2() -> None:
    async with serving("127.0.0.1", 0) as port:
        link = ModbusLink("127.0.0.1", port, 2.0, 2.0)
        await link.open()
        with pytest.raises(DeviceException) as caught:
            await link.read(ALL_REGISTERS._replace(start_address=0))
        link.close()
    assert caught.value.code == 2


async def test_a_port_in_use_is_said() -> None:
    async with serving("127.0.0.1", 0) as port:
        with pytest.raises(OSError, match="is the port in use"):
            async with serving("127.0.0.1", port):
                pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["interrupt", "terminate"])
def test_the_process_says_its_port_and_stops_when_told(number: signal.Signals, root: Path) -> None:
    command = [sys.executable, "-m", "drivers.simulator.modbus", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(number)
        assert process.wait(timeout=10.0) == 0
    assert re.fullmatch(r"modbus simulator listens on 127\.0\.0\.1:\d+\n", line)
