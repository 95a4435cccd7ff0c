"""A failing network, a failing server, and the `log` contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.crash_recovery.network import (
    drops_late_replies,
    gives_up,
    leaks_no_connection,
    survives_a_stopped_server,
    survives_cuts,
    survives_kills_of_the_server,
    survives_refusals,
    survives_slow_replies,
    works_again,
)

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("LOG-BASIC-01", "LOG-REOPEN-01")


@check(
    "LOG-NET-01",
    capability="server",
    sources="Bailis and Kingsbury, The Network is Reliable, ACM Queue 2014; redis-py #977; valkey #1087; "
    "mutant append_repeated_by_client",
    needs=_NEEDS,
)
def test_a_cut_connection_loses_no_event(trial: Trial) -> None:
    """When a connection is cut before, in or after a request, or in the reply, each acknowledged event is there once.

    Why: after a lost reply only the caller can know what to do. A client that sends the append again has two events in
    the log, tells the caller of one, and every fold counts both.

    Breaks it:

        Redis(retry=Retry(ExponentialBackoff(), 3))    # repeats XADD and RPUSH as well
    """
    survives_cuts(trial)


@check("LOG-NET-02", capability="server", sources="cradle #36; mutant dead_connection_kept_log", needs=_NEEDS)
def test_an_open_log_works_again_after_a_cut(trial: Trial) -> None:
    """After its connection was cut the same open log works again, when no more than five calls have raised.

    Why: servers restart, and firewalls drop connections. A log that must be opened anew takes its program down.

    Breaks it:

        except ConnectionError:
            raise                                      # and the next append is sent on the same dead connection
    """
    works_again(trial)


@check(
    "LOG-NET-03",
    capability="server",
    sources="redis-py #2243; Nygard, Release It!; mutant no_timeout_log",
    needs=_NEEDS,
)
def test_an_append_without_a_reply_ends(trial: Trial) -> None:
    """A call whose request or reply is lost, on a connection that stays open, ends in an exception within a minute.

    Why: packets are dropped, and nothing tells the client that the other side is gone. Without a time-out the thread
    waits for ever, and with it all that wait for the thread.

    Breaks it:

        socket.create_connection((host, port))         # no timeout
    """
    gives_up(trial)


@check(
    "LOG-NET-04",
    capability="server",
    sources="redis-py #2624, #2665; dyno #103; mutant late_reply_taken_log",
    needs=(*_NEEDS, "LOG-NET-03"),
)
def test_a_late_position_is_given_to_no_other_append(trial: Trial) -> None:
    """When a call has given up waiting, its reply is given to no other call, and no event is lost or there twice.

    Why: the next append on the same connection reads the position of the one before, and each after it is one behind:
    checkpoints are taken at wrong positions, and events are folded twice.

    Breaks it:

        except TimeoutError:
            self._pool.append(connection)              # a reply is still on its way
            raise
    """
    drops_late_replies(trial)


@check(
    "LOG-NET-05",
    capability="server",
    sources="r2dbc-pool #165; hazelcast-nodejs-client #737; mutant connections_left_open_log",
    needs=_NEEDS,
)
def test_connections_of_a_log_do_not_leak(trial: Trial) -> None:
    """Connections do not become more with each fault, and none is open after closing.

    Why: a server takes so many connections. One client that reconnects for a night takes them all.

    Breaks it:

        except ConnectionError:
            self._connection = self._connect()         # the old one is not closed
    """
    leaks_no_connection(trial)


@check("LOG-NET-06", capability="server", sources="Toxiproxy; mutant unreachable_is_empty", needs=_NEEDS)
def test_refused_connections_take_no_event(trial: Trial) -> None:
    """While no connection can be made calls raise and append nothing; when one can, the same log works again.

    Why: a log that can't be reached, and shows no events, is folded to a state that never was.

    Breaks it:

        except ConnectionError:
            return iter(())                            # `read` finds nothing
    """
    survives_refusals(trial)


@check(
    "LOG-NET-07",
    capability="server",
    sources="groupmq #16; redlock-rb #27; mutant script_of_log_not_loaded_again",
    promise="durability:process-crash",
    needs=_NEEDS,
)
def test_a_killed_server_takes_no_event(trial: Trial) -> None:
    """When the server is killed and started again, the same log works again, and acknowledged events are there.

    Why: with a server goes what the client has set up in it: sessions, prepared statements, scripts, and what it had
    acknowledged before it was on the disk.

    Breaks it:

        self._script = client.script_load(SOURCE)      # when the log is opened
        client.evalsha(self._script, ...)              # after a restart: NOSCRIPT, for ever
    """
    survives_kills_of_the_server(trial)


@check(
    "LOG-NET-08",
    capability="server",
    sources="redis-py #261; Jepsen, nemesis hammer-time (SIGSTOP); mutant request_repeated_after_timeout_log",
    needs=(*_NEEDS, "LOG-NET-03"),
)
def test_a_stopped_server_doubles_no_event(trial: Trial) -> None:
    """When the server stands still for longer than the client waits, and goes on, nothing is lost, doubled or mixed up.

    Why: a paused virtual machine, or a server that swaps, keeps its connections, and does later what it was asked.

    Breaks it:

        except TimeoutError:
            return self._send(command)                 # both are carried out when the server goes on
    """
    survives_a_stopped_server(trial)


@check("LOG-NET-09", capability="server", sources="RFC 9293; mutant one_receive_is_a_reply_log", needs=_NEEDS)
def test_events_in_parts_are_put_together(trial: Trial) -> None:
    """Replies that come slowly and in parts are understood: no call raises, and no answer is wrong.

    Why: a network delivers bytes, not messages. On one machine most replies come whole, so nobody notices there.

    Breaks it:

        reply = self._socket.recv(65536)               # some of the events
    """
    survives_slow_replies(trial)
