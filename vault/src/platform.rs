//! What the platform provides, as one type.
