"""What `conformance init` writes: adapter, configuration and a job of CI; and how it looks at a store for that."""
