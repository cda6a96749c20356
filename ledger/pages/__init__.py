"""Pages about oneself, outside the admin: signing in with a second factor, and setting one up."""
