"""Crash exploration: record what a store asks of the disk, work out what a crash may leave, judge every such state.

Data flows one way. A `Workload` is carried out in a child process whose system calls are recorded (`recorder`): a
`Trace`. A disk model (`disk`) says which parts of it a crash may leave behind: crash states, each a `Tree` of files.
Workers reopen the store on each distinct tree and observe it (`checking`); the oracle judges the observation against
what was acknowledged. Usable without pytest.
"""
