//! What is derived from which secret: ids, hashes, sealing keys.
