"""Descriptors of processes (pidfd_open(2)), also where Python was built with headers that lack them."""

import ctypes
import os
import signal

_PIDFD_SEND_SIGNAL, _PIDFD_OPEN = 424, 434  # the same on every architecture that has them

_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.argtypes = [ctypes.c_long] * 5
_syscall.restype = ctypes.c_long


def pidfd_open(pid: int) -> int:
    """A descriptor of the process, readable once it has ended; ProcessLookupError when there is none."""
    if hasattr(os, "pidfd_open"):
        return os.pidfd_open(pid)
    return _called(_syscall(_PIDFD_OPEN, pid, 0, 0, 0))


def send_signal(pidfd: int, number: signal.Signals) -> None:
    """Send a signal to the process; ProcessLookupError when it was reaped."""
    if hasattr(signal, "pidfd_send_signal"):
        signal.pidfd_send_signal(pidfd, number)
    else:
        _called(_syscall(_PIDFD_SEND_SIGNAL, pidfd, number, 0, 0))


def _called(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
