"""The report page, for those who would rather look than call: what the API answers, drawn."""
