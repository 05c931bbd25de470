"""Says on which platforms a binary runs, by asking the binary."""

from __future__ import annotations

import struct

_MACHINES = {62: "x86_64", 183: "aarch64"}
_PT_INTERP = 3


def platforms(binary: bytes) -> list[str]:
    """Returns the platform tags of wheels with this binary. Raises ValueError if it needs a
    dynamic linker, or is not for 64-bit Linux on a known machine.

    A static binary runs beside glibc and musl alike, of whatever version: the tags have the
    oldest versions that are common.
    """
    if binary[:7] != b"\x7fELF\x02\x01\x01" or binary[7] not in (0, 3):
        raise ValueError("the binary is not one for 64-bit Linux: build it with GOOS=linux")
    (machine,) = struct.unpack_from("<H", binary, 18)
    if machine not in _MACHINES:
        raise ValueError(
            f"the binary is for machine {machine}, want one of {_MACHINES}: build it with "
            "GOARCH=amd64 or arm64"
        )
    (headers,) = struct.unpack_from("<Q", binary, 32)
    size, count = struct.unpack_from("<HH", binary, 54)
    for i in range(count):
        if struct.unpack_from("<I", binary, headers + i * size) == (_PT_INTERP,):
            raise ValueError("the binary needs a dynamic linker: build it with CGO_ENABLED=0")
    arch = _MACHINES[machine]
    return [f"{name}_{arch}" for name in ("manylinux_2_17", "manylinux2014", "musllinux_1_1")]
