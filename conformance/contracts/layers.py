"""The `layers` contract: an agent's memory in layers, such as policy, profile and working memory.

A layered store has `get(key)`, `set(key, value)`, `delete(key)`, `entries()`, `clear()` and `close()`. An async store
has the same verbs as `async def`.

Entries
    Keys are text, values as in the `state` contract, with the same law: a value comes back equal in type and content,
    or it was refused with TypeError or ValueError and the old one is intact. `get` returns a copy. A key that is not
    there is answered with None, or with the store's `missing` exception (KeyError unless named), always in the same
    way. `delete` of a key that is not there changes nothing, and may raise the `missing` exception. `entries()` gives
    a pair of key and value for every entry, each key once. `clear()` removes them all; a crash in the middle of it may
    leave some of them, each whole. All of it is there after a reopen.

Capabilities
------------
`precedence`
    Every verb takes `layer=`, the name of a layer, and `precedence` is a tuple of the names, the one that wins first.
    With a layer a verb concerns this layer alone: what is set, deleted or cleared in one leaves the others as they
    are. Without one, `get(key)` gives the value of the first layer of the precedence that has the key; `entries()`
    gives each key once, from the layer that wins; `set(key, value)` writes, and `delete(key)` deletes from, the first
    layer of the precedence, so that a value below comes to light again; `clear()` clears every layer. A layer that is
    not in `precedence` is refused with ValueError or KeyError, by readers too, and nothing changes.

`scopes`
    Every verb takes `scope=`, the name of whom the memory belongs to: a user, a session, a tenant; without one it is
    the scope `""`. Scopes share nothing, in any layer: no read, listing or clear of one sees or touches another. Names
    are compared exactly and are data: `a:b` with the key `c` is not `a` with the key `b:c`. A scope that is no text is
    refused with TypeError or ValueError: it never means "all". A store may have `scopes()`, which lists the names of
    all scopes that have entries, each once; without it, who migrates has to name them.

Sources: the property checklist MEM-01 to MEM-23; Marten's conjoined tenancy tests; mem0 #4245.
"""

from __future__ import annotations

from conformance.contracts import Capability, Contract

CONTRACT = Contract(
    name="layers",
    verbs=("get", "set", "delete", "entries", "clear"),
    capabilities=(
        Capability("precedence", ("precedence",), parameter="get:layer"),
        Capability("scopes", parameter="get:scope"),
    ),
)
