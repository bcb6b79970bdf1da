"""ScaleBox decides whether code is right."""

__version__ = "0.1.0"
