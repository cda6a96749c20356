"""What holds the floors together: settings, addresses, Celery, what DRF loads by name, embedded services."""
