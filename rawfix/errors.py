"""The tree of refusals.

    RawfixError                 anything rawfix refuses to do, in one line that names cause and remedy
    ├── UnsupportedRawError     a sound file of a kind that cannot be developed (yet)
    ├── CorruptRawError         a file that is broken, cut short or decodes to garbage
    ├── SettingsError           an option, or a combination of options, without meaning
    ├── OutputError             the result cannot be written where it was asked for
    │   └── DiskFullError       there is no space left for it, nor for the next one
    ├── ClusterError            other machines cannot be reached, or cannot do the work
    ├── ServerError             the server cannot be reached, or does not grant what was asked
    └── ModelError              a network is missing or cannot run
        ├── InferenceError      a network failed on this frame: out of memory, or not a number
        ├── ManifestError       a manifest is malformed or speaks of another contract
        └── IntegrityError      a model file is not the one its manifest describes

Library code raises these; only the command line catches them. Anything else is a bug and keeps its traceback.
"""


class RawfixError(Exception):
    """Base of every refusal; ``str(error)`` is one line, fit for a user."""


class UnsupportedRawError(RawfixError):
    """The file is sound, but of a kind rawfix cannot develop."""


class CorruptRawError(RawfixError):
    """The file is broken, cut short, or decodes to garbage."""


class SettingsError(RawfixError):
    """An option, or a combination of options, has no meaning."""


class OutputError(RawfixError):
    """The result cannot be written where it was asked for."""


class DiskFullError(OutputError):
    """There is no space left; the next output would not fit either."""


class ClusterError(RawfixError):
    """Other machines cannot be reached, or cannot do the work."""


class ServerError(RawfixError):
    """The server cannot be reached, or does not grant what was asked."""


class ModelError(RawfixError):
    """A network is missing or cannot run."""


class InferenceError(ModelError):
    """A network failed while it ran; the next frame may do."""


class ManifestError(ModelError):
    """A model's manifest is malformed or names an unknown contract."""


class IntegrityError(ModelError):
    """A model file is not the one its manifest describes."""
