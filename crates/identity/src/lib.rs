//! Who you are: passwords, factors, sessions, API keys.
