"""Referral links: `/r/{code}`, where a person makes a visit, and what machines are shown instead."""
