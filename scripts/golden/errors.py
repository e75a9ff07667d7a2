"""Why a case is not compared, other than by a fault of it or of ours."""


class UnsupportedError(Exception):
    """gaitjax does not have what the case is about."""


class SkippedError(Exception):
    """The case is left out by design."""
