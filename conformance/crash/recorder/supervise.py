"""The `seccomp` recorder: a child under a filter, and the loop that answers each of its calls."""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from collections.abc import Callable
from typing import Any

from conformance.crash.fault import Fault
from conformance.crash.recorder import child as children
from conformance.crash.recorder import on_descriptors, on_names, process, seccomp
from conformance.crash.recorder.actions import Actions
from conformance.crash.recorder.call import Answer, Call, Opened
from conformance.crash.recorder.child import MARK_DESCRIPTOR, Child, Ended
from conformance.crash.recorder.faults import Faults, Killed
from conformance.crash.recorder.ledger import Ledger
from conformance.crash.recorder.process import Processes
from conformance.crash.recorder.recording import Recording, Unable, Workload
from conformance.crash.recorder.syscalls import Architecture, architecture
from conformance.crash.tree import read_tree

_HANDLERS: dict[str, Callable[[Call], Answer]] = {**on_descriptors.HANDLERS, **on_names.HANDLERS}
#: For killed processes to be gone.
_LEFT_BEHIND_S = 1.0
_WHY = {
    errno.EBUSY: "another listener is already there, such as that of an outer recorder or of a sandbox",
    errno.EPERM: "this process may not install a filter",
    errno.EACCES: "this process may not install a filter",
    errno.EINVAL: "this kernel can't notify a listener",
    errno.ENOSYS: "this kernel has no seccomp",
}


def record(workload: Workload, root: str, *, fault: Fault | None, timeout_s: float) -> Recording:
    """Record with seccomp user notification; see `conformance.crash.recorder.record`.

    Raises:
        Unable: It doesn't work here.
    """
    known = architecture()
    if known is None:
        raise Unable("seccomp: only Linux on x86-64 and aarch64 is known")
    ledger, faults = Ledger(root), Faults(fault)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        parent = os.getpid()
        child = children.start(lambda: _body(workload, known, theirs, parent))
        theirs.close()
        try:
            listener = seccomp.receive_listener(ours)
        except OSError as error:
            os.waitpid(child.pid, 0)
            child.result.close()
            name = errno.errorcode.get(error.errno or 0, "")
            why = _WHY.get(error.errno or 0, error.strerror)
            raise Unable(f"seccomp: {name}{': ' if name else ''}{why}") from None
    supervisor = Supervisor(child, listener, known, Actions(ledger, faults))
    with child.result:
        ended = supervisor.run(time.monotonic() + timeout_s, timeout_s)
    return Recording(
        trace=ledger.trace(),
        real=read_tree(ledger.root),
        ended=ended.how,
        detail=ended.detail,
        returned=ended.returned,
        recorder="seccomp",
        unseen=ledger.unseen,
        fired=faults.fired,
        counts=dict(faults.counts),
        calls=supervisor.calls,
    )


def _body(workload: Workload, known: Architecture, connection: socket.socket, parent: int) -> Any:
    seccomp.die_with_parent()
    if os.getppid() != parent:
        os._exit(1)
    with connection:
        try:
            listener = seccomp.install(known)
        except OSError as error:
            connection.send(b"%d" % (error.errno or 0))
            os._exit(1)
        seccomp.send_listener(connection, listener)
        os.close(listener)
    return workload(children.mark)


class Supervisor:
    """Answers the calls of a child, one after the other, until it has ended."""

    def __init__(self, child: Child, listener: int, known: Architecture, actions: Actions) -> None:
        self.calls = 0
        self._child = child
        self._listener = listener
        self._names = {number: name for name, number in known.numbers.items()}
        self._actions = actions
        self._processes = Processes(known)

    def run(self, deadline: float, limit_s: float) -> Ended:
        """Answer until the child ends or the time is over; then nothing of it is left running.

        Args:
            deadline: On the monotonic clock.
            limit_s: How long that was at the start, for the report.
        """
        cut_off: Ended | None = None
        try:
            if not self._serve(deadline):
                cut_off = Ended("hung", f"no end after {limit_s:g} s")
        except Killed:
            cut_off = Ended("died", "SIGKILL (the fault)")
        finally:
            self._child.kill()
            status = os.waitpid(self._child.pid, 0)[1]
            self._kill_the_rest()
            os.close(self._listener)
            self._actions.maps.look()
            self._actions.maps.close()
            self._processes.close()
        return cut_off or self._child.ended(status)

    def _serve(self, deadline: float) -> bool:
        """Tell whether the child ended by itself."""
        handle = os.pidfd_open(self._child.pid)
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        poll.register(handle, select.POLLIN)
        try:
            while (left := deadline - time.monotonic()) > 0:
                ready = dict(poll.poll(left * 1000))
                said = ready.get(self._listener, 0)
                if said & select.POLLIN:
                    self._answer()
                elif handle in ready:
                    return True
                elif said:  # nobody is left under the filter; what is missing is the end of the child
                    poll.unregister(self._listener)
        finally:
            os.close(handle)
        return False

    def _kill_the_rest(self) -> None:
        """Kill what left the session of the child, and return when all is gone that was under the filter."""
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        deadline = time.monotonic() + _LEFT_BEHIND_S
        while True:
            self._processes.kill()
            events = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
            if not events:
                self._actions.ledger.miss("processes that were left behind")
                return
            if events[0][1] & select.POLLHUP:
                return
            notification = seccomp.receive(self._listener)  # one that was just started; it is not answered
            if notification is not None:
                self._processes.meet(notification.tid)

    def _answer(self) -> None:
        notification = seccomp.receive(self._listener)
        if notification is None:
            return
        self.calls += 1
        self._processes.meet(notification.tid)
        call = Call(
            self._names[notification.number],
            notification.tid,
            notification.arguments,
            self._actions,
            self._processes,
        )
        try:
            answer = self._carry_out(call)
        except OSError as error:
            self._check(seccomp.answer(self._listener, notification, error=error.errno or errno.EIO), call)
            return
        if answer is None:
            seccomp.let_pass(self._listener, notification)
        elif isinstance(answer, Opened):
            try:
                heard = seccomp.answer_descriptor(self._listener, notification, answer.descriptor, answer.flags)
            finally:
                os.close(answer.descriptor)
            self._check(heard, call)
        else:
            self._check(seccomp.answer(self._listener, notification, answer), call)

    def _carry_out(self, call: Call) -> Answer:
        if call.name == "write" and call.int32(0) == MARK_DESCRIPTOR:
            text = process.read_memory(call.tid, call.arguments[1], call.arguments[2])
            self._actions.mark(text.decode(errors="replace"))
            return len(text)
        return _HANDLERS[call.name](call)

    def _check(self, heard: bool, call: Call) -> None:  # noqa: FBT001 (what the kernel said)
        if not heard and os.path.exists(f"/proc/{call.tid}"):
            # Before Linux 5.19 a signal handler may run while the call is being carried out; then it is made again.
            self._actions.ledger.miss("calls that a signal interrupted")
