//! Words as the search index knows them.
