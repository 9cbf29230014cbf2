"""Statistics over a run's records: records in, frames and small typed records out."""
