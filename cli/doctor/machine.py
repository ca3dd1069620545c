"""The machine: processor, memory, disk, GPU."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from cli.doctor.finding import Finding
from cli.settings import Settings

_MIB, _GIB = 2**20, 2**30
_LOW_DISK_BYTES = 2 * _GIB
_GPU_TIMEOUT_S = 60
_ASK_TORCH = (
    "import torch; print(torch.__version__); print(torch.version.cuda or 'none'); "
    "print(torch.cuda.get_device_name(0) if torch.cuda.is_available() else 'none')"
)


def machine_findings(settings: Settings, *, full: bool) -> Iterator[Finding]:
    """Look at the machine; ``full`` asks torch about CUDA even where no NVIDIA driver is seen (seconds)."""
    n_cores = len(os.sched_getaffinity(0))
    yield _processor(n_cores)
    yield _memory(settings, settings.workers or n_cores)
    yield _disk(settings.index)
    yield _gpu(settings, full=full)


def _processor(n_cores: int) -> Finding:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    flags = next((set(line.split()) for line in lines if line.startswith("flags")), set())
    known = {"AVX2": "avx2", "AVX-512": "avx512f", "bf16": "avx512_bf16", "AMX": "amx_bf16"}
    has = [name for name, flag in known.items() if flag in flags]
    text = f"{n_cores} cores; {', '.join(has) or 'no AVX2 seen'}"
    if flags and "avx2" not in flags:
        return Finding("processor", "warn", text, "Networks run several times slower without AVX2.")
    return Finding("processor", "ok", text)


def _memory(settings: Settings, n_workers: int) -> Finding:
    available = _available_memory()
    if available is None:
        return Finding("memory", "ok", "unknown")
    wanted = n_workers * settings.memory_mb * _MIB
    text = (
        f"{available / _GIB:.1f} GiB available; {n_workers} workers may take {wanted / _GIB:.1f} GiB at worst"
    )
    if available < wanted:
        return Finding("memory", "warn", text, "Set workers or memory_mb lower, or index no huge files.")
    return Finding("memory", "ok", text)


def _available_memory() -> int | None:
    """Of the machine, or of the container where that is less."""
    found = []
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
        cgroup = Path("/sys/fs/cgroup")
        limit = (cgroup / "memory.max").read_text(encoding="ascii").strip()
        if limit.isdecimal():
            found.append(int(limit) - int((cgroup / "memory.current").read_text(encoding="ascii")))
    except OSError:
        pass
    return min(found, default=None)


def _disk(index: Path) -> Finding:
    folder = next(each for each in (index.absolute(), *index.absolute().parents) if each.is_dir())
    free = shutil.disk_usage(folder).free
    text = f"{free / _GIB:.1f} GiB free in {folder}"
    if not os.access(folder, os.W_OK):
        return Finding(
            "disk", "warn", f"{folder} is not writable", "Build elsewhere with -o, or set CBIR_INDEX."
        )
    if free < _LOW_DISK_BYTES:
        return Finding("disk", "warn", text, "Free space: a build that runs out of it stops.")
    return Finding("disk", "ok", text)


def _gpu(settings: Settings, *, full: bool) -> Finding:
    has_driver = Path("/dev/nvidiactl").exists()
    if not has_driver and not full and settings.device != "cuda":
        return Finding("gpu", "ok", "no NVIDIA driver: networks run on the processor")
    command = [sys.executable, "-c", _ASK_TORCH]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_GPU_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return Finding(
            "gpu",
            "fail",
            f"torch does not start ({type(error).__name__})",
            "pip install --force-reinstall torch",
        )
    version, cuda, name = done.stdout.splitlines()[-3:]
    if name != "none":
        return Finding("gpu", "ok", f"{name}; torch {version}, CUDA {cuda}")
    text = f"torch {version} (CUDA {cuda}) sees no GPU"
    if has_driver:
        return Finding(
            "gpu", "warn", text, "The driver runs: install the torch wheel that fits it (pytorch.org)."
        )
    if settings.device == "cuda":
        return Finding("gpu", "fail", text, "device is set to cuda: set it to auto or cpu.")
    return Finding("gpu", "ok", f"{text}: networks run on the processor")
