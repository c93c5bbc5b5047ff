//! Definitions of tools that an operator has approved.
