"""The resource types, by the part of a lake that they belong to; importing a module registers its types."""
