"""For Python programs that send: clients of the dashboard, and of the services whose interfaces it speaks."""
