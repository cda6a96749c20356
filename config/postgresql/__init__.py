"""Django's PostgreSQL backend with a cheaper health check; a package, for so Django looks for backends."""
