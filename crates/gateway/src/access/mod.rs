//! Who may use which tool, prompt and resource.
