"""Entities: frozen values. A change is a new value, saved and published explicitly."""
