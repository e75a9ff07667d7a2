"""The golden cases: what OpenGait computes, as data, and whether gaitjax computes the same."""
