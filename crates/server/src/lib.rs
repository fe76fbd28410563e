//! The binary: command line, configuration, wiring, first run.
