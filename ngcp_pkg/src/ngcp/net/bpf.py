"""eBPF in the kernel, through libbpf: object files loaded, programs attached, tables written and read.

Nothing is pinned: what the kernel holds of it goes when we close it, and when we end, however we end.
Whatever the kernel refuses is an `OSError` that names it.
"""

import ctypes
import errno
import os
from collections.abc import Mapping
from ctypes import c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any, Final

#: enum bpf_attach_type: packets that an interface received, before anything else in the kernel sees them.
TCX_INGRESS: Final = 46
#: What a program that runs without a packet gets in place of one: the least that the kernel takes.
_NO_PAYLOAD: Final = 64

#: The functions used, with their results and arguments.
_SIGNATURES: Final[Mapping[str, tuple[Any, list[Any]]]] = {
    "libbpf_set_print": (c_void_p, [c_void_p]),
    "bpf_object__open_file": (c_void_p, [c_char_p, c_void_p]),
    "bpf_object__load": (c_int, [c_void_p]),
    "bpf_object__close": (None, [c_void_p]),
    "bpf_object__find_map_by_name": (c_void_p, [c_void_p, c_char_p]),
    "bpf_object__find_program_by_name": (c_void_p, [c_void_p, c_char_p]),
    "bpf_program__fd": (c_int, [c_void_p]),
    "bpf_map__fd": (c_int, [c_void_p]),
    "bpf_map__key_size": (c_uint32, [c_void_p]),
    "bpf_map__value_size": (c_uint32, [c_void_p]),
    "bpf_map__set_max_entries": (c_int, [c_void_p, c_uint32]),
    "bpf_map_update_elem": (c_int, [c_int, c_char_p, c_char_p, c_uint64]),
    "bpf_map_lookup_elem": (c_int, [c_int, c_char_p, c_void_p]),
    "bpf_map_delete_elem": (c_int, [c_int, c_char_p]),
    "bpf_link_create": (c_int, [c_int, c_int, c_int, c_void_p]),
    "bpf_prog_test_run_opts": (c_int, [c_int, c_void_p]),
}


class _TestRun(ctypes.Structure):
    """struct bpf_test_run_opts."""

    _fields_ = (
        ("sz", c_size_t),
        ("data_in", c_char_p),
        ("data_out", c_void_p),
        ("data_size_in", c_uint32),
        ("data_size_out", c_uint32),
        ("ctx_in", c_void_p),
        ("ctx_out", c_void_p),
        ("ctx_size_in", c_uint32),
        ("ctx_size_out", c_uint32),
        ("retval", c_uint32),
        ("repeat", c_int),
        ("duration", c_uint32),
        ("flags", c_uint32),
        ("cpu", c_uint32),
        ("batch_size", c_uint32),
    )


class Table:
    """A hash table that programs and we share."""

    def __init__(self, library: ctypes.CDLL, table: c_void_p) -> None:
        self._library = library
        self._descriptor = library.bpf_map__fd(table)
        self.key_size: Final[int] = library.bpf_map__key_size(table)
        self.value_size: Final[int] = library.bpf_map__value_size(table)

    def put(self, key: bytes, value: bytes) -> None:
        """Let `key` have `value`."""
        self._check_key(key)
        if len(value) != self.value_size:
            raise ValueError(f"a value of {len(value)} bytes in a table of {self.value_size}")
        _check("table entry", self._library.bpf_map_update_elem(self._descriptor, key, value, 0))

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key` as it is now."""
        self._check_key(key)
        value = ctypes.create_string_buffer(self.value_size)
        if not self._has(key, self._library.bpf_map_lookup_elem(self._descriptor, key, value)):
            return None
        return value.raw

    def delete(self, key: bytes) -> None:
        """Forget `key`, if it is there."""
        self._check_key(key)
        self._has(key, self._library.bpf_map_delete_elem(self._descriptor, key))

    def _check_key(self, key: bytes) -> None:
        if len(key) != self.key_size:
            raise ValueError(f"a key of {len(key)} bytes in a table of {self.key_size}")

    def _has(self, key: bytes, result: int) -> bool:
        if result == -errno.ENOENT:
            return False
        _check(f"table key {key.hex()}", result)
        return True


class LoadedObject:
    """The programs and tables of one object file, in the kernel until `close`."""

    def __init__(self, path: Path, sizes: Mapping[str, int]) -> None:
        """Load `path`; the tables named in `sizes` hold so many entries."""
        self._library = _library()
        self._object = self._library.bpf_object__open_file(os.fsencode(path), None)
        if not self._object:
            number = ctypes.get_errno()
            raise OSError(number, f"{path}: {os.strerror(number)}")
        self._links: dict[int, int] = {}
        self._tables: dict[str, Table] = {}
        try:
            for name, size in sizes.items():
                _check(name, self._library.bpf_map__set_max_entries(self._table(name), size))
            _check(str(path), self._library.bpf_object__load(self._object))
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Take all of it out of the kernel."""
        for interface in list(self._links):
            self.detach(interface)
        self._library.bpf_object__close(self._object)

    def table(self, name: str) -> Table:
        """Return a table."""
        if name not in self._tables:
            self._tables[name] = Table(self._library, self._table(name))
        return self._tables[name]

    @property
    def interfaces(self) -> frozenset[int]:
        """Index of each interface that a program is attached to; one that is gone stays until `detach`."""
        return frozenset(self._links)

    def attach(self, program: str, interface: int) -> None:
        """Let `program` see the packets that `interface`, by its index, receives."""
        link = self._library.bpf_link_create(self._program(program), interface, TCX_INGRESS, None)
        _check(f"interface {interface}", link)
        self._links[interface] = link

    def detach(self, interface: int) -> None:
        """Let the packets of `interface` alone."""
        os.close(self._links.pop(interface))

    def run(self, program: str, ethertype: int) -> int:
        """Let `program` run on an empty frame of this type as if the loopback device had received it.

        Return its result.
        """
        frame = bytes(12) + ethertype.to_bytes(2, "big") + bytes(_NO_PAYLOAD)
        run = _TestRun(sz=ctypes.sizeof(_TestRun), data_in=frame, data_size_in=len(frame), repeat=1)
        _check(program, self._library.bpf_prog_test_run_opts(self._program(program), ctypes.byref(run)))
        return c_int(run.retval).value

    def _table(self, name: str) -> c_void_p:
        return self._found(name, self._library.bpf_object__find_map_by_name)

    def _program(self, name: str) -> int:
        found = self._found(name, self._library.bpf_object__find_program_by_name)
        return int(self._library.bpf_program__fd(found))

    def _found(self, name: str, find: Any) -> c_void_p:  # noqa: ANN401  # a function of C
        found = find(self._object, name.encode())
        if not found:
            raise OSError(errno.ENOENT, f"{name} is not in the object file")
        return c_void_p(found)


def _library() -> ctypes.CDLL:
    """Return libbpf; an `OSError` says that it is not installed."""
    library = ctypes.CDLL("libbpf.so.1", use_errno=True)
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    library.libbpf_set_print(None)  # what went wrong is in our errors
    return library


def _check(what: str, result: int) -> None:
    """Raise what the result of a call says, if it is an error."""
    if result < 0:
        raise OSError(-result, f"{what}: {os.strerror(-result)}")
