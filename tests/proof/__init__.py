"""The proof that the checks can fail, and accuse nobody falsely: measured here, and shown in docs/kill-matrix.md.

    python -m tests.proof kills               # measures what is missing; goes on where it stopped
    python -m tests.proof kills --only CODE   # one check, or one mutant, anew
    python -m tests.proof sound               # honest and odd stores, at 20 seeds
    python -m tests.proof pages               # writes the pages from what was measured

A mutant meets the checks that must kill it at several seeds, with the effort of tests/test_mutants.py; and every other
check of the same contract and suite at one seed, with the effort `quick`. What was not measured is told as such.
"""
