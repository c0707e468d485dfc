"""Apache Kafka as the streaming platform."""
