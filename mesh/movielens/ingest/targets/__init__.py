"""Where a delivery goes: one small interface, one module per engine."""
