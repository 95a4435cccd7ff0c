"""Nothing is lost, torn or invented when several threads, tasks or processes share a store."""
