"""Grapevine: a social commerce backend. `app.main` puts it together; docs/map.md says where things are."""
