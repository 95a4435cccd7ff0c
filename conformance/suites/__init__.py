"""The suites: plain test functions, a folder for each suite, in it a module for each part of a contract."""
