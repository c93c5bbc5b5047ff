//! Session ids of the upstream, sealed for one caller.
