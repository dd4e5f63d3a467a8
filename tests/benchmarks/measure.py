"""What a process has used, for benchmarks whose steps are processes of their own."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Used:
    """Seconds of the processor and of the clock, and peak memory in MB."""

    processor: float
    clock: float
    memory: float

    def __add__(self, other: Used) -> Used:
        return Used(
            self.processor + other.processor,
            self.clock + other.clock,
            max(self.memory, other.memory),
        )

    def __str__(self) -> str:
        return f"{self.processor:6.1f} s CPU {self.clock:6.1f} s {self.memory:6,.0f} MB"


def used_by(running: subprocess.Popen[bytes]) -> Used:
    """Wait for a process that has just been started; its return code is set afterwards."""
    started = time.monotonic()
    _, status, usage = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    processor = usage.ru_utime + usage.ru_stime
    return Used(processor, time.monotonic() - started, usage.ru_maxrss / 1024)
