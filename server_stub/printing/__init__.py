"""Badges and letters on paper: sheets with cut marks and letters, as PDF or SVG. It knows no user, no secret's meaning and no language."""
