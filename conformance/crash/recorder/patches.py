"""What the `python` recorder puts in the place of the functions of `os`."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from typing import Any

from conformance.crash.recorder.actions import Actions
from conformance.crash.recorder.ledger import Place

Function = Callable[..., Any]
_F_FULLFSYNC = 51  # sys/fcntl.h of macOS; the fcntl module has it only there


def patches(actions: Actions) -> Iterator[tuple[Function, Function]]:
    """Give each function of `os` that is to be replaced, as far as this platform has it, with what takes its place."""
    on_names, on_descriptors = OnNames(actions), OnDescriptors(actions)
    for name in ("open", "mkdir", "unlink", "rmdir", "rename", "replace", "link", "symlink", "mknod", "truncate"):
        if hasattr(os, name):
            yield getattr(os, name), getattr(on_names, name)
    yield os.remove, on_names.unlink
    for name in [
        "write",
        "pwrite",
        "writev",
        "pwritev",
        "ftruncate",
        "posix_fallocate",
        "fsync",
        "fdatasync",
        "sync",
        "sendfile",
        "copy_file_range",
    ]:
        if hasattr(os, name):
            yield getattr(os, name), getattr(on_descriptors, name)
    import fcntl

    yield fcntl.fcntl, on_descriptors.fcntl


class OnNames:
    """The functions of `os` that take a path. Each does what its namesake does; inside, that is called."""

    def __init__(self, actions: Actions) -> None:
        self._actions = actions

    def _path(self, path: Any, directory: int | None) -> str:
        """Return an absolute path; empty for an open descriptor."""
        if isinstance(path, int):
            return ""
        text = os.fsdecode(path)
        if directory is not None and not os.path.isabs(text):
            node = self._actions.ledger.node_of(os.fstat(directory))
            base = None if node is None else self._actions.ledger.path_of(node)
            return "" if base is None else os.path.join(base, text)
        return os.path.join(os.getcwd(), text) if text else ""

    def _place(self, path: Any, directory: int | None = None, *, follow: bool = False) -> Place | None:
        return self._actions.ledger.find(self._path(path, directory), follow=follow)

    def open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        """Like os.open."""
        exclusive = flags & os.O_CREAT and flags & os.O_EXCL
        place = self._place(path, dir_fd, follow=not exclusive and not flags & os.O_NOFOLLOW)
        if place is None:
            return os.open(path, flags, mode, dir_fd=dir_fd)
        if flags & getattr(os, "O_TMPFILE", 0) == getattr(os, "O_TMPFILE", -1):
            self._actions.ledger.miss("files made with O_TMPFILE")
        elif flags & (os.O_CREAT | os.O_TRUNC):
            return self._actions.open(place, flags, mode)
        self._actions.faults.meet(("open",))
        return os.open(path, flags, mode, dir_fd=dir_fd)

    def mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        """Like os.mkdir."""
        place = self._place(path, dir_fd)
        if place is None:
            os.mkdir(path, mode, dir_fd=dir_fd)
        else:
            self._actions.make_directory(place, mode)

    def unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        """Like os.unlink."""
        place = self._place(path, dir_fd)
        if place is None:
            os.unlink(path, dir_fd=dir_fd)
        else:
            self._actions.remove(place, os.unlink)

    def rmdir(self, path: Any, *, dir_fd: int | None = None) -> None:
        """Like os.rmdir."""
        place = self._place(path, dir_fd)
        if place is None:
            os.rmdir(path, dir_fd=dir_fd)
        else:
            self._actions.remove(place, os.rmdir)

    def rename(self, src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None) -> None:
        """Like os.rename."""
        before, after = self._place(src, src_dir_fd), self._place(dst, dst_dir_fd)

        def rename() -> None:
            os.rename(src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

        if before is None and after is None:
            rename()
        else:
            self._actions.rename(before, after, rename)

    replace = rename  # wherever there is fork(2) they do the same

    def link(
        self,
        src: Any,
        dst: Any,
        *,
        src_dir_fd: int | None = None,
        dst_dir_fd: int | None = None,
        **how: Any,
    ) -> None:
        """Like os.link."""
        old, new = self._place(src, src_dir_fd), self._place(dst, dst_dir_fd)

        def link(*_: str) -> None:
            os.link(src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd, **how)

        if new is None:
            link()
        else:
            self._actions.link("", None if old is None else old.node, new, link)

    def symlink(self, src: Any, dst: Any, *args: Any, dir_fd: int | None = None, **kwargs: Any) -> None:
        """Like os.symlink."""
        place = self._place(dst, dir_fd)
        if place is not None:
            self._actions.make_symlink(place)
        os.symlink(src, dst, *args, dir_fd=dir_fd, **kwargs)

    def mknod(self, path: Any, mode: int = 0o600, device: int = 0, *, dir_fd: int | None = None) -> None:
        """Like os.mknod."""
        place = self._place(path, dir_fd)
        if place is None or stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            os.mknod(path, mode, device, dir_fd=dir_fd)
        else:
            self._actions.make_file(place, mode)

    def truncate(self, path: Any, length: int) -> None:
        """Like os.truncate."""
        if isinstance(path, int):
            OnDescriptors(self._actions).ftruncate(path, length)
            return
        place = self._place(path, follow=True)
        if place is None or place.node not in self._actions.ledger.volume.contents:
            os.truncate(path, length)
        else:
            self._actions.resize(place.node, length, lambda: os.truncate(path, length))


class OnDescriptors:
    """The functions of `os` that take a descriptor. Each does what its namesake does; inside, that is called."""

    def __init__(self, actions: Actions) -> None:
        self._actions = actions

    def _node(self, descriptor: Any) -> int | None:
        number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
        return self._actions.ledger.node_of(os.fstat(number))

    def _file(self, descriptor: Any) -> int | None:
        node = self._node(descriptor)
        return node if node in self._actions.ledger.volume.contents else None

    def write(self, fd: int, data: Any) -> int:
        """Like os.write."""
        node = self._file(fd)
        return os.write(fd, data) if node is None else self._actions.write(node, fd, bytes(data))

    def pwrite(self, fd: int, data: Any, offset: int) -> int:
        """Like os.pwrite."""
        node = self._file(fd)
        return os.pwrite(fd, data, offset) if node is None else self._actions.write(node, fd, bytes(data), offset)

    def writev(self, fd: int, buffers: Any) -> int:
        """Like os.writev."""
        node = self._file(fd)
        if node is None:
            return os.writev(fd, buffers)
        return self._actions.write(node, fd, b"".join(bytes(part) for part in buffers))

    def pwritev(self, fd: int, buffers: Any, offset: int, flags: int = 0) -> int:
        """Like os.pwritev."""
        node = self._file(fd)
        if node is None:
            return os.pwritev(fd, buffers, offset, flags)
        return self._actions.write(node, fd, b"".join(bytes(part) for part in buffers), offset, flags)

    def ftruncate(self, fd: int, length: int) -> None:
        """Like os.ftruncate."""
        node = self._file(fd)
        if node is None:
            os.ftruncate(fd, length)
        else:
            self._actions.resize(node, length, lambda: os.ftruncate(fd, length))

    def posix_fallocate(self, fd: int, offset: int, length: int) -> None:
        """Like os.posix_fallocate."""
        node = self._file(fd)
        if node is None:
            os.posix_fallocate(fd, offset, length)
        else:
            self._actions.allocate(node, 0, offset, length, lambda: os.posix_fallocate(fd, offset, length))

    def fsync(self, fd: Any) -> None:
        """Like os.fsync; files of ours are not really synced."""
        node = self._node(fd)
        if node is None:
            os.fsync(fd)
        else:
            self._actions.sync([node])

    fdatasync = fsync

    def sync(self) -> None:
        """Like os.sync, without syncing anything."""
        self._actions.sync_all()

    def sendfile(self, out_fd: int, *args: Any, **kwargs: Any) -> int:
        """Like os.sendfile."""
        if self._file(out_fd) is not None:
            self._actions.ledger.miss("copies within the kernel")
        return os.sendfile(out_fd, *args, **kwargs)

    def copy_file_range(self, src: int, dst: int, *args: Any, **kwargs: Any) -> int:
        """Like os.copy_file_range."""
        if self._file(dst) is not None:
            self._actions.ledger.miss("copies within the kernel")
        return os.copy_file_range(src, dst, *args, **kwargs)

    def fcntl(self, fd: Any, cmd: int, arg: Any = 0) -> Any:
        """Like fcntl.fcntl; F_FULLFSYNC of macOS is a sync."""
        import fcntl

        if sys.platform == "darwin" and cmd == _F_FULLFSYNC and self._node(fd) is not None:
            self.fsync(fd)
            return 0
        return fcntl.fcntl(fd, cmd, arg)
