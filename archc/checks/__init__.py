"""Checks of whole nets: each names one fault that a spec may have although every type in it is right."""
