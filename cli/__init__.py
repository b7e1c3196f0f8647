"""The `headwater` commands: one module for each group, their heavy imports inside the functions that need them."""
