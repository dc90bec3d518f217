"""Merchants: the tenants, their keys and the settings of their shops."""
