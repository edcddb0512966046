"""An emulated cluster and the two tools that speak with it."""
