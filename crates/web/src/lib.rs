//! HTTP: the listener, the pages, the API, problems.
