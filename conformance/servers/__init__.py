"""Private Redis and PostgreSQL servers for tests, from what a machine has: a URL, a binary, a wheel, a container."""

from __future__ import annotations

from conformance.servers.running import Running
from conformance.servers.server import NoServer, Server, StartError
from conformance.servers.ways import create, prepare, serve, start

__all__ = ["NoServer", "Running", "Server", "StartError", "create", "prepare", "serve", "start"]
