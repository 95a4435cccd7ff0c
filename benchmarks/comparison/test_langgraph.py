"""langgraph-checkpoint-conformance: `validate` on a checkpointer over the planted store, one test for each capability.

The checkpointer is LangGraph's own one in memory; before each verb what it holds of a thread is loaded from the
planted store, and after each verb that writes it is put there.
"""

from __future__ import annotations

import asyncio
import pickle
from collections import defaultdict
from tempfile import mkdtemp

import pytest
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.capabilities import BASE_CAPABILITIES
from langgraph.checkpoint.memory import InMemorySaver
from planted import open_planted


class PlantedSaver(InMemorySaver):
    """A checkpointer whose threads are kept in the planted store."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = open_planted(mkdtemp())

    def _load(self) -> None:
        self.storage = defaultdict(lambda: defaultdict(dict))
        self.writes, self.blobs = defaultdict(dict), {}
        for thread in self.kept:
            storage, writes, blobs = pickle.loads(self.kept[thread])
            for namespace, checkpoints in storage.items():
                self.storage[thread][namespace].update(checkpoints)
            self.writes.update(writes)
            self.blobs.update(blobs)

    def _save(self, thread: str) -> None:
        storage = {namespace: dict(found) for namespace, found in self.storage.get(thread, {}).items()}
        writes = {key: dict(found) for key, found in self.writes.items() if key[0] == thread}
        blobs = {key: found for key, found in self.blobs.items() if key[0] == thread}
        if storage or writes or blobs:
            self.kept[thread] = pickle.dumps((storage, writes, blobs))
        else:
            self.kept.pop(thread, None)

    async def aget_tuple(self, config):
        self._load()
        return await super().aget_tuple(config)

    async def alist(self, config, **given):
        self._load()
        async for one in super().alist(config, **given):
            yield one

    async def aput(self, config, *rest):
        self._load()
        found = await super().aput(config, *rest)
        self._save(config["configurable"]["thread_id"])
        return found

    async def aput_writes(self, config, *rest, **given):
        self._load()
        await super().aput_writes(config, *rest, **given)
        self._save(config["configurable"]["thread_id"])

    async def adelete_thread(self, thread_id):
        self._load()
        await super().adelete_thread(thread_id)
        self._save(thread_id)


@checkpointer_test(name="planted")
async def planted():
    saver = PlantedSaver()
    yield saver
    saver.kept.close()


@pytest.mark.parametrize("capability", sorted(one.value for one in BASE_CAPABILITIES))
def test_capability(capability: str) -> None:
    found = asyncio.run(validate(planted, capabilities={capability})).results[capability]
    assert found.passed, found.failures
