"""Being a webcam: for those who open one and should see what we show."""
