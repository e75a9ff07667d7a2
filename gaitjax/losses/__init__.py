"""One file a loss: each exports a pure `loss(**term, **options) -> (value, scalars)`."""
