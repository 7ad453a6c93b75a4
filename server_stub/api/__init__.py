"""JSON REST: route tables from which both the applications and their OpenAPI description are made."""
