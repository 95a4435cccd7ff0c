"""Concurrent histories: recorded while workers share a store, judged by checkers that decide. Usable without pytest."""
