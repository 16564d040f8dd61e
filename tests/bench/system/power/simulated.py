"""A machine with recorded files of power meters, whose time and power tests set: nothing waits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_bench.bench.system.power.find import Search, find_meter
from edge_bench.bench.system.power.meters import Meter

__all__ = ["PMIC_TEXT", "SimulatedMachine"]

#: As `vcgencmd pmic_read_adc` prints it; the first current and the rail without a current are as recorded.
PMIC_TEXT = (
    " 3V7_WL_SW_A current(0)=0.10000000A\n   VDD_CORE_A current(7)={amperes:.8f}A\n"
    " 3V7_WL_SW_V volt(8)=3.70000000V\n   VDD_CORE_V volt(15)=0.90000000V\n     EXT5V_V volt(24)=5.15000000V\n"
)


class SimulatedMachine:
    """Files below ``root``. Counters advance with the power and the time, sensors show the power.

    It is the `Timer` of its meters, too: what is repeated is called while the machine sleeps.
    """

    def __init__(self, root: Path, watts: float) -> None:
        self.root, self.watts = root, watts
        self._ns, self._joules = 1_000_000_000, 0.0
        self._counters: dict[Path, tuple[int, int | None, float]] = {}  # start and end in µJ, share of the power
        self._sensors: dict[Path, float] = {}  # share of the power
        self._repeated: list[tuple[float, float, Callable[[], None]]] = []
        self.reads = 0

    def write(self, path: str, text: str = "") -> Path:
        """Write a file of the tree."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def counter(self, path: str, start_uj: int = 0, wraps_at_uj: int | None = None, share: float = 1.0) -> Path:
        """Add an energy counter."""
        file = self.write(path, "0\n")
        self._counters[file] = (start_uj, wraps_at_uj, share)
        return file

    def sensor(self, path: str, share: float = 1.0) -> Path:
        """Add a power sensor."""
        file = self.write(path, "0\n")
        self._sensors[file] = share
        return file

    def replace(self, file: Path, text: str) -> None:
        """Replace a counter or sensor by a file that does not change."""
        self._counters.pop(file, None)
        self._sensors.pop(file, None)
        file.write_text(text)

    def rapl(self, number: int, name: str, start_uj: int = 0, share: float = 1.0) -> Path:
        """Add a zone of RAPL, whose counter wraps around as in a processor."""
        zone = f"sys/class/powercap/intel-rapl:{number}"
        self.write(f"{zone}/name", f"{name}\n")
        self.write(f"{zone}/max_energy_range_uj", "262143328850\n")
        return self.counter(f"{zone}/energy_uj", start_uj, 262_143_328_850, share)

    def find(self, file: str = "") -> Search:
        """Return the meter of this machine."""
        return find_meter(self.root, file, read=self.read, timer=self, printed=self.printed)

    def meter(self, file: str = "") -> Meter:
        """Return its meter, which it must have."""
        meter = self.find(file).meter
        assert meter is not None
        return meter

    def read(self, path: Path) -> str:
        """Return the present text of a file."""
        self.reads += 1
        if path in self._counters:
            start, end, share = self._counters[path]
            value = start + round(1e6 * share * self._joules)
            return f"{value if end is None else value % end}\n"
        if path in self._sensors:
            return f"{round(1e6 * self._sensors[path] * self.watts)}\n"
        return path.read_text()

    def printed(self) -> str:
        """Return what vcgencmd prints: a rail of 0.37 W, and one with the rest of the power."""
        self.reads += 1
        return PMIC_TEXT.format(amperes=(self.watts - 0.37) / 0.9)

    def trial(self, meter: Meter, seconds: float, watts: float, margin: float = 0.0) -> float | None:
        """Return what a meter says about a trial; its worker waits for ``margin`` seconds before and after."""
        idle = self.watts
        with meter.watch() as watched:
            self.sleep(margin)
            self.watts, began = watts, self.now_ns()
            self.sleep(seconds)
            elapsed = self.now_ns() - began
            self.watts = idle
            self.sleep(margin)
        return watched.mean_power_w(began, elapsed)

    # -- its time

    def now_ns(self) -> int:
        return self._ns

    def sleep(self, seconds: float) -> None:
        end = self._ns + round(1e9 * seconds)
        while self._repeated and min(each[0] for each in self._repeated) <= end:
            due, period, call = min(self._repeated, key=lambda each: each[0])
            self._repeated.remove((due, period, call))
            self._advance(int(due))
            call()
            self._repeated.append((due + 1e9 * period, period, call))
        self._advance(end)

    def _advance(self, to_ns: int) -> None:
        self._joules += self.watts * (to_ns - self._ns) / 1e9
        self._ns = to_ns

    @contextmanager
    def every(self, first_s: float, period_s: float, read: Callable[[], None]) -> Iterator[None]:
        self._repeated.append((self._ns + 1e9 * first_s, period_s, read))
        yield
        self._repeated.pop()
