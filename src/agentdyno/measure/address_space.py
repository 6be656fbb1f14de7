"""Whether two processes are in one address space, as a child of vfork(2) and its parent are."""

import ctypes
import platform

_KCMP = {"x86_64": 312, "aarch64": 272}.get(platform.machine())
_KCMP_VM = 1  # include/uapi/linux/kcmp.h

_syscall = ctypes.CDLL(None).syscall
_syscall.argtypes = [ctypes.c_long, *[ctypes.c_long] * 5]
_syscall.restype = ctypes.c_long


def is_shared(pid: int, other: int) -> bool:
    """Whether the memory of the two is one and the same, and not merely copied on write (kcmp(2)).

    False as well where the kernel does not tell: it is built without kcmp, forbids it, or one is gone.
    """
    return _KCMP is not None and _syscall(_KCMP, pid, other, _KCMP_VM, 0, 0) == 0
