"""From sequences on disk to batches on the device."""
