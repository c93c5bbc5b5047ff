//! Messages of clients: read strictly, rebuilt.
