"""A small relying party with a verification cloud, good enough to attack. It knows no emulator."""
