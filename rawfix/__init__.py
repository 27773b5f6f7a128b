"""rawfix: develop RAW photographs with networks that know bad pixels."""

__version__ = "0.1.0"
