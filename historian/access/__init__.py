"""Who may come in: people with passwords, sessions, tokens of services, and locks after failed logins."""
