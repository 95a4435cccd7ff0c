"""Reference backends: small, explicit stores that keep every promise they make. Copy them."""
