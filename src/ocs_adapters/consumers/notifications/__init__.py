"""The notification handler: delivers notifications to recipients, and keeps what became of each for audit."""
