"""The iframe forms: for pages where scripts are not welcome."""
