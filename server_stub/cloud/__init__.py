"""The verification cloud: it keeps the tokens' seeds, issues challenges, verifies codes and counts failures.

The IAM reaches it over HTTP only. Its REST is modelled on the Futurae APIs and not verified against the product.
"""
